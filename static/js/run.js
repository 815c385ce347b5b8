// A run's page: what comes live goes into tables, panels and charts; tables can be filtered.
import { Live } from "./live.js";
import { Board, short } from "./charts.js";

const mark = document.getElementById("live");
const boardRoot = document.getElementById("board");
const board = boardRoot ? new Board(boardRoot) : null;

// ---- filters of tables ----
function applyFilter(field) {
  const wanted = field.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(`#${field.dataset.filter} > tr`)) row.hidden = !row.dataset.key.toLowerCase().includes(wanted);
}
const typed = new Map();
document.addEventListener("input", (event) => {
  if (!event.target.dataset?.filter) return;
  typed.set(event.target.dataset.filter, event.target.value);
  applyFilter(event.target);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const field of document.querySelectorAll("[data-filter]")) {
    field.value = typed.get(field.dataset.filter) ?? field.value;
    if (field.value) applyFilter(field);
  }
});

// ---- live ----
const due = new Set();
let timer = null;
function refresh(name) {
  const panel = document.getElementById(`panel-${name}`);
  if (!panel) return;
  due.add(name);
  timer ??= setTimeout(() => {
    timer = null;
    for (const one of due) window.htmx.trigger(`#panel-${one}`, "refresh");
    due.clear();
  }, 700);
}

// The status comes along with the facts; tabs that don't show these take it alone.
function refreshStatus() {
  if (document.getElementById("panel-facts")) refresh("facts");
  else window.htmx.ajax("GET", mark.dataset.facts, { source: mark, target: mark, swap: "none" });
}

function showLatest(metrics) {
  const rows = document.getElementById("metric-rows");
  for (const [key, head] of Object.entries(metrics)) {
    const row = rows?.querySelector(`tr[data-key="${CSS.escape(key)}"]`);
    if (!row) { refresh("metrics"); continue; }
    const values = { last: short(head.last), min: head.min === null ? "-" : short(head.min), max: head.max === null ? "-" : short(head.max), step: head.last_step.toLocaleString("en") };
    for (const [name, text] of Object.entries(values)) {
      const cell = row.querySelector(`[data-${name}]`);
      if (cell.textContent.trim() === text) continue;
      cell.textContent = text;
      cell.classList.remove("flash");
      void cell.offsetWidth;
      cell.classList.add("flash");
    }
  }
}

function hear(news) {
  if (news.run) {
    mark.hidden = news.run.status !== "RUNNING";
    const name = document.getElementById("run-name");
    if (news.run.name && name.textContent !== news.run.name) name.textContent = news.run.name;
    if (news.run.status !== document.getElementById("run-status").dataset.status) refreshStatus();
  }
  if (news.metrics) showLatest(news.metrics);
  for (const part of news.changed ?? []) refresh(part);
  board?.hear(news);
  // The first metric of all: the page has no board yet to put its line on.
  if (news.metrics && document.getElementById("panel-charts") && Object.keys(news.metrics).length) location.reload();
}

if (mark) {
  mark.hidden = mark.dataset.running !== "RUNNING";
  const live = new Live(mark, hear);
  if (board) {
    let last = "{}";
    const say = (ends) => {
      const text = JSON.stringify(ends);
      if (text === last) return;
      last = text;
      live.say({ watch: ends });
    };
    board.onWatch = say;
    live.onOpen = () => { last = "{}"; board.watch(); };
  }
}

// ---- a running run's duration goes on ----
const duration = document.getElementById("run-duration");
if (duration && !duration.dataset.end && duration.dataset.start && mark?.dataset.running === "RUNNING") {
  setInterval(() => {
    const place = document.getElementById("run-duration");
    if (!place || place.dataset.end) return;
    const seconds = Math.max(0, Math.round((Date.now() - Number(place.dataset.start)) / 1000));
    const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
    place.textContent = h ? `${h} h ${m} min` : m ? `${m} min ${s} s` : `${s} s`;
  }, 1000);
}
