// Runs side by side: only the differences, lines over each other, and params against metrics.
import { Board, CONFIG, colour, coloursOf, layout, plotly } from "./charts.js";

// ---- the table ----
const table = document.getElementById("compare-table");
const toggle = document.getElementById("only-differences");
toggle?.addEventListener("click", () => {
  const on = toggle.getAttribute("aria-pressed") !== "true";
  toggle.setAttribute("aria-pressed", String(on));
  table?.classList.toggle("only-differences", on);
});

const boardRoot = document.getElementById("board");
const runIds = (boardRoot?.dataset.runs ?? [...document.querySelectorAll("[data-swatch]")].map((one) => one.dataset.swatch).join(",")).split(",").filter(Boolean);
const colours = coloursOf(runIds);
for (const swatch of document.querySelectorAll("[data-swatch]")) swatch.style.setProperty("--swatch", `var(${colours.get(swatch.dataset.swatch)})`);
if (boardRoot) new Board(boardRoot, { query: { runs: runIds.join(",") }, runs: runIds });

// ---- params against metrics ----
const relations = document.getElementById("relations");
const numbers = JSON.parse(document.getElementById("compare-numbers")?.textContent ?? "null");
const SCALE = () => [[0, colour("--line-7")], [0.5, colour("--line-6")], [1, colour("--line-2")]];
const known = (values) => values.some((value) => value !== null);
const differs = (values) => new Set(values.filter((value) => value !== null)).size > 1;

const columns = new Map();
if (numbers) {
  for (const [key, values] of Object.entries(numbers.params)) if (known(values)) columns.set(`p:${key}`, { key, values, isParam: true });
  for (const [key, values] of Object.entries(numbers.metrics)) if (known(values)) columns.set(`m:${key}`, { key, values, isParam: false });
}
const isNumeric = (column) => column.values.every((value) => value === null || typeof value === "number");

let kind = "parallel";
let started = false;

function fill(select, ids, chosen) {
  select.replaceChildren(...ids.map((id) => Object.assign(document.createElement("option"), { value: id, textContent: columns.get(id).key, selected: id === chosen })));
}

function setUp() {
  const ids = [...columns.keys()];
  const params = ids.filter((id) => columns.get(id).isParam && differs(columns.get(id).values));
  const metrics = ids.filter((id) => !columns.get(id).isParam);
  const numeric = ids.filter((id) => isNumeric(columns.get(id)));
  fill(document.getElementById("pick-x"), ids, params[0] ?? metrics[0]);
  fill(document.getElementById("pick-z"), numeric, params.filter((id) => numeric.includes(id))[1] ?? metrics[1] ?? metrics[0]);
  fill(document.getElementById("pick-y"), metrics, metrics[0]);
  const narrow = relations.clientWidth < 640;
  const chosen = new Set([...params.slice(0, narrow ? 2 : 5), ...metrics.filter((id) => differs(columns.get(id).values)).slice(0, narrow ? 1 : 3)]);
  document.getElementById("pick-axes").replaceChildren(...ids.slice(0, 60).map((id) => {
    const label = Object.assign(document.createElement("label"), { className: "chip" });
    const box = Object.assign(document.createElement("input"), { type: "checkbox", value: id, checked: chosen.has(id) });
    label.append(box, columns.get(id).key);
    return label;
  }));
  relations.addEventListener("change", draw);
  relations.addEventListener("click", (event) => {
    const button = event.target.closest("[data-kind]");
    if (!button) return;
    kind = button.dataset.kind;
    for (const one of relations.querySelectorAll("[data-kind]")) one.setAttribute("aria-pressed", String(one === button));
    for (const one of relations.querySelectorAll("[data-for]")) one.hidden = !one.dataset.for.split(" ").includes(kind);
    draw();
  });
  document.addEventListener("slipway:theme", draw);
  started = true;
}

const picked = (id) => columns.get(document.getElementById(id).value);
const dots = (more) => ({ size: 10, color: runIds.map((id) => colour(colours.get(id))), ...more });

// Each run is a line across axes of its own scale, drawn as plain lines: it needs no WebGL and no eval.
function parallel() {
  const axes = [...document.querySelectorAll("#pick-axes input:checked")].map((box) => columns.get(box.value));
  if (axes.length < 2) return null;
  const scales = axes.map(scaleOf);
  const x = axes.map((_, place) => place);
  const data = runIds.map((id, run) => ({
    type: "scatter", mode: "lines+markers", name: numbers.names[run], x, y: scales.map((scale) => scale.at(run)),
    line: { color: colour(colours.get(id)), width: 2, shape: "spline", smoothing: 0.6 }, marker: { size: 6 }, connectgaps: false,
    customdata: axes.map((axis) => [axis.key, axis.values[run] ?? "-"]), hovertemplate: "%{customdata[0]}: %{customdata[1]}<extra>%{fullData.name}</extra>",
  }));
  const shape = layout({ legend: runIds.length <= 20 });
  const ink = colour("--line-strong");
  shape.margin = { l: 30, r: 30, t: 52, b: 44 };
  shape.hovermode = "closest";
  shape.xaxis = { ...shape.xaxis, visible: false, range: [-0.3, axes.length - 0.7] };
  shape.yaxis = { ...shape.yaxis, visible: false, range: [-0.06, 1.06] };
  shape.shapes = x.map((place) => ({ type: "line", x0: place, x1: place, y0: 0, y1: 1, line: { color: ink, width: 1 } }));
  const note = (place, y, text, more) => ({ x: place, y, text, showarrow: false, bgcolor: colour("--surface"), font: { size: 11, color: colour("--ink-3") }, ...more });
  shape.annotations = axes.flatMap((axis, place) => [
    note(place, 1.05, `<b>${escapeText(clip(axis.key, relations.clientWidth / axes.length > 150 ? 24 : 14))}</b>`, { yanchor: "bottom", font: { size: 12, color: colour("--ink") }, yshift: 8 }),
    ...scales[place].ticks.map(([y, text]) => note(place, y, escapeText(clip(text, 14)), { xanchor: "left", xshift: 5 })),
  ]);
  return { data, shape };
}

