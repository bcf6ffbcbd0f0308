// The domains: one tile each, kept up to date in place so that the bars can move.

import { act, busy, disable } from "./actions.js";
import { afterEach, keys, piece, standInNow, when } from "./live.js";
import { cardOf, flash } from "./slack.js";
import { text } from "./texts.js";

const tiles = document.getElementById("tiles");
const strip = document.getElementById("strip");
const spoken = document.getElementById("spoken");
const menu = document.getElementById("deploy-menu");
const blank = document.getElementById("tile").content;
const clock = document.getElementById("clock-now");
const said = new Map();

when("domain:", (_key, domain) => {
  if (!domain) return;
  const tile = find(domain.name) ?? add(domain);
  drawTraffic(tile, domain);
  drawDeployment(tile, domain);
  drawButtons(tile, domain);
  drawStrip(domain);
  say(domain);
});

when("smoke:", (_key, smoke) => {
  const button = find(smoke.domain).querySelector(".smoke");
  button.hidden = false;
  drawToggle(button, smoke.fails, "smoke_pass", "smoke_fail");
});

/** The tile where a deployment is the latest one. */
export function tileOf(deployment) {
  const tile = [...tiles.children].find((one) => one.querySelector(".chip").dataset.deployment === deployment);
  return tile && { point: () => point(tile) };
}

function point(tile) {
  tile.scrollIntoView({ block: "nearest", behavior: "smooth" });
  tile.focus({ preventScroll: true });
  flash(tile);
}

function find(name) {
  return tiles.querySelector(`[data-domain="${name}"]`);
}

function add(domain) {
  const tile = blank.cloneNode(true).firstElementChild;
  tile.dataset.domain = tile.id = domain.name;
  tile.querySelector(".tile-name").textContent = domain.name;
  tile.querySelector(".port").textContent = `:${domain.port}`;
  tile.querySelector(".deploy").dataset.deploy = domain.name;
  tile.setAttribute("aria-label", text("tile", { domain: domain.name, port: domain.port }));
  const rules = tile.querySelector(".rules");
  rules.hidden = !domain.rules;
  rules.textContent = domain.rules;
  tiles.append(tile);
  return tile;
}

function drawTraffic(tile, { state, words, blue, green, deployment }) {
  tile.dataset.state = state;
  const chip = tile.querySelector(".chip");
  chip.textContent = words;
  chip.dataset.deployment = deployment?.id ?? "";
  chip.title = deployment ? text("show_card") : "";
  const bar = tile.querySelector(".bar");
  bar.setAttribute("aria-label", text("traffic", { blue: blue.share, green: green.share }));
  for (const [side, { share, version }] of [["blue", blue], ["green", green]]) {
    tile.querySelector(`.bar-${side}`).style.width = `${share}%`;
    const label = tile.querySelector(`.share-${side}`);
    label.classList.toggle("share--none", share === 0);
    label.querySelector("b").textContent = `${share}%`;
    label.querySelector("code").textContent = version;
  }
}

function drawDeployment(tile, { state, deployment, until, until_words }) {
  const what = tile.querySelector(".what");
  const resting = state === "resting" || !deployment;
  what.textContent = resting ? text("no_deployment") : `${deployment.title} · ${about(deployment)}`;
  what.title = resting ? "" : [deployment.id, deployment.title].filter(Boolean).join("\n");
  const waiting = tile.querySelector(".until");
  waiting.dataset.until = until ?? "";
  waiting.dataset.words = until_words;
  if (!until) waiting.textContent = "";
  tile.querySelector(".steps").replaceChildren(...(resting ? [] : deployment.events.map((event) => step(event, state))));
}

/** Why a deployment ended. What fails before its hook has no card that could say it. */
function drawWhy({ name, state, deployment }) {
  const why = find(name).querySelector(".why");
  const error = state === "resting" ? null : deployment?.error;
  why.hidden = !error;
  why.textContent = error ? [error, cardOf(deployment.id) && text("see_card")].filter(Boolean).join(" ") : "";
}

// A card may come, or go, after its deployment has ended.
afterEach(() => {
  for (const key of keys("domain:")) drawWhy(piece(key));
});

