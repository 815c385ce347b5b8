// Charts of metrics. A board draws a figure for each key when it scrolls into view; lines come thinned from the server.

let loading = null;

export function plotly(source) {
  loading ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: source, onload: () => resolve(window.Plotly), onerror: reject });
    document.head.append(script);
  });
  return loading;
}

// ---- colours: from the style sheets, whatever the theme ----
const probe = document.createElement("span");
probe.hidden = true;

export function colour(name) {
  if (!probe.isConnected) document.body.append(probe);
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const COLOURS = 10;

// A run keeps its colour when others come and go: its id chooses, and only a clash moves it on.
export function coloursOf(runIds) {
  const taken = new Map();
  const chosen = new Map();
  for (const id of runIds) {
    let place = [...id].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7) % COLOURS;
    for (let tries = 0; tries < COLOURS && taken.size < COLOURS && taken.has(place); tries += 1) place = (place + 1) % COLOURS;
    taken.set(place, id);
    chosen.set(id, `--line-${place + 1}`);
  }
  return chosen;
}

// ---- numbers ----
export function short(value) {
  if (value === null || value === undefined) return "NaN";
  if (Math.abs(value) >= 1.7976931348623157e308) return value > 0 ? "∞" : "-∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  if (Math.abs(value) >= 1e5 && Math.abs(value) < 1e9) return value.toFixed(0);
  const text = value !== 0 && Math.abs(value) < 1e-4 ? value.toExponential(4) : value.toPrecision(5);
  return text.includes("e") ? text.replace(/\.?0*e\+?/, "e") : text.replace(/\.?0+$/, "");
}

// Exponential moving average, unbiased at the start; gaps stay gaps.
export function smooth(values, weight) {
  let last = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null) return null;
    last = last * weight + (1 - weight) * value;
    mass = mass * weight + (1 - weight);
    return last / mass;
  });
}

export function layout({ log = false, time = false, title = "", legend = false, big = false, yTitle = "" } = {}) {
  const line = colour("--line");
  const axis = { gridcolor: line, linecolor: line, zerolinecolor: line, tickfont: { color: colour("--ink-3"), size: 11 }, automargin: true };
  return {
    autosize: true,
    margin: { l: 44, r: 8, t: 8, b: legend || big ? 36 : 30 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, color: colour("--ink-2"), size: 12 },
    hoverlabel: { bgcolor: colour("--overlay"), bordercolor: colour("--line-strong"), font: { color: colour("--ink") }, namelength: 40 },
    hovermode: "x",
    showlegend: legend,
    legend: { orientation: "h", y: -0.18, font: { color: colour("--ink-2") } },
    xaxis: { ...axis, type: time ? "date" : "linear", title: title ? { text: title, font: { size: 11 }, standoff: 4 } : undefined },
    yaxis: { ...axis, type: log ? "log" : "linear", exponentformat: "e", title: yTitle ? { text: yTitle, font: { size: 11 } } : undefined },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: colour("--ink-3"), activecolor: colour("--accent") },
    uirevision: "keep",
  };
}

export const CONFIG = { displaylogo: false, responsive: true, displayModeBar: "hover", modeBarButtons: [["toImage", "zoom2d", "pan2d", "resetScale2d"]] };

