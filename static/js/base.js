// What every page has: menus, dialogs, toasts, copying, relative times, the theme, and keys.

const html = document.documentElement;

// ---- theme ----
function chooseTheme(theme) {
  if (theme === "system") {
    localStorage.removeItem("slipway.theme");
    delete html.dataset.theme;
  } else {
    localStorage.setItem("slipway.theme", theme);
    html.dataset.theme = theme;
  }
  showTheme();
  document.dispatchEvent(new CustomEvent("slipway:theme"));
}

function showTheme() {
  const current = html.dataset.theme ?? "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
  }
}

// ---- tabs: the page's own is seen where there are more than fit ----
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const row = tab.closest(".tabs");
  row.scrollLeft = tab.offsetLeft + tab.offsetWidth / 2 - row.clientWidth / 2;
}

// ---- toasts: from Django's messages, from the header HX-Trigger {"toast": {text, level}}, or from a page's script ----
export function toast(text, level = "info") {
  const shown = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  shown.classList.add(`toast-${level}`);
  shown.querySelector("p").textContent = text;
  document.getElementById("toasts").append(shown);
  retire(shown);
}

function retire(shown) {
  if (shown.classList.contains("toast-error")) return; // errors stay until they are closed
  setTimeout(() => shown.matches(":hover, :focus-within") ? retire(shown) : shown.remove(), 6000);
}

// ---- is the server there? A page that stays open says when it is not, and when it is back ----
let asking = false;

export async function checkServer() {
  if (asking) return;
  asking = true;
  const note = document.getElementById("server-away");
  for (let wait = 1_000; !(await isThere()); wait = Math.min(wait * 2, 15_000)) {
    note.hidden = false;
    if (!note.textContent) note.textContent = document.body.dataset.offline;
    await new Promise((resolve) => { setTimeout(resolve, wait); });
  }
  if (!note.hidden) toast(document.body.dataset.back, "success");
  note.hidden = true;
  note.textContent = "";
  asking = false;
}

async function isThere() {
  try {
    return (await fetch("/version", { cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(10_000) })).status < 500;
  } catch {
    return false;
  }
}

// ---- copying ----
async function copy(button) {
  const source = button.dataset.copyFrom ? document.getElementById(button.dataset.copyFrom) : null;
  const text = source ? (source.value ?? source.textContent) : button.dataset.copy;
  if (!(await toClipboard(text))) return;
  button.classList.add("is-done");
  const label = button.querySelector(".copy-label");
  const before = label?.textContent;
  if (label) label.textContent = button.dataset.done;
  announce(button.dataset.done);
  setTimeout(() => {
    button.classList.remove("is-done");
    if (label) label.textContent = before;
  }, 1500);
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Off https the clipboard is closed to scripts; a selected field still copies.
    const field = Object.assign(document.createElement("textarea"), { value: text });
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}

export function announce(text) {
  document.getElementById("announcer").textContent = text ?? "";
}

// ---- relative times: the server writes them, the page keeps them true and adds the local time ----
const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [30.44, "day"], [12, "month"], [Infinity, "year"]];
const relative = new Intl.RelativeTimeFormat(html.lang, { numeric: "auto", style: "short" });

function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time.when")) {
    const at = new Date(element.dateTime);
    let amount = (at - Date.now()) / 1000;
    if (Math.abs(amount) < 45) { element.textContent = element.dataset.now; continue; }
    for (const [size, unit] of STEPS) {
      if (Math.abs(amount) < size) { element.textContent = relative.format(Math.round(amount), unit); break; }
      amount /= size;
    }
    element.title = at.toLocaleString(html.lang, { dateStyle: "medium", timeStyle: "medium" });
  }
}

// ---- menus and dialogs ----
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

function openDialog(dialog, opener) {
  closeMenus();
  if (!dialog.open) dialog.showModal();
  dialog.addEventListener("close", () => opener?.focus?.(), { once: true });
}

document.addEventListener("click", (event) => {
  const target = event.target;
  closeMenus(target);
  const button = target.closest("button, a, [data-opens]");
  if (target instanceof HTMLDialogElement) target.close();
  if (!button) return;
  if (button.dataset.unfolds) unfold(button);
  if (button.dataset.opens) openDialog(document.getElementById(button.dataset.opens), button);
  if (button.hasAttribute("data-closes")) button.closest("dialog")?.close();
  if (button.hasAttribute("data-dismiss")) button.closest(".toast, .notice")?.remove();
  if (button.matches(".copy")) copy(button);
  if (button.dataset.themeChoice) chooseTheme(button.dataset.themeChoice);
  if (button.matches(".menu-item") && !button.hasAttribute("data-stay")) {
    const menu = button.closest("details.menu");
    if (menu) menu.open = false;
  }
});

function unfold(button) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  document.getElementById(button.dataset.unfolds).hidden = !open;
  letScroll();
}

document.addEventListener("change", (event) => {
  if (event.target.hasAttribute("data-submits")) event.target.form.requestSubmit();
});

document.addEventListener("toggle", (event) => {
  const panel = event.target.matches?.("details.menu[open]") && event.target.querySelector(".menu-panel");
  if (panel) keepInside(panel);
}, true);

