// Pages of projects: rows of pairs, rows of runs that are picked, and the metrics of a run, live.
import "./pairs.js";
import "./selection.js";
import { Live } from "./live.js";
import { Board } from "./charts.js";

// ---- the table of runs comes anew every few seconds: what is picked stays so ----
let picked = new Set();
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.target.id !== "run-table") return;
  picked = new Set([...event.target.querySelectorAll("input.pick:checked")].map((pick) => pick.value));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id !== "run-table") return;
  for (const pick of event.target.querySelectorAll("input.pick")) pick.checked = picked.has(pick.value);
});

// ---- how long a run has run goes on while it is looked at ----
if (document.getElementById("run-facts")) {
  setInterval(() => {
    for (const place of document.querySelectorAll("#run-facts [data-running-since]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Number(place.dataset.runningSince)) / 1000));
      const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
      place.textContent = h ? `${h} h ${m} min` : m ? `${m} min ${s} s` : `${s} s`;
    }
  }, 1000);
}

// ---- metrics of a run ----
let live = null;
let board = null;
let last = "{}";
let due = null;

function begin() {
  const root = document.getElementById("board");
  board = root ? new Board(root) : null;
  last = "{}";
  if (!board) return;
  board.onWatch = (ends) => {
    const text = JSON.stringify(ends);
    if (text === last) return;
    last = text;
    live?.say({ watch: ends });
  };
  board.watch();
}

function hear(news) {
  const keys = Object.keys(news.metrics ?? {});
  // A chart for what is new comes from the server, with all others.
  const shown = document.querySelectorAll("#board [data-key]").length;
  if (shown < 12 && keys.some((key) => !board?.figure(key))) {
    due ??= setTimeout(() => { due = null; window.htmx.trigger("#run-metrics", "refresh"); }, 300);
    return;
  }
  const known = (entries) => Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => board?.figure(key)));
  board?.hear({ ...news, metrics: known(news.metrics), lines: known(news.lines) });
}

const panel = document.getElementById("run-metrics");
if (panel) {
  begin();
  const mark = document.getElementById("live");
  if (!mark.hidden) {
    live = new Live(mark, hear);
    live.onOpen = () => { last = "{}"; board?.watch(); };
    document.addEventListener("htmx:afterSwap", (event) => {
      if (event.target.id !== "run-metrics" && !document.getElementById("run-metrics")?.contains(event.target)) return;
      if (board?.root.isConnected) return;
      live.element = document.getElementById("live");
      live.show("on");
      begin();
    });
  }
}
