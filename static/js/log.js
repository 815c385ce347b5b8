// <slipway-log>: the log of a run as lines of real text, live. Tells the document of the run's state: `slipway:run`.
import { Live } from "./live.js";
import { Ansi } from "./ansi.js";

// So many lines are shown; the whole log is a file.
const MOST_LINES = 20_000;
const BLOCK_LINES = 200;
const NEAR_END = 24;
const STAMP_LENGTH = 25;
const WORKER = "[slipway] ";

class SlipwayLog extends HTMLElement {
  connectedCallback() {
    if (this.view) return;
    for (const [name, query] of Object.entries({
      view: ".log-view", tailLine: ".log-tail", note: ".log-note", noteText: ".log-note-text", empty: ".log-empty",
      earlier: "[data-earlier]", jump: ".log-jump", field: "[type=search]", found: ".log-found", times: ".log-times select",
      wraps: "[data-wraps]", mark: ".live",
    })) this[name] = this.querySelector(query);
    this.ansi = new Ansi();
    this.count = 0;
    this.follows = true;
    this.lines = document.createElement("div");
    this.lines.className = "log-lines";
    this.begin(JSON.parse(this.querySelector("#log-begins").textContent));
    this.querySelector(".log-plain").replaceWith(this.lines);
    this.listen();
    this.recall();
    this.showNote();
    if ("active" in this.dataset) this.goLive();
    if (this.wantedLine()) this.goToLine(); else this.toEnd();
  }

  disconnectedCallback() { this.stop(); }

  // ---- what comes ----
  begin(part) {
    this.lines.replaceChildren();
    this.ansi.reset();
    this.count = 0;
    this.start = part.start;
    this.have = part.start;
    this.first = part.line;
    this.append(part);
  }

  goLive() {
    this.mark.hidden = false;
    this.live = new Live(this.mark, (news) => this.hear(news));
    this.live.onOpen = () => this.ask();
  }

  // Hidden pages are given no frames, so they ask for nothing until they are looked at.
  ask() { requestAnimationFrame(() => this.live?.say({ have: this.have })); }

  hear(news) {
    if (news.run) {
      this.dataset.run = news.run.state;
      if (news.run.started_ms) this.since(news.run.started_ms);
      document.dispatchEvent(new CustomEvent("slipway:run", { detail: news.run }));
    }
    if (news.tail !== undefined) this.showTail(news.tail);
    if (news.log) this.take(news.log);
    this.mark.dataset.poll = `${this.dataset.url}?offset=${this.have}`;
    if (news.complete) this.stop();
    else if (news.log) { if (news.polled) this.live.poll(); else this.ask(); }
  }

  take(part) {
    if (part.line !== undefined) {
      this.begin(part);
      this.leftOut = true;
    } else if (part.start === this.have) this.append(part);
    this.trim();
    this.showNote();
    if (this.follows) this.toEnd();
    else this.jump.classList.add("is-new");
  }

  stop() {
    if (!this.live) return;
    this.live.gone = true;
    this.live.socket?.close();
    clearInterval(this.live.polling);
    this.live = null;
    this.mark.hidden = true;
    this.showTail("");
    this.empty.hidden = this.count > 0;
  }

  // ---- lines ----
  append(part) {
    const texts = part.text.split("\n");
    if (texts.at(-1) === "") texts.pop();
    let block = this.lines.lastElementChild;
    let number = this.first + this.count;
    for (const text of texts) {
      if (!block || block.childElementCount >= BLOCK_LINES) {
        block = newBlock();
        this.lines.append(block);
      }
      block.append(this.lineOf(number, text, this.ansi));
      number += 1;
    }
    this.count += texts.length;
    this.have = part.next;
    this.empty.hidden = this.count > 0;
  }

  prepend(part) {
    const texts = part.text.split("\n");
    texts.pop();
    const ansi = new Ansi();
    const first = this.first - texts.length;
    const blocks = [];
    texts.forEach((text, at) => {
      if (at % BLOCK_LINES === 0) blocks.push(newBlock());
      blocks.at(-1).append(this.lineOf(first + at, text, ansi));
    });
    const below = this.view.scrollHeight - this.view.scrollTop;
    this.lines.prepend(...blocks);
    this.view.scrollTop = this.view.scrollHeight - below;
    this.first = first;
    this.count += texts.length;
    this.start = part.start;
  }