function scaleOf(axis) {
  const values = axis.values;
  if (isNumeric(axis)) {
    const finite = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const at = (value) => (value === null ? null : high === low ? 0.5 : (value - low) / (high - low));
    const show = (value) => String(Number(value.toPrecision(4)));
    return { at: (run) => at(values[run]), ticks: high === low ? [[0.5, show(low)]] : [[0, show(low)], [0.5, show((low + high) / 2)], [1, show(high)]] };
  }
  const names = [...new Set(values.filter((value) => value !== null).map(String))].sort();
  const at = (value) => (value === null ? null : names.length === 1 ? 0.5 : names.indexOf(String(value)) / (names.length - 1));
  return { at: (run) => at(values[run]), ticks: names.length <= 12 ? names.map((name) => [at(name), name]) : [] };
}

const clip = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const escapeText = (text) => text.replace(/[&<>]/g, (mark) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[mark]);

function scatter() {
  const [x, y] = [picked("pick-x"), picked("pick-y")];
  if (!x || !y) return null;
  const data = [{ type: "scatter", mode: "markers", x: x.values, y: y.values, text: numbers.names, marker: dots(), hovertemplate: "%{text}<br>%{x}, %{y:.5g}<extra></extra>" }];
  const shape = layout({ title: x.key, yTitle: y.key });
  shape.hovermode = "closest";
  if (!isNumeric(x)) shape.xaxis.type = "category";
  return { data, shape };
}

function box() {
  const [x, y] = [picked("pick-x"), picked("pick-y")];
  if (!x || !y) return null;
  const ink = colour("--line-1");
  const data = [{ type: "box", x: x.values.map((value) => String(value ?? "-")), y: y.values, text: numbers.names, boxpoints: "all", jitter: 0.4, pointpos: 0, line: { color: ink, width: 1.5 }, marker: { color: ink, size: 6 }, name: y.key }];
  const shape = layout({ title: x.key, yTitle: y.key });
  shape.xaxis.type = "category";
  shape.hovermode = "closest";
  return { data, shape };
}

function contour() {
  const [x, z, y] = [picked("pick-x"), picked("pick-z"), picked("pick-y")];
  if (!x || !z || !y || !isNumeric(x) || !isNumeric(z)) return null;
  const rows = runIds.map((_, run) => [x.values[run], z.values[run], y.values[run], numbers.names[run]]).filter((row) => !row.slice(0, 3).includes(null));
  if (rows.length < 2) return null;
  const [xs, zs, ys, names] = [0, 1, 2, 3].map((place) => rows.map((row) => row[place]));
  const data = [
    { type: "contour", x: xs, y: zs, z: ys, colorscale: SCALE(), connectgaps: true, opacity: 0.75, colorbar: { title: { text: y.key }, thickness: 12, tickfont: { color: colour("--ink-3") } }, hoverinfo: "skip" },
    { type: "scatter", mode: "markers", x: xs, y: zs, text: names, customdata: ys, marker: { size: 9, color: colour("--ink"), line: { width: 1, color: colour("--surface") } }, hovertemplate: `%{text}<br>%{x}, %{y}: %{customdata:.5g}<extra></extra>` },
  ];
  const shape = layout({ title: x.key, yTitle: z.key });
  shape.hovermode = "closest";
  return { data, shape };
}

async function draw() {
  const Plotly = await plotly(relations.dataset.plotly);
  const plot = document.getElementById("relation-plot");
  const made = { parallel, scatter, box, contour }[kind]();
  if (!made) {
    Plotly.purge(plot);
    plot.replaceChildren(Object.assign(document.createElement("div"), { className: "chart-note", textContent: plot.dataset.empty }));
    return;
  }
  plot.querySelector(".chart-note")?.remove();
  await Plotly.react(plot, made.data, made.shape, CONFIG);
}

if (relations && columns.size) {
  new IntersectionObserver((entries, observer) => {
    if (!entries.some((entry) => entry.isIntersecting) || started) return;
    observer.disconnect();
    setUp();
    draw();
  }, { rootMargin: "200px 0px" }).observe(relations);
}
