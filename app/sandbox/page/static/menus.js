// Menus stand beside what opened them: below if there is room, else above. Where the focus goes, the page's own
// `autofocus` says: it moves as the menu opens, while "toggle" comes later than a quick second Enter.

const GAP = 6;
let opener = null;

document.addEventListener("click", ({ target }) => {
  opener = target.closest("[popovertarget]") ?? opener;
}, true);

for (const menu of document.querySelectorAll("[popover]")) {
  menu.addEventListener("toggle", (event) => { if (event.newState === "open") place(menu); });
  menu.addEventListener("keydown", walk);
}

function place(menu) {
  if (!opener) return;
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const left = Math.min(at.left, innerWidth - width - 8);
  const below = at.bottom + GAP + height < innerHeight;
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${below ? at.bottom + GAP : Math.max(8, at.top - GAP - height)}px`;
}

function walk(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...event.currentTarget.querySelectorAll("button:not([hidden]), input")];
  all[(all.indexOf(document.activeElement) + step + all.length) % all.length]?.focus();
}
