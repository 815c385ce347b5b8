// A deployment's page: what changes is fetched anew when it is heard of, charts of its traffic, and the form that calls it.

import { Live } from "./live.js";
import { CONFIG, colour, coloursOf, layout, plotly } from "./charts.js";

// ---- what changes by itself ----
const mark = document.getElementById("live");
let now = document.getElementById("now")?.dataset.now ?? null;
if (mark) {
  new Live(mark, (news) => {
    if (!news.now || news.now === now) { now ??= news.now; return; }
    now = news.now;
    document.dispatchEvent(new CustomEvent("slipway:deployment"));
  });
}

// ---- charts ----
const CHART_EVERY = 10_000;
const traffic = document.getElementById("traffic");

// A value without neighbours makes no line: it is a dot.
function lineOf(name, x, y, hue, more = {}) {
  const alone = y.map((value, at) => (value !== null && (y[at - 1] ?? null) === null && (y[at + 1] ?? null) === null ? 6 : 0));
  return { x, y, name, mode: "lines+markers", line: { color: hue, width: 1.75, ...more }, marker: { color: hue, size: alone, symbol: more.dash ? "circle-open" : "circle" }, connectgaps: false, hovertemplate: "%{y}" };
}

// Above the charts and for all of them, since it would lie over the lines of one.
function nameColours(series, hues) {
  const items = series.revisions.length < 2 ? [] : series.revisions.map((one) => {
    const item = document.createElement("li");
    const stroke = Object.assign(document.createElement("span"), { className: "stroke" });
    stroke.style.color = `var(${hues.get(`revision ${one.number}`)})`;
    item.append(stroke, traffic.dataset.revision.replace("%n", one.number));
    return item;
  });
  traffic.querySelector("[data-legend]").replaceChildren(...items);
}

// The last point goes on: what came so far is of the time so far.
function aSecond(series, count, at) {
  if (at < series.times.length - 1) return count / series.seconds;
  const seconds = Math.min(series.seconds, (Date.now() - series.times[at]) / 1000);
  return count && seconds > 5 ? count / seconds : null;
}

function lines(series) {
  const times = series.times.map((ms) => new Date(ms));
  const hues = coloursOf(series.revisions.map((one) => `revision ${one.number}`));
  nameColours(series, hues);
  const rate = [], latency = [], errors = [];
  for (const one of series.revisions) {
    const name = traffic.dataset.revision.replace("%n", one.number);
    const hue = colour(hues.get(`revision ${one.number}`));
    rate.push(lineOf(name, times, one.requests.map((count, at) => aSecond(series, count, at)), hue));
    latency.push(lineOf(`${name} p50`, times, one.p50, hue), lineOf(`${name} p95`, times, one.p95, hue, { dash: "dot" }));
    errors.push(lineOf(name, times, one.requests.map((count, at) => (count ? (100 * one.errors[at]) / count : null)), hue));
  }
  return { rate, latency, errors };
}

async function draw(series) {
  const none = traffic.querySelector("[data-none]");
  none.hidden = series.revisions.length > 0;
  traffic.querySelector(".traffic-charts").hidden = series.revisions.length === 0;
  if (!series.revisions.length) return;
  let Plotly;
  try {
    Plotly = await plotly(traffic.dataset.plotly);
  } catch {
    none.hidden = false;
    none.textContent = traffic.dataset.failed;
    return;
  }
  const drawn = lines(series);
  const span = [new Date(series.times[0]), new Date(series.times.at(-1) + series.seconds * 1000)];
  for (const place of traffic.querySelectorAll("[data-plot]")) {
    const shape = layout({ time: true });
    shape.xaxis.range = span;
    shape.yaxis.rangemode = "tozero";
    shape.yaxis.exponentformat = "none";
    shape.uirevision = series.span;
    Plotly.react(place, drawn[place.dataset.plot], shape, { ...CONFIG, displayModeBar: false });
  }
}

if (traffic) {
  let series = JSON.parse(document.getElementById("traffic-series").textContent);
  let asked = 0;
  const fetchSeries = async (span) => {
    const mine = ++asked;
    try {
      const answer = await fetch(`${traffic.dataset.url}?span=${span}`, { headers: { Accept: "application/json" }, redirect: "error" });
      if (!answer.ok || mine !== asked) return;
      series = await answer.json();
      draw(series);
    } catch { /* the mark beside the name says that the server is away */ }
  };
  draw(series);
  traffic.addEventListener("click", (event) => {
    const button = event.target.closest("[data-span]");
    if (!button) return;
    for (const one of traffic.querySelectorAll("[data-span]")) one.setAttribute("aria-pressed", String(one === button));
    fetchSeries(button.dataset.span);
  });
  setInterval(() => { if (!document.hidden) fetchSeries(series.span); }, CHART_EVERY);
  document.addEventListener("slipway:theme", () => draw(series));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(series));
}

// ---- the form that calls it ----
const MOST_SHOWN = 200_000;
const playground = document.getElementById("playground");

function pretty(text) {
  try {
    const value = JSON.parse(text);
    const flat = JSON.stringify(value);
    return flat.length <= 100 ? flat : JSON.stringify(value, null, 1).replace(/\[\s+([^\[\]{}]*?)\s+\]/g, (_, inner) => `[${inner.replace(/\s*\n\s*/g, " ")}]`);
  } catch {
    return text;
  }
}

async function send(event) {
  event.preventDefault();
  const words = playground.dataset;
  const body = playground.querySelector("#body");
  const answerBox = playground.querySelector(".playground-answer");
  const status = playground.querySelector("[data-status]");
  const time = playground.querySelector("[data-time]");
  const served = playground.querySelector("[data-revision-served]");
  const show = (label, tone, text) => {
    answerBox.hidden = false;
    status.textContent = label;
    status.className = `pill pill-${tone}`;
    playground.querySelector("#answer").textContent = text;
  };
  time.textContent = served.textContent = "";
  status.textContent = words.sending;
  status.className = "pill";
  try {
    JSON.parse(body.value);
    body.removeAttribute("aria-invalid");
  } catch (error) {
    body.setAttribute("aria-invalid", "true");
    show("JSON", "bad", words.broken.replace("%s", error.message));
    return;
  }
  const button = playground.querySelector("button");
  button.disabled = true;
  const begun = performance.now();
  try {
    const token = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];
    const answer = await fetch(words.url, { method: "POST", body: body.value, headers: { "Content-Type": "application/json", "X-CSRFToken": token }, redirect: "error" });
    const text = await answer.text();
    time.textContent = words.took.replace("%s", Math.round(performance.now() - begun));
    const revision = answer.headers.get("X-Slipway-Revision");
    if (revision && traffic) served.textContent = traffic.dataset.revision.replace("%n", revision);
    const cut = text.length > MOST_SHOWN;
    show(String(answer.status), answer.ok ? "ok" : "bad", pretty(cut ? text.slice(0, MOST_SHOWN) : text) + (cut ? `\n${words.cut}` : ""));
  } catch {
    show("-", "bad", words.away);
  } finally {
    button.disabled = false;
    button.focus();
  }
}

playground?.addEventListener("submit", send);
playground?.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) playground.requestSubmit();
});
