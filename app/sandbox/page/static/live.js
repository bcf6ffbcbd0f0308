// What the server tells, in pieces by key; whoever draws a kind of piece says so with `when`.

const listeners = [];
const afterwards = [];
const pieces = new Map();
let source = null;
let clock = { now: Date.now() / 1000, at: performance.now(), speed: 1 };

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

/** The stand-in's time, in seconds. */
export function standInNow() {
  return clock.now + ((performance.now() - clock.at) / 1000) * clock.speed;
}

/** Shows the world through this person's eyes from now on. */
export function look(who) {
  source?.close();
  source = new EventSource(`/live?who=${encodeURIComponent(who)}`);
  source.addEventListener("all", (event) => {
    const state = JSON.parse(event.data);
    take({ ...state, gone: [...pieces.keys()].filter((key) => !(key in state.put)) });
  });
  source.addEventListener("change", (event) => take(JSON.parse(event.data)));
  source.addEventListener("open", () => { document.getElementById("gone").hidden = true; });
  source.addEventListener("error", () => { document.getElementById("gone").hidden = false; });
}

function take({ now, put, gone }) {
  clock = { now, at: performance.now(), speed: put.speed ?? clock.speed };
  for (const key of gone) {
    pieces.delete(key);
    tell(key, undefined);
  }
  for (const [key, value] of Object.entries(put)) {
    pieces.set(key, value);
    tell(key, value);
  }
  for (const work of afterwards) work();
}

function tell(key, value) {
  for (const [prefix, draw] of listeners) if (key.startsWith(prefix)) draw(key, value);
}
