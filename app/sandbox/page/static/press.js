// Buttons and selects that the app drew: asked back first where it wants that, then sent, as Slack's client does.

import { act, busy, toast } from "./actions.js";
import { pointAt, cardOf } from "./slack.js";
import { tileOf } from "./domains.js";
import { text } from "./texts.js";

const confirmation = document.getElementById("confirm");

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a.sl-link");
  if (link) return follow(event, link);
  const button = event.target.closest("button[data-action-id]");
  if (button) await press(button);
});

document.addEventListener("change", async (event) => {
  const field = event.target.closest("[data-action-id]");
  // Inputs of a form are sent with the form; what is typed elsewhere is not sent letter by letter.
  if (!field || field.closest(".sl-field-row") || field.matches("textarea, [type=text]")) return;
  if (!field.value || !(await agreed(field))) {
    field.value = "";
    return;
  }
  const url = field.selectedOptions?.[0]?.dataset.url;
  if (url) open(url, "_blank", "noopener");
  await send(field, field.value);
  if (field.classList.contains("sl-overflow")) field.value = "";
});

async function press(button) {
  if (!(await agreed(button))) return;
  if (button.dataset.url) window.open(button.dataset.url, "_blank", "noopener");
  await busy(button, () => send(button, null));
}

function send(element, value) {
  const { channel, ts, viewId: view_id, actionId: action_id, blockId: block_id } = element.dataset;
  const what = { action_id, block_id, value };
  return view_id ? act("press-in-view", { view_id, ...what }) : act("press", { channel, ts, ...what });
}

/** Whether the person agreed, where the app asks back; focus comes back to the element. */
function agreed(element) {
  const { confirmTitle, confirmText, confirmYes, confirmNo, confirmStyle } = element.dataset;
  if (!confirmTitle) return true;
  document.getElementById("confirm-title").textContent = confirmTitle;
  // The server has drawn and escaped this text.
  document.getElementById("confirm-text").innerHTML = confirmText;
  const [no, yes] = confirmation.querySelectorAll("button");
  no.textContent = confirmNo;
  yes.textContent = confirmYes;
  yes.className = `sl-button sl-button--${confirmStyle}`;
  confirmation.returnValue = "";
  confirmation.showModal();
  return new Promise((resolve) => {
    confirmation.addEventListener("close", () => resolve(confirmation.returnValue === "yes"), { once: true });
  });
}

/** Links into AWS and Slack lead to their place on this page. */
function follow(event, link) {
  const deployment = link.href.match(/\/codedeploy\/deployments\/(d-[A-Z0-9]+)/)?.[1];
  const archive = link.href.match(/\.slack\.com\/archives\/(\w+)\/p(\d{10})(\d{6})/);
  if (deployment) {
    event.preventDefault();
    const tile = tileOf(deployment);
    if (tile) tile.point();
    else toast(text("aws_link", { deployment }));
  } else if (archive) {
    event.preventDefault();
    const [, channel, seconds, rest] = archive;
    const article = document.querySelector(`.sl-message[data-channel="${channel}"][data-ts="${seconds}.${rest}"]`);
    if (article) pointAt(article);
  }
}

document.getElementById("tiles").addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  const card = chip && cardOf(chip.dataset.deployment);
  if (card) pointAt(card);
  else if (chip) toast(text("no_card"));
});