  lineOf(number, stamped, ansi) {
    const line = document.createElement("div");
    const link = document.createElement("a");
    const body = document.createElement("span");
    const stamp = stamped.slice(0, STAMP_LENGTH).trimEnd();
    const text = stamped.slice(STAMP_LENGTH);
    line.className = "log-line";
    line.id = `L${number}`;
    link.className = "log-number";
    link.href = `#L${number}`;
    link.tabIndex = -1;
    link.title = stamp;
    link.dataset.n = number;
    link.setAttribute("aria-label", `${this.dataset.line} ${number}`);
    body.className = "log-text";
    if (text.startsWith(WORKER)) {
      ansi.reset();
      line.classList.add("is-said");
    }
    for (const [classes, piece] of ansi.pieces(text)) body.append(classes ? spanOf(classes, piece) : piece);
    // What is copied are lines.
    body.append("\n");
    line.append(link, body);
    if (this.view.dataset.times) this.showTime(link);
    return line;
  }

  trim() {
    while (this.count > MOST_LINES) {
      const block = this.lines.firstElementChild;
      this.count -= block.childElementCount;
      this.first += block.childElementCount;
      block.remove();
    }
  }

  showNote() {
    this.note.hidden = this.first <= 1;
    this.earlier.hidden = this.count >= MOST_LINES || this.start <= 0;
    const words = this.leftOut ? `${this.dataset.leftOut} ` : "";
    this.noteText.textContent = words + this.dataset.skipped.replace("{n}", (this.first - 1).toLocaleString("en"));
  }

  showTail(text) { this.tailLine.textContent = text; }

  async showEarlier() {
    if (this.loading || this.earlier.hidden) return false;
    this.loading = true;
    try {
      const answer = await fetch(`${this.dataset.url}?before=${this.start}`, { headers: { Accept: "application/json" } });
      if (!answer.ok) return false;
      const { log } = await answer.json();
      this.follows = false;
      if (log.text) this.prepend(log);
      this.showNote();
      this.showJump();
      return Boolean(log.text);
    } catch {
      return false;
    } finally {
      this.loading = false;
    }
  }