function about(deployment) {
  return [deployment.by, deployment.config].filter(Boolean).join(" · ");
}

function step({ name, status }, state) {
  const item = document.createElement("li");
  const waits = status === "InProgress" && state === "waiting";
  const shown = waits ? "Waiting" : status;
  item.className = `step step--${shown}`;
  item.title = text("step", { event: name, status: text(`step_${shown}`) });
  const words = document.createElement("span");
  Object.assign(words, { className: "hidden", textContent: item.title });
  item.append(words);
  return item;
}

function drawButtons(tile, { busy: underWay, alarm, green_health: health }) {
  disable(tile.querySelector(".deploy"), underWay);
  disable(tile.querySelector(".stop"), !underWay);
  drawToggle(tile.querySelector(".alarm"), alarm, "alarm_off", "alarm_on");
  drawToggle(tile.querySelector(".health"), health === "unhealthy", "health_on", "health_off");
  tile.querySelector(".health").hidden = !underWay || !health;
}

/** A button that says what it does next; it is filled in while the failure is on. */
function drawToggle(button, on, ends, begins) {
  button.dataset.on = on;
  button.textContent = text(on ? ends : begins);
}

function drawStrip({ name, blue, green, state }) {
  const id = `strip-${name}`;
  const link = document.getElementById(id) ?? strip.appendChild(document.createElement("a"));
  if (!link.id) {
    link.innerHTML = "<span></span><i></i>";
    Object.assign(link, { id, href: `#${name}` });
  }
  link.dataset.state = state;
  link.firstChild.textContent = name;
  link.lastChild.style.width = `${green.share}%`;
  link.title = text("tile_traffic", { domain: name, blue: blue.share, green: green.share });
}

function say({ name, words, green }) {
  const now = text("tile_status", { domain: name, status: words, green: green.share });
  if (said.has(name) && said.get(name) !== now) spoken.textContent = now;
  said.set(name, now);
}

function countDown() {
  for (const element of tiles.querySelectorAll(".until")) {
    if (!element.dataset.until) continue;
    const left = Math.max(0, Math.round(Number(element.dataset.until) - standInNow()));
    const shown = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    element.textContent = element.dataset.words.replace("{left}", shown);
  }
  const now = standInNow();
  const ahead = Math.round((now - Date.now() / 1000) / 60);
  const { zone: timeZone } = document.querySelector("#people input:checked").dataset; // as the cards show times
  const shown = new Date(now * 1000).toLocaleTimeString(document.documentElement.lang, { timeZone });
  clock.textContent = ahead > 0 ? `${shown} (${text("ahead", { minutes: ahead })})` : shown;
}

setInterval(countDown, 250);

tiles.addEventListener("click", async ({ target }) => {
  const domain = target.closest(".tile")?.dataset.domain;
  if (target.matches(".stop")) await busy(target, () => act("stop", { domain }));
  if (target.matches(".alarm")) await act("alarm", { domain, on: !piece(`domain:${domain}`).alarm });
  if (target.matches(".health")) {
    await act("health", { domain, healthy: piece(`domain:${domain}`).green_health === "unhealthy" });
  }
  if (target.matches(".smoke")) await act("smoke", { domain, passes: piece(`smoke:${domain}`).fails });
});

document.addEventListener("click", ({ target }) => {
  const opener = target.closest("[data-deploy]");
  if (opener) menu.dataset.domain = opener.dataset.deploy;
});

menu.addEventListener("beforetoggle", (event) => {
  if (event.newState !== "open") return;
  const opener = document.activeElement.closest("[data-deploy]");
  const { deploy = "*" } = opener?.dataset ?? {};
  menu.dataset.domain = deploy;
  menu.querySelector(".menu-title").textContent = deploy === "*" ? text("deploy_every") : text("deploy_one", { domain: deploy });
});

menu.addEventListener("click", ({ target }) => {
  const choice = target.closest("[data-shift]");
  if (!choice) return;
  menu.hidePopover();
  const domain = menu.dataset.domain === "*" ? null : menu.dataset.domain;
  act("deploy", { domain, shift: choice.dataset.shift, own: "own" in choice.dataset });
});

