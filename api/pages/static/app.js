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
const mend = (root) => {
  const found = root.querySelector("[data-focus]");
  found?.focus();
  return found;
};
document.addEventListener("DOMContentLoaded", () => mend(document));
document.addEventListener("click", (event) => {
  const link = event.target.closest(".ds-error-summary a[href^='#']");
  const field = link && document.getElementById(link.hash.slice(1));
  if (!field) return;
  event.preventDefault();
  (field.matches("fieldset") ? field.querySelector("input") : field).focus();
});

// Answers that are put in place: what must be mended or was done is read first, and the focus is never lost.
let held = false; // the focus stands in what is being replaced
let written = []; // what stands in other forms there
const ticked = (one) => one.type === "radio" || one.type === "checkbox";
const changed = (one) => {
  if (ticked(one)) return one.checked !== one.defaultChecked;
  if (!one.options) return one.value !== one.defaultValue;
  return one.selectedIndex !== Math.max([...one.options].findIndex((option) => option.defaultSelected), 0);
};
const write = ({ id, value, checked }) => {
  const field = document.getElementById(id);
  if (!field || (field.options && ![...field.options].some((option) => option.value === value))) return;
  if (ticked(field)) field.checked = checked;
  else field.value = value;
  field.closest("details").open = true;
  unsent ||= changed(field);
};
const free = (event) => {
  const source = event.detail?.ctx?.sourceElement ?? event.target;
  source.closest?.("form")?.removeAttribute("aria-busy");
};
document.addEventListener("htmx:before:swap", (event) => {
  const { target, response, sourceElement } = event.detail?.ctx ?? {};
  held = target?.contains(document.activeElement) ?? false;
  const fields = target?.querySelectorAll("details[open] form[method=post] :is(input, select, textarea)[id]") ?? [];
  written = [...fields].filter((one) => one.form !== sourceElement);
  if (response?.status === 401) {
    event.preventDefault();
    unsent = true;
    free(event);
    trouble("401");
  }
});
document.addEventListener("htmx:after:swap", (event) => {
  free(event);
  const target = event.detail?.ctx?.target;
  const put = target?.isConnected ? target : target?.id && document.getElementById(target.id);
  written.forEach(write);
  if (put && put.querySelector(".done")) document.querySelector("#done")?.remove(); // said of what was done before
  const told = put && mend(put);
  if (told || !held || document.activeElement !== document.body) return;
  const place = put || document.querySelector("main");
  place.tabIndex = -1;
  place.focus();
});
for (const name of ["htmx:error", "htmx:timeout"]) {
  document.addEventListener(name, (event) => {
    unsent = true;
    free(event);
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
