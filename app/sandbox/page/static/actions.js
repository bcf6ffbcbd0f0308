// What one does here goes to the server; what it says about it is shown for a moment.

import { hold, release } from "./live.js";
import { text } from "./texts.js";

const toasts = document.getElementById("toasts");

export function who() {
  return document.querySelector("#people input:checked").value;
}

/** Posts an action of the acting person; returns whether it succeeded. */
export async function act(action, body = {}) {
  return !(await post(action, body)).trouble;
}

/** For a control that shows a piece which the server sends: until the answer, no update of that piece moves it. */
export async function choose(key, action, body) {
  hold(key);
  const { acts = -1, put = {} } = await post(action, body);
  release(key, acts, put[key]);
}

async function post(action, body) {
  let result;
  try {
    const response = await fetch(`/do/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ who: who(), ...body }),
    });
    result = await response.json();
  } catch {
    result = { words: text("unreachable"), trouble: true };
  }
  if (result.words) toast(result.words, result.trouble);
  return result;
}

/** Disables a button, or enables it once its work is done. */
export function disable(button, off) {
  button.toggleAttribute("data-off", off);
  button.disabled = off || button.hasAttribute("aria-busy");
}

/** Disables a button for as long as its work lasts. */
export async function busy(button, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.removeAttribute("aria-busy");
    button.disabled = button.hasAttribute("data-off");
  }
}

export function toast(words, trouble = false) {
  const shown = document.createElement("div");
  shown.className = trouble ? "toast toast--trouble" : "toast";
  shown.textContent = words;
  toasts.append(shown);
  setTimeout(() => shown.remove(), trouble ? 9000 : 5000);
}
