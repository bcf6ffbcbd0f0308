// What one does here goes to the server; what it says about it is shown for a moment.

const toasts = document.getElementById("toasts");

export function who() {
  return document.querySelector("#people input:checked").value;
}

/** Posts an action of the acting person; returns whether it succeeded. */
export async function act(action, body = {}) {
  let result;
  try {
    const response = await fetch(`/do/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ who: who(), ...body }),
    });
    result = await response.json();
  } catch {
    result = { words: "The sandbox does not answer.", trouble: true };
  }
  if (result.words) toast(result.words, result.trouble);
  return !result.trouble;
}

/** Disables a button for as long as its work lasts. */
export async function busy(button, work) {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    return await work();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

export function toast(words, trouble = false) {
  const shown = document.createElement("div");
  shown.className = trouble ? "toast toast--trouble" : "toast";
  shown.textContent = words;
  toasts.append(shown);
  setTimeout(() => shown.remove(), trouble ? 9000 : 5000);
}
