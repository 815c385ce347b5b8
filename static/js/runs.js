// The table of runs: clean addresses, folding, columns, and rows that follow what is logged.
import { announce, checkServer } from "./base.js";
import { updateAll } from "./selection.js";

// ---- empty fields stay out of the address ----
document.addEventListener("formdata", (event) => {
  if (!event.target.hasAttribute?.("data-drops-empty")) return;
  for (const name of [...new Set(event.formData.keys())]) {
    const kept = event.formData.getAll(name).filter((value) => value !== "");
    event.formData.delete(name);
    for (const value of kept) event.formData.append(name, value);
  }
});

// ---- nested runs ----
document.addEventListener("click", (event) => {
  const twist = event.target.closest?.("[data-unfold]");
  if (!twist) return;
  const row = twist.closest("tr");
  const open = twist.getAttribute("aria-expanded") !== "true";
  twist.setAttribute("aria-expanded", String(open));
  if (!open) for (const nested of below(row)) nested.remove();
  else twist.dispatchEvent(new CustomEvent("unfold"));
  updateAll();
});

function below(row) {
  const nested = [];
  const depth = Number(row.dataset.depth);
  for (let next = row.nextElementSibling; next && Number(next.dataset.depth) > depth; next = next.nextElementSibling) nested.push(next);
  return nested;
}

// ---- columns: find one in the menu ----
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filters-list]")) return;
  const wanted = event.target.value.toLowerCase();
  for (const item of event.target.closest("#columns").querySelectorAll(".check-item")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
});

// ---- live rows ----
const QUIET_MS = 700;
const changed = new Set();
let timer = 0;

function noticed(runIds) {
  for (const id of runIds) changed.add(id);
  timer ||= setTimeout(refresh, QUIET_MS);
}

async function refresh() {
  const table = document.querySelector("form[data-rows]");
  const ids = [...changed];
  changed.clear();
  timer = 0;
  if (!table || document.hidden) { for (const id of ids) changed.add(id); return; }
  const known = ids.filter((id) => document.getElementById(`run-${id}`));
  if (known.length < ids.length) showThereAreNew();
  if (!known.length) return;
  const state = new URL(table.dataset.rows, location.href);
  for (const id of known.slice(0, 100)) state.searchParams.append("run", id);
  const answer = await fetch(state, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (answer?.ok) replaceRows(await answer.text());
}

function replaceRows(text) {
  const holder = document.createElement("template");
  holder.innerHTML = text;
  for (const fresh of holder.content.querySelectorAll("tr[id]")) {
    const old = document.getElementById(fresh.id);
    if (!old) continue;
    // Cell by cell, so that focus, the pick and an unfolded parent stay.
    for (const [place, cell] of [...fresh.children].entries()) {
      const shown = old.children[place];
      if (shown && place > 1 && shown.innerHTML !== cell.innerHTML) shown.innerHTML = cell.innerHTML;
    }
    old.toggleAttribute("data-running", fresh.hasAttribute("data-running"));
  }
  announce("");
}

function showThereAreNew() {
  const chip = document.querySelector("[data-new-runs]");
  if (chip) chip.hidden = false;
  else if (document.querySelector("[data-reloads]")) location.reload();
}

document.addEventListener("click", (event) => {
  if (event.target.closest?.("[data-new-runs]")) location.reload();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && changed.size) refresh();
});

let leaving = false;
addEventListener("pagehide", () => { leaving = true; });

function listen(path, delay = 1000) {
  const socket = new WebSocket(location.origin.replace(/^http/, "ws") + path);
  socket.addEventListener("open", () => { delay = 1000; });
  socket.addEventListener("message", (event) => {
    const news = JSON.parse(event.data);
    if (news.gone) location.reload();
    if (news.runs) noticed(news.runs);
  });
  socket.addEventListener("close", (event) => {
    if (event.code === 4403 || leaving) return;
    checkServer();
    setTimeout(() => listen(path, Math.min(delay * 2, 60_000)), delay);
  });
}

const live = document.querySelector("[data-live]");
if (live) listen(live.dataset.live);
