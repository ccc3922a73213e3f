// What pages do besides showing what the server wrote. All of it can be done without.
"use strict";

const words = (name) => document.querySelector(`#trouble-words`)?.content.querySelector(`[data-for="${name}"]`);

function trouble(name) {
  const box = document.querySelector("#trouble");
  const said = words(name);
  if (!box || !said) return;
  box.replaceChildren(said.cloneNode(true));
  box.hidden = false;
}

// What has been written and not sent is not lost in silence.
let unsent = false;
document.addEventListener("input", (event) => {
  if (event.target.closest("form[method=post]:not([data-light])")) unsent = true;
});
document.addEventListener("submit", (event) => {
  unsent = false;
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") {
    event.preventDefault(); // it is on its way already
    return;
  }
  form.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});
window.addEventListener("beforeunload", (event) => {
  if (unsent) event.preventDefault();
});

// What must be mended is read first.
const mend = (root) => root.querySelector?.("[data-focus]")?.focus();
document.addEventListener("DOMContentLoaded", () => mend(document));
document.addEventListener("click", (event) => {
  const link = event.target.closest(".ds-error-summary a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  (field.matches("fieldset") ? field.querySelector("input") : field).focus();
});

// Answers that are put in place.
const swapped = (event) => {
  const source = event.detail?.ctx?.sourceElement ?? event.target;
  source.closest?.("form")?.removeAttribute("aria-busy");
  mend(document.querySelector("main"));
};
document.addEventListener("htmx:after:swap", swapped);
document.addEventListener("htmx:before:swap", (event) => {
  const status = event.detail?.ctx?.response?.status;
  if (status === 401) {
    event.preventDefault();
    unsent = true;
    swapped(event);
    trouble("401");
  }
});
for (const name of ["htmx:error", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    unsent = true;
    swapped(event);
    trouble("0");
  });
}

// Choosing an answer shows what belongs to it: <div data-when="kind" data-is="objection">.
function follow() {
  for (const part of document.querySelectorAll("[data-when]")) {
    const form = part.closest("form");
    const chosen = new FormData(form).getAll(part.dataset.when);
    const shown = part.dataset.is.split(" ").some((one) => chosen.includes(one));
    part.hidden = !shown;
    for (const field of part.querySelectorAll("input, select, textarea")) field.disabled = !shown;
  }
}
document.addEventListener("change", follow);
document.addEventListener("DOMContentLoaded", follow);
document.addEventListener("htmx:after:swap", follow);