function keepInside(panel) {
  Object.assign(panel.style, { translate: "", maxHeight: "", position: "", top: "", right: "" });
  // A table's frame would cut it off: there it lies over the page, until that scrolls.
  if (panel.closest(".table-frame")) {
    const button = panel.parentElement.getBoundingClientRect();
    const above = button.bottom + panel.offsetHeight + 8 > html.clientHeight && button.top > panel.offsetHeight;
    const top = above ? button.top - panel.offsetHeight - 4 : button.bottom + 4;
    Object.assign(panel.style, { position: "fixed", top: `${top}px`, right: `${html.clientWidth - button.right}px` });
    addEventListener("scroll", () => closeMenus(), { capture: true, once: true });
  }
  const box = panel.getBoundingClientRect();
  const room = html.clientWidth - 8;
  if (box.right > room) panel.style.translate = `${room - box.right}px`;
  else if (box.left < 8) panel.style.translate = `${8 - box.left}px`;
  const below = html.clientHeight - box.top - 8;
  if (below > 160) panel.style.maxHeight = `${Math.min(below, 560)}px`;
}

// What scrolls can be scrolled by keyboard.
function letScroll() {
  for (const box of document.querySelectorAll(".table-frame, .code pre, .file-view pre, .prose pre")) {
    const scrolls = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    if (scrolls && !box.hasAttribute("tabindex")) box.tabIndex = 0;
    else if (!scrolls && !box.hasAttribute("role")) box.removeAttribute("tabindex");
  }
}

// ---- htmx ----
document.addEventListener("htmx:afterSwap", (event) => {
  refreshTimes();
  letScroll();
  // What came may have made an open menu wider.
  const panel = event.detail.target?.closest(".menu-panel");
  if (panel) requestAnimationFrame(() => keepInside(panel));
  // A fragment put into the shared dialog opens it.
  if (event.detail.target?.id === "dialog" && event.detail.target.childElementCount) {
    openDialog(event.detail.target, event.detail.requestConfig?.elt);
    event.detail.target.querySelector("[autofocus], input:not([type=hidden]), textarea, select")?.focus();
  }
});
document.addEventListener("htmx:beforeSwap", (event) => {
  // A form that was refused comes back as 4xx with its errors: show it in place.
  if (event.detail.xhr.status === 422) { event.detail.shouldSwap = true; event.detail.isError = false; }
});
// What comes anew by itself takes nothing from who is at it: not an open dialog or menu, and not the focus.
let held = "";
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!detail.requestConfig?.elt.hasAttribute("data-quiet")) return;
  if (detail.target.querySelector("dialog[open], details.menu[open]")) detail.shouldSwap = false;
  held = nameOf(document.activeElement);
});
document.addEventListener("htmx:afterSwap", () => {
  if (held && document.activeElement === document.body) {
    const same = [...document.querySelectorAll("a, button, input, select, summary")].find((one) => nameOf(one) === held);
    same?.focus({ preventScroll: true });
  }
  held = "";
});

// What tells a link or control from the others where it has no id: what it leads to or sends, and the part it is in.
function nameOf(element) {
  if (!element || element === document.body) return "";
  const { localName, name, type, value, form, dataset } = element;
  const sent = type === "checkbox" ? value : "";
  const to = element.getAttribute("href") ?? form?.getAttribute("action");
  return [localName, name, sent, to, dataset.opens, element.closest("[id]")?.id].join("\n");
}

document.addEventListener("htmx:beforeRequest", (event) => html.classList.toggle("is-loading", !event.detail.elt.hasAttribute("data-quiet")));
document.addEventListener("htmx:afterRequest", () => html.classList.remove("is-loading"));
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.elt.hasAttribute("data-quiet")) return;
  const status = event.detail.xhr.status;
  if (status === 401) { location.reload(); return; }
  toast(document.body.dataset[status === 403 ? "denied" : status === 404 ? "gone" : "failed"], "error");
});
document.addEventListener("htmx:sendError", checkServer);
document.addEventListener("toast", (event) => toast(event.detail.text ?? event.detail.value, event.detail.level));

// ---- keys ----
const typing = (element) => element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]");
let pending = "";

function rows() {
  return [...document.querySelectorAll("table[data-keys] tbody tr")].filter((row) => row.offsetParent !== null);
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("is-current"));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))] ?? all[0];
  all[at]?.classList.remove("is-current");
  next.classList.add("is-current");
  (next.querySelector("a.main, a") ?? next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function focusSearch() {
  const fields = [...document.querySelectorAll("[data-search]"), ...document.querySelectorAll(".bar-search input")];
  const field = fields.find((one) => one.offsetParent !== null);
  field?.focus();
  field?.select();
}

const KEYS = {
  "/": () => focusSearch(),
  "?": () => openDialog(document.getElementById("shortcuts"), document.activeElement),
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: () => document.querySelector("tr.is-current input.pick")?.click(),
};

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.activeElement?.closest("details.menu[open]");
    closeMenus();
    menu?.querySelector("summary")?.focus();
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (pending === "g") {
    pending = "";
    const link = document.querySelector(`[data-goes="${CSS.escape(event.key)}"]`);
    if (link) { event.preventDefault(); location.assign(link.href); }
    return;
  }
  if (event.key === "g") {
    pending = "g";
    setTimeout(() => { pending = ""; }, 1200);
    return;
  }
  if (event.key === "Enter" && event.target === document.body) document.querySelector("tr.is-current a.main")?.click();
  // A page may have a key of its own for a button: it is focused, and Enter presses it.
  const own = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const act = KEYS[event.key] ?? (own && (() => own.focus()));
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("focusout", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
});

showTheme();
refreshTimes();
letScroll();
// Where the list of sub-pages lies across, the page that it is may be out of sight.
for (const here of document.querySelectorAll(".side-nav [aria-current]")) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 48;
addEventListener("resize", letScroll);
setInterval(refreshTimes, 30_000);
for (const shown of document.querySelectorAll(".toast")) retire(shown);
