// The modal on top, as the app drew it; what was typed survives its redrawing.

import { act, busy } from "./actions.js";
import { when } from "./live.js";

const dialog = document.getElementById("modal");

when("modal", (_key, modal) => {
  if (!modal) {
    if (dialog.open) dialog.close();
    dialog.replaceChildren();
    return;
  }
  const same = dialog.firstElementChild?.dataset.viewId === modal.id;
  const typed = same ? values() : {};
  const held = same ? document.activeElement?.name : null;
  dialog.innerHTML = modal.html;
  const form = dialog.firstElementChild;
  dialog.setAttribute("aria-label", form.querySelector(".sl-modal-title").textContent);
  for (const [name, value] of Object.entries(typed)) fill(name, value);
  if (!dialog.open) dialog.showModal();
  const first = form.querySelector(".sl-modal-body :is(input, textarea, select)");
  (held ? form.querySelector(`[name="${held}"]`) : (form.querySelector("[autofocus]") ?? first))?.focus();
});

dialog.addEventListener("submit", async (event) => {
  event.preventDefault();
  const form = dialog.firstElementChild;
  const button = form.querySelector('[data-modal="submit"]');
  await busy(button, () => act("submit", { view_id: form.dataset.viewId, values: values() }));
});

dialog.addEventListener("click", (event) => {
  if (event.target.closest('[data-modal="close"]')) close();
});

// Escape: the dialog closes once the server says that the modal has gone.
dialog.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});

function close() {
  act("close", { view_id: dialog.firstElementChild.dataset.viewId });
}

/** By block id for inputs, by action id for fields that stand elsewhere. */
function values() {
  const found = {};
  for (const field of dialog.querySelectorAll("[name][data-action-id]")) {
    const name = nameOf(field);
    if (field.type === "checkbox") {
      found[name] ??= [];
      if (field.checked) found[name].push(field.value);
    } else if (field.type === "radio") {
      if (field.checked) found[name] = field.value;
    } else if (field.multiple) {
      found[name] = [...field.selectedOptions].map((option) => option.value).filter(Boolean);
    } else found[name] = field.value;
  }
  return found;
}

function fill(name, value) {
  for (const field of dialog.querySelectorAll("[name][data-action-id]")) {
    if (nameOf(field) !== name) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = [value].flat().includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
  }
}

function nameOf(field) {
  return field.closest(".sl-field-row") ? field.name : field.dataset.actionId;
}
