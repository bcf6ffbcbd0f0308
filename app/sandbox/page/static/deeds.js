// What one does here goes to the server; what it says about it is shown for a moment.

const toasts = document.getElementById("toasts");

export function who() {
  return document.querySelector("#people input:checked").value;
}

/** Posts a deed of the person who acts; gives whether it went well. */
export async function act(deed, body = {}) {
  let told;
  try {
    const response = await fetch(`/do/${deed}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ who: who(), ...body }),
    });
    told = await response.json();
  } catch {
    told = { words: "The sandbox does not answer.", trouble: true };
  }
  if (told.words) toast(told.words, told.trouble);
  return !told.trouble;
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
