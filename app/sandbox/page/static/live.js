// What the server tells, in pieces by key; whoever draws a kind of piece says so with `when`.

const listeners = [];
const afterwards = [];
const pieces = new Map();
let source = null;
let clock = { now: Date.now() / 1000, at: performance.now(), speed: 1 };
const held = new Map(); // key → { open: unanswered choices, acts and value: the newest state of the piece }
const LONGEST_PRESS_MS = 5000;
const waiting = []; // changes that came during a press
let pressed = null;

/** `draw(key, piece)` for every piece whose key begins so; `piece` is undefined when it has gone. */
export function when(prefix, draw) {
  listeners.push([prefix, draw]);
}

/** Called after every batch of changes. */
export function afterEach(work) {
  afterwards.push(work);
}

export function piece(key) {
  return pieces.get(key);
}

export function keys(prefix) {
  return [...pieces.keys()].filter((key) => key.startsWith(prefix));
}

/** Shows no update of this piece until `release`: the person has just chosen another value of it. */
export function hold(key) {
  const one = held.get(key) ?? { open: 0, acts: 0 };
  if (!one.open) one.value = pieces.get(key);
  one.open += 1;
  held.set(key, one);
}

/** Shows the newest state: `value`, after so many `acts`, or an update that came meanwhile. */
export function release(key, acts, value) {
  const one = held.get(key);
  if (acts > one.acts) Object.assign(one, { acts, value }); // an update of the same age is the newer one
  one.open -= 1;
  if (one.open) return;
  pieces.set(key, one.value);
  tell(key, one.value);
}

/** The stand-in's time, in seconds. */
export function standInNow() {
  return clock.now + ((performance.now() - clock.at) / 1000) * clock.speed;
}

/** Shows the world through this person's eyes from now on. */
export function look(who) {
  source?.close();
  waiting.length = 0;
  source = new EventSource(`/live?who=${encodeURIComponent(who)}`);
  source.addEventListener("all", (event) => {
    take({ ...JSON.parse(event.data), all: true });
  });
  source.addEventListener("change", (event) => take(JSON.parse(event.data)));
  source.addEventListener("open", () => { document.getElementById("gone").hidden = true; });
  source.addEventListener("error", () => { document.getElementById("gone").hidden = false; });
}

// A button that is replaced between its press and its release gets no click: until then nothing is redrawn.
document.addEventListener("pointerdown", ({ button }) => { if (button === 0) press(); }, true);
document.addEventListener("keydown", ({ key }) => { if (key === " ") press(); }, true);
for (const end of ["pointerup", "pointercancel", "keyup", "change"]) {
  document.addEventListener(end, () => setTimeout(goOn), true); // the click comes first
}

function press() {
  clearTimeout(pressed);
  pressed = setTimeout(goOn, LONGEST_PRESS_MS);
}

function goOn() {
  clearTimeout(pressed);
  pressed = null;
  for (const change of waiting.splice(0)) draw(change);
}

function take(change) {
  change.at = performance.now();
  if (pressed) waiting.push(change);
  else draw(change);
}

function draw({ now, at, acts, put, gone, all }) {
  if (all) gone = [...pieces.keys()].filter((key) => !(key in put));
  clock = { now, at, speed: put.speed ?? clock.speed };
  for (const key of gone) {
    pieces.delete(key);
    tell(key, undefined);
  }
  for (const [key, value] of Object.entries(put)) {
    const one = held.get(key);
    if (one && acts < one.acts) continue;
    if (one) Object.assign(one, { acts, value });
    if (one?.open) continue;
    pieces.set(key, value);
    tell(key, value);
  }
  for (const work of afterwards) work();
}

function tell(key, value) {
  for (const [prefix, draw] of listeners) if (key.startsWith(prefix)) draw(key, value);
}
