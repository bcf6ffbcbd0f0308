// The Slack half: places as tabs, messages with their threads, what is new.

import { act } from "./actions.js";
import { afterEach, keys, piece, when } from "./live.js";
import { hang } from "./threads.js";
import { text } from "./texts.js";

const tabs = document.getElementById("tabs");
const logs = document.getElementById("logs");
const newer = document.getElementById("newer");
const HOME = "home";

let active = null;
const entries = new Map(); // message key -> its element
const unread = new Set();
let fresh = true; // nothing that is there from the start is new

when("place:", (key, place) => {
  const id = key.slice("place:".length);
  if (!place) {
    for (const gone of [tab(id), log(id)]) gone?.remove();
    if (active === id) active = null;
    return;
  }
  if (!log(id)) addPlace(id);
  drawTab(id, place.direct ? place.name : `# ${place.name}`, place.order);
});

when("message:", (key, message) => {
  if (!message) {
    entries.get(key)?.remove();
    entries.delete(key);
    return;
  }
  const known = entries.get(key);
  if (known) redraw(known, message);
  else entries.set(key, add(key, message));
});

when("home", (key, home) => {
  if (key !== HOME) return;
  const held = log(HOME).contains(document.activeElement) ? document.activeElement.dataset : null;
  log(HOME).innerHTML = home ? home.html : "";
  if (held?.actionId) log(HOME).querySelector(sameButton(held))?.focus({ preventScroll: true });
});

function sameButton({ actionId, blockId }) {
  return `[data-action-id="${CSS.escape(actionId)}"][data-block-id="${CSS.escape(blockId)}"]`;
}

afterEach(() => {
  if (!active) show(firstPlace());
  for (const entry of entries.values()) hang(entry, entries);
  fresh = false;
});

/** Everything that was seen so far belongs to somebody else's eyes. */
export function forget() {
  fresh = true;
  unread.clear();
  log(HOME)?.replaceChildren();
}

/** Somebody else looks now: Slack tells the app where Home is what they see. */
export function lookAgain() {
  if (active === HOME) act("home");
}

/** The place that a message would go to: a channel, or the conversation with the app. */
export function placeShown() {
  if (active !== HOME) return active;
  return keys("place:").map((key) => piece(key)).find((place) => place.direct).id;
}

export function show(id) {
  active = id;
  sessionStorage.setItem("place", id);
  unread.delete(id);
  for (const one of tabs.children) {
    const on = one.dataset.place === id;
    one.setAttribute("aria-selected", on);
    one.tabIndex = on ? 0 : -1;
    if (on) one.classList.remove("tab--unread");
  }
  for (const one of logs.children) one.hidden = one.dataset.place !== id;
  if (id === HOME) act("home");
  toEnd();
}

/** The place that was open before the page was loaded again, else the first one. */
function firstPlace() {
  const remembered = sessionStorage.getItem("place");
  return tab(remembered) ? remembered : tabs.firstElementChild.dataset.place;
}

/** Brings a message into view and points at it. */
export function pointAt(article) {
  const place = article.closest(".log").dataset.place;
  if (place !== active) show(place);
  article.scrollIntoView({ block: "center", behavior: "smooth" });
  flash(article);
}

export function flash(element) {
  element.classList.remove("flash");
  requestAnimationFrame(() => element.classList.add("flash"));
  setTimeout(() => element.classList.remove("flash"), 1800);
}

/** The card that names a deployment. */
export function cardOf(deployment) {
  return logs.querySelector(`.entry > .sl-message:not(.sl-message--whisper):has(a[href*="${deployment}"])`);
}

function tab(id) {
  return tabs.querySelector(`[data-place="${id}"]`);
}

function log(id) {
  return logs.querySelector(`.log[data-place="${id}"]`);
}

function addPlace(id) {
  const made = document.createElement("div");
  made.className = id === HOME ? "log log--home" : "log";
  made.dataset.place = id;
  made.id = `log-${id}`;
  made.hidden = true;
  made.setAttribute("role", "tabpanel");
  made.setAttribute("aria-live", "polite");
  made.setAttribute("aria-labelledby", `tab-${id}`);
  made.dataset.empty = text("empty");
  logs.append(made);
}

function drawTab(id, name, order) {
  const made = tab(id) ?? document.createElement("button");
  Object.assign(made, { className: "tab", type: "button", id: `tab-${id}`, textContent: name });
  Object.assign(made.dataset, { place: id, order });
  made.setAttribute("role", "tab");
  made.setAttribute("aria-controls", `log-${id}`);
  const after = [...tabs.children].find((one) => one !== made && Number(one.dataset.order) > order);
  tabs.insertBefore(made, after ?? null);
  if (active) made.setAttribute("aria-selected", id === active);
}

function add(key, message) {
  const entry = document.createElement("div");
  entry.className = "entry";
  Object.assign(entry.dataset, { key, ts: message.ts, place: message.place });
  if (message.thread) entry.dataset.thread = message.thread;
  entry.innerHTML = message.html;
  const list = log(message.place);
  const close = nearEnd();
  const later = [...list.children].find((other) => Number(other.dataset.ts) > Number(message.ts));
  list.insertBefore(entry, later ?? null);
  announce(message, entry, close);
  return entry;
}

function announce(message, entry, close) {
  if (fresh) return;
  entry.classList.add("entry--new");
  if (message.place !== active) {
    if (message.own) return;
    unread.add(message.place);
    tab(message.place)?.classList.add("tab--unread");
  } else if (close || message.own) requestAnimationFrame(toEnd);
  else newer.hidden = false;
}

function redraw(entry, message) {
  const old = entry.querySelector(":scope > .sl-message");
  const held = document.activeElement;
  const action = old.contains(held) ? held.dataset.actionId : null;
  const made = document.createElement("template");
  made.innerHTML = message.html;
  const drawn = made.content.firstElementChild;
  const close = nearEnd();
  old.replaceWith(drawn);
  if (message.place === active) flash(drawn);
  if (action) {
    drawn.tabIndex = -1;
    (drawn.querySelector(`[data-action-id="${action}"]`) ?? drawn).focus({ preventScroll: true });
  }
  if (close) requestAnimationFrame(toEnd);
}

function nearEnd() {
  return logs.scrollHeight - logs.scrollTop - logs.clientHeight < 120;
}

function toEnd() {
  if (active !== HOME) logs.scrollTop = logs.scrollHeight;
  else logs.scrollTop = 0;
  newer.hidden = true;
}

addPlace(HOME);
drawTab(HOME, text("home"), 1000);
newer.addEventListener("click", toEnd);
logs.addEventListener("scroll", () => { if (nearEnd()) newer.hidden = true; });

tabs.addEventListener("click", (event) => {
  const chosen = event.target.closest(".tab");
  if (chosen) show(chosen.dataset.place);
});

tabs.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!step) return;
  const all = [...tabs.children];
  const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
  next.focus();
  show(next.dataset.place);
});
