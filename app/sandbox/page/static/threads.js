// Threads: replies under the message that they answer.

import { text } from "./texts.js";

const openThreads = new Set();

/** A reply hangs under its root, behind a button that counts. `entries`: by message key. */
export function hang(entry, entries) {
  if (!entry.dataset.thread || entry.parentElement?.classList.contains("replies")) return;
  const root = entries.get(`message:${entry.dataset.place}:${entry.dataset.thread}`);
  if (!root) return;
  const replies = root.querySelector(":scope > .replies") ?? addReplies(root);
  const later = [...replies.children].find((other) => Number(other.dataset.ts) > Number(entry.dataset.ts));
  replies.insertBefore(entry, later ?? null);
  const count = replies.children.length;
  root.querySelector(":scope > .thread-button").textContent = text("replies", { count });
}

function addReplies(root) {
  const button = document.createElement("button");
  const list = document.createElement("div");
  const open = openThreads.has(root.dataset.key);
  Object.assign(button, { className: "thread-button", type: "button" });
  button.setAttribute("aria-expanded", open);
  Object.assign(list, { className: "replies", hidden: !open });
  button.addEventListener("click", () => {
    list.hidden = !list.hidden;
    button.setAttribute("aria-expanded", !list.hidden);
    openThreads[list.hidden ? "delete" : "add"](root.dataset.key);
  });
  root.append(button, list);
  return list;
}