export class Board {
  // root: carries data-lines (address), data-plotly, and words; holds figures [data-key]; options come from its .chart-tools form.
  constructor(root, { query = {}, runs = [] } = {}) {
    this.root = root;
    this.query = query;
    this.colours = coloursOf(runs);
    this.form = root.querySelector(".chart-tools");
    this.lines = new Map(); // key -> [line]
    this.waiting = new Set();
    this.visible = new Set();
    this.onWatch = () => {};
    this.observer = new IntersectionObserver((entries) => this.seen(entries), { rootMargin: "200px 0px" });
    for (const figure of root.querySelectorAll("[data-key]")) this.add(figure);
    this.form?.addEventListener("input", (event) => this.changed(event.target));
    this.form?.addEventListener("submit", (event) => event.preventDefault());
    root.addEventListener("click", (event) => {
      const button = event.target.closest("[data-expand]");
      if (button) this.expand(button.closest("[data-key]").dataset.key, button);
    });
    root.addEventListener("toggle", (event) => { if (event.target.open) this.resize(event.target); }, true);
    document.addEventListener("slipway:theme", () => this.redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    this.filter();
  }

  get options() {
    const value = (name) => this.form?.elements[name];
    return {
      axis: value("x")?.value ?? "step",
      weight: Number(value("smooth")?.value ?? 0),
      log: Boolean(value("log")?.checked),
      search: (value("q")?.value ?? "").trim().toLowerCase(),
    };
  }

  add(figure) {
    this.observer.observe(figure);
  }

  figure(key) {
    return this.root.querySelector(`[data-key="${CSS.escape(key)}"]`);
  }

  seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const key = target.dataset.key;
      if (!isIntersecting) { this.visible.delete(key); continue; }
      this.visible.add(key);
      if (this.lines.has(key)) this.draw(key); else this.want(key);
    }
    this.watch();
  }

  want(key) {
    this.waiting.add(key);
    this.timer ??= setTimeout(() => this.fetchWaiting(), 40);
  }

  async fetchWaiting() {
    this.timer = null;
    const keys = [...this.waiting].slice(0, 24);
    for (const key of keys) this.waiting.delete(key);
    if (!keys.length) return;
    if (this.waiting.size) this.timer = setTimeout(() => this.fetchWaiting(), 40);
    const query = new URLSearchParams({ ...this.query, axis: this.options.axis === "step" ? "step" : "time" });
    for (const key of keys) query.append("key", key);
    try {
      const answer = await fetch(`${this.root.dataset.lines}?${query}`, { redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const { lines } = await answer.json();
      for (const key of keys) this.lines.set(key, lines.filter((line) => line.key === key));
      await Promise.all(keys.map((key) => this.draw(key)));
      this.watch();
    } catch {
      for (const key of keys) this.note(key, this.root.dataset.failed);
    }
  }

  note(key, text) {
    const plot = this.figure(key)?.querySelector(".chart-plot");
    if (plot && !plot.classList.contains("js-plotly-plot")) plot.replaceChildren(Object.assign(document.createElement("div"), { className: "chart-note", textContent: text }));
  }

  async draw(key) {
    const figure = this.figure(key);
    const lines = this.lines.get(key);
    if (!figure || !lines || figure.offsetParent === null) return;
    this.facts(figure, lines);
    if (!lines.length) { this.note(key, this.root.dataset.none); return; }
    const Plotly = await plotly(this.root.dataset.plotly);
    const plot = figure.querySelector(".chart-plot");
    if (!plot.classList.contains("js-plotly-plot")) plot.replaceChildren();
    await Plotly.react(plot, this.traces(lines), layout(this.look(lines)), CONFIG);
  }

  look(lines, more = {}) {
    const { axis, log } = this.options;
    const axisUsed = this.axisOf(lines, axis);
    return { log, time: axisUsed === "time", title: this.root.dataset[`axis${axisUsed[0].toUpperCase()}${axisUsed.slice(1)}`], ...more };
  }

  // A script that names no steps logs them all as 0: time tells more then.
  axisOf(lines, axis) {
    const flat = lines.some((line) => line.steps.length > 1) && lines.every((line) => line.steps.every((step) => step === line.steps[0]));
    return axis === "step" && flat ? "relative" : axis;
  }

  traces(lines) {
    const { axis, weight } = this.options;
    const used = this.axisOf(lines, axis);
    const many = lines.length > 1 || this.colours.size > 1;
    return lines.flatMap((line) => {
      const ink = colour(this.colours.get(line.run_id) ?? "--line-1");
      const x = used === "step" ? line.steps : used === "time" ? line.times.map((ms) => new Date(ms).toISOString()) : line.times.map((ms) => (ms - (line.start_ms ?? line.times[0])) / 1000);
      const few = line.values.filter((value) => value !== null).length < 30;
      const name = many ? line.run_name || line.run_id.slice(0, 8) : line.key;
      const base = { x, type: "scatter", mode: few ? "lines+markers" : "lines", marker: { size: 5, color: ink }, connectgaps: false, name,
        customdata: line.steps, hovertemplate: `%{y:.5g}${used === "step" ? "" : " (step %{customdata})"}<extra>${many ? "%{fullData.name}" : ""}</extra>` };
      if (!weight) return [{ ...base, y: line.values, line: { color: ink, width: 1.75 } }];
      return [
        { ...base, y: line.values, mode: "lines", line: { color: ink, width: 1 }, opacity: 0.28, hoverinfo: "skip", hovertemplate: undefined, showlegend: false },
        { ...base, y: smooth(line.values, weight), mode: "lines", line: { color: ink, width: 2 } },
      ];
    });
  }

  facts(figure, lines) {
    const words = figure.querySelector(".chart-facts");
    if (!words || this.colours.size > 1) return;
    const [line] = lines;
    if (!line) return;
    for (const [name, value] of [["last", line.last], ["min", line.min], ["max", line.max]]) {
      const place = words.querySelector(`[data-${name}]`);
      if (place) place.textContent = value === null && name !== "last" ? "-" : short(value);
    }
  }

  changed(field) {
    const { weight } = this.options;
    const shown = this.form.querySelector("output");
    if (shown) shown.textContent = weight ? weight.toFixed(2) : "0";
    this.remember();
    if (field.name === "q") this.filter();
    else if (field.name === "x") { this.lines.clear(); for (const key of this.visible) this.want(key); }
    else this.redraw();
  }

  remember() {
    const address = new URL(location.href);
    for (const name of ["q", "x", "smooth", "log"]) {
      const field = this.form.elements[name];
      const value = field.type === "checkbox" ? (field.checked ? "1" : "") : field.value;
      if (!value || value === field.dataset.default) address.searchParams.delete(name); else address.searchParams.set(name, value);
    }
    history.replaceState(history.state, "", address);
  }

  filter() {
    const { search } = this.options;
    let shown = 0;
    for (const group of this.root.querySelectorAll(".chart-group")) {
      let some = 0;
      for (const figure of group.querySelectorAll("[data-key]")) {
        figure.hidden = !figure.dataset.key.toLowerCase().includes(search);
        some += figure.hidden ? 0 : 1;
      }
      group.hidden = !some;
      if (search && some) group.open = true;
      shown += some;
    }
    const empty = this.root.querySelector("[data-nothing]");
    if (empty) empty.hidden = shown > 0;
  }

  redraw() {
    for (const key of this.lines.keys()) if (this.visible.has(key)) this.draw(key);
    if (this.expanded) this.drawExpanded();
  }

  resize(group) {
    for (const plot of group.querySelectorAll(".js-plotly-plot")) window.Plotly?.Plots.resize(plot);
  }

  // ---- live ----
  watch() {
    const ends = {};
    for (const key of this.visible) {
      const line = this.lines.get(key)?.[0];
      if (line) ends[key] = line.end ?? [line.last_step, line.last_time];
    }
    this.onWatch(ends);
  }

  hear(news) {
    if (news.polled) {
      for (const key of this.visible) if (news.metrics?.[key] && this.lines.get(key)?.[0]?.count !== news.metrics[key].count) this.want(key);
    }
    for (const [key, head] of Object.entries(news.metrics ?? {})) {
      const [line] = this.lines.get(key) ?? [];
      if (line) Object.assign(line, head);
      else if (!this.figure(key)) this.appear(key);
    }
    for (const [key, added] of Object.entries(news.lines ?? {})) this.extend(key, added);
    for (const key of news.stale ?? []) if (this.visible.has(key)) this.want(key); else this.lines.delete(key);
  }

  extend(key, added) {
    const [line] = this.lines.get(key) ?? [];
    if (!line) return;
    // New lists: plotly takes one that it knows for unchanged.
    for (const part of ["steps", "times", "values"]) line[part] = [...line[part], ...added[part]];
    line.end = [line.last_step, line.last_time];
    if (line.steps.length > 3000) this.want(key); // thin it again
    this.later ??= setTimeout(() => { this.later = null; this.redraw(); }, 200);
  }

  appear(key) {
    const slash = key.indexOf("/");
    const prefix = slash < 0 ? "" : key.slice(0, slash);
    const group = this.root.querySelector(`.chart-group[data-group="${CSS.escape(prefix)}"]`);
    const template = this.root.querySelector("template[data-figure]");
    if (!group || !template) { this.root.querySelector("[data-reload]")?.removeAttribute("hidden"); return; }
    const figure = template.content.firstElementChild.cloneNode(true);
    figure.dataset.key = key;
    figure.querySelector("h3").textContent = key;
    group.querySelector(".charts").append(figure);
    const count = group.querySelector(".tab-count");
    if (count) count.textContent = String(group.querySelectorAll("[data-key]").length);
    this.add(figure);
    this.filter();
  }

  // ---- one chart over the whole window, with its numbers as a table ----
  async expand(key, opener) {
    const dialog = this.root.querySelector(".chart-dialog");
    dialog.querySelector("h2").textContent = key;
    dialog.showModal();
    this.expanded = key;
    dialog.addEventListener("close", () => { this.expanded = null; window.Plotly?.purge(dialog.querySelector(".chart-plot")); opener.focus(); }, { once: true });
    if (!this.lines.has(key)) this.want(key); else await this.drawExpanded();
  }

  async drawExpanded() {
    const dialog = this.root.querySelector(".chart-dialog");
    const lines = this.lines.get(this.expanded) ?? [];
    const Plotly = await plotly(this.root.dataset.plotly);
    const plot = dialog.querySelector(".chart-plot");
    await Plotly.react(plot, this.traces(lines), layout(this.look(lines, { legend: lines.length > 1, big: true })), { ...CONFIG, displayModeBar: true });
    this.table(dialog.querySelector("tbody"), lines);
  }

  table(body, lines) {
    const rows = lines.flatMap((line) => {
      const every = Math.max(1, Math.ceil(line.steps.length / 200));
      return line.steps.map((step, at) => [line.run_name || line.run_id, step, new Date(line.times[at]).toLocaleString(), line.values[at]])
        .filter((_, at) => at % every === 0 || at === line.steps.length - 1);
    });
    body.replaceChildren(...rows.map((cells) => {
      const row = document.createElement("tr");
      for (const [place, cell] of cells.entries()) {
        const td = document.createElement("td");
        td.textContent = place === 3 ? short(cell) : String(cell);
        if (place !== 0) td.className = "num";
        row.append(td);
      }
      return row;
    }));
  }
}
