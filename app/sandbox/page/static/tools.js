// The clock, the troubles, the service, and who one is.

import { act, busy, choose, disable } from "./actions.js";
import { look, when } from "./live.js";
import { forget, lookAgain, placeShown } from "./slack.js";
import { text } from "./texts.js";

const people = document.getElementById("people");
const composer = document.getElementById("composer");
const troubles = document.getElementById("troubles");
const count = document.getElementById("troubles-count");
const service = document.getElementById("service");
const [kill, start, calm] = ["kill", "start", "calm"].map((id) => document.getElementById(id));

export function begin() {
  const remembered = people.querySelector(`input[value="${sessionStorage.getItem("who") ?? ""}"]`);
  if (remembered) remembered.checked = true;
  become();
}

function become() {
  const chosen = people.querySelector("input:checked");
  sessionStorage.setItem("who", chosen.value);
  document.getElementById("say").placeholder = text("say", { name: chosen.dataset.name });
  forget();
  look(chosen.value);
  lookAgain();
}

people.addEventListener("change", become);

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = composer.elements.say;
  const said = field.value;
  if (!said.trim()) return;
  field.value = "";
  if (!(await act("say", { channel: placeShown(), text: said })) && !field.value) field.value = said;
});

composer.addEventListener("click", ({ target }) => {
  if (target.dataset.say) act("say", { channel: placeShown(), text: target.dataset.say });
});

document.getElementById("clock").addEventListener("change", ({ target }) => {
  choose("speed", "clock", { speed: Number(target.value) });
});

when("speed", (_key, speed) => {
  const field = document.querySelector(`#clock input[value="${speed}"]`);
  if (field) field.checked = true;
});

when("troubles", (_key, on = []) => {
  const names = new Set(on);
  for (const field of troubles.querySelectorAll("input")) field.checked = names.has(field.value);
  count.hidden = names.size === 0;
  count.textContent = names.size;
});

when("service", (_key, state = "down") => {
  service.dataset.state = state;
  service.lastElementChild.textContent = text(`service_${state}`);
  kill.hidden = state !== "running";
  start.hidden = state === "running";
  disable(start, state === "starting");
});

troubles.addEventListener("change", ({ target }) => {
  choose("troubles", "trouble", { name: target.value, on: target.checked });
});

calm.addEventListener("click", () => act("calm"));
kill.addEventListener("click", () => busy(kill, () => act("service", { order: "kill" })));
start.addEventListener("click", () => busy(start, () => act("service", { order: "start" })));