  // ---- where one is ----
  listen() {
    let last = 0;
    this.view.addEventListener("scroll", () => {
      const top = this.view.scrollTop;
      if (this.isAtEnd()) this.follows = true;
      else if (top < last - 1) this.follows = false;
      last = top;
      this.showJump();
    }, { passive: true });
    new ResizeObserver(() => { if (this.follows) this.toEnd(); }).observe(this.lines);
    this.jump.addEventListener("click", () => { this.follows = true; this.toEnd(); this.view.focus({ preventScroll: true }); });
    this.earlier.addEventListener("click", () => this.showEarlier());
    this.view.addEventListener("keydown", (event) => {
      if (event.key === "End") this.follows = true;
    });
    this.view.addEventListener("click", (event) => {
      if (event.target.closest(".log-number")) this.follows = false;
    });
    addEventListener("hashchange", () => this.goToLine());
    this.times.addEventListener("change", () => { this.remember("times", this.times.value); this.showTimes(); });
    this.wraps.addEventListener("click", () => {
      const isWrapped = this.wraps.getAttribute("aria-pressed") !== "true";
      this.wrap(isWrapped);
      this.remember("wrap", isWrapped ? "yes" : "no");
    });
    this.field.addEventListener("input", () => { this.clearFound(); });
    this.field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); this.search(event.shiftKey ? -1 : 1); }
      if (event.key === "Escape") { this.field.value = ""; this.clearFound(); }
    });
    this.querySelector(".log-tools").hidden = false;
  }

  isAtEnd() { return this.view.scrollHeight - this.view.scrollTop - this.view.clientHeight < NEAR_END; }

  toEnd() {
    this.view.scrollTop = this.view.scrollHeight;
    this.showJump();
  }

  showJump() {
    this.jump.hidden = this.follows || this.isAtEnd();
    if (this.jump.hidden) this.jump.classList.remove("is-new");
  }

  wantedLine() { return Number(/^#L(\d{1,12})$/.exec(location.hash)?.[1] ?? 0); }

  async goToLine() {
    const number = this.wantedLine();
    if (!number) return;
    const isNear = () => number < this.first && this.first - number <= MOST_LINES - this.count;
    while (isNear() && await this.showEarlier());
    const line = this.querySelector(`#L${number}`);
    for (const before of this.lines.querySelectorAll(".is-target")) before.classList.remove("is-target");
    if (!line) {
      this.note.hidden = false;
      this.noteText.textContent = this.dataset.far.replace("{n}", number.toLocaleString("en"));
      return;
    }
    line.classList.add("is-target");
    this.showLine(line);
    this.scrollIntoView({ block: "nearest" });
  }

  // Twice: lines that were never drawn have no height until they are near.
  showLine(line) {
    this.follows = false;
    const show = () => { this.view.scrollTop += line.getBoundingClientRect().top - this.view.getBoundingClientRect().top - this.view.clientHeight / 3; };
    show();
    requestAnimationFrame(() => { show(); this.showJump(); });
  }

  // ---- searching ----
  search(step) {
    const wanted = this.field.value.toLowerCase();
    if (!wanted) return;
    const all = [...this.lines.querySelectorAll(".log-text")].filter((body) => body.textContent.toLowerCase().includes(wanted));
    const before = all.indexOf(this.foundBody);
    const at = before < 0 ? (step > 0 ? 0 : all.length - 1) : (before + step + all.length) % all.length;
    this.clearFound();
    if (!all.length) { this.found.textContent = this.dataset.none; return; }
    this.foundBody = all[at];
    this.found.textContent = this.dataset.found.replace("{at}", at + 1).replace("{n}", all.length.toLocaleString("en"));
    const line = this.foundBody.parentElement;
    line.classList.add("is-found");
    highlight(this.foundBody, wanted);
    history.replaceState(history.state, "", `#${line.id}`);
    this.showLine(line);
  }

  clearFound() {
    this.foundBody?.parentElement.classList.remove("is-found");
    this.foundBody = null;
    this.found.textContent = "";
    globalThis.CSS?.highlights?.delete("slipway-log");
  }

  // ---- how it is shown ----
  recall() {
    this.times.value = localStorage.getItem("slipway.log.times") ?? "none";
    if (!this.times.value) this.times.value = "none";
    this.showTimes();
    this.wrap(localStorage.getItem("slipway.log.wrap") !== "no");
  }

  remember(name, value) { localStorage.setItem(`slipway.log.${name}`, value); }

  wrap(isWrapped) {
    this.wraps.setAttribute("aria-pressed", String(isWrapped));
    this.view.classList.toggle("is-wrapped", isWrapped);
  }

  since(ms) {
    if (this.dataset.since === String(ms)) return;
    this.dataset.since = ms;
    if (this.times.value === "since") this.showTimes();
  }

  showTimes() {
    if (this.times.value === "none") { delete this.view.dataset.times; return; }
    this.view.dataset.times = this.times.value;
    for (const link of this.lines.querySelectorAll(".log-number")) this.showTime(link);
  }

  showTime(link) {
    const ms = Date.parse(link.title);
    link.dataset.time = this.times.value === "since" ? sinceText(ms - Number(this.dataset.since)) : clockText(new Date(ms));
  }
}

function newBlock() {
  const block = document.createElement("div");
  block.className = "log-block";
  return block;
}

function spanOf(classes, text) {
  const span = document.createElement("span");
  span.className = classes;
  span.textContent = text;
  return span;
}

function clockText(date) {
  const two = (number) => String(number).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

function sinceText(ms) {
  const [sign, seconds] = [ms < 0 ? "−" : "+", Math.abs(ms) / 1000];
  if (seconds < 60) return `${sign}${seconds.toFixed(2)} s`;
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60].map((n) => String(n).padStart(2, "0"));
  return `${sign}${h === "00" ? "" : `${h}:`}${m}:${s}`;
}

// Marks what was found without a change of the document.
function highlight(body, wanted) {
  if (!globalThis.Highlight || !CSS.highlights) return;
  const nodes = [];
  const walker = document.createTreeWalker(body, NodeFilter.SHOW_TEXT);
  for (let at = 0; walker.nextNode(); at += walker.currentNode.length) nodes.push([at, walker.currentNode]);
  const place = (at) => { const [start, node] = nodes.findLast(([begin]) => begin <= at); return [node, at - start]; };
  const text = body.textContent.toLowerCase();
  const ranges = [];
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
    const range = new Range();
    range.setStart(...place(at));
    range.setEnd(...place(at + wanted.length));
    ranges.push(range);
  }
  CSS.highlights.set("slipway-log", new Highlight(...ranges));
}

customElements.define("slipway-log", SlipwayLog);
