// Hears what changed: over a WebSocket, and where that does not come through by asking from time to time.
// `new Live(element, onNews)`: the element carries data-live (socket path), data-poll (address of the same news;
// every five seconds unless data-every says another number), and words.

import { checkServer } from "./base.js";

const FIRST_WAIT = 1_000;
const LONGEST_WAIT = 30_000;
const POLL_EVERY = 5;

export class Live {
  constructor(element, onNews) {
    this.element = element;
    this.onNews = onNews;
    this.onOpen = () => {};
    this.failures = 0;
    this.gone = false;
    this.connect();
    addEventListener("pagehide", () => { this.gone = true; this.socket?.close(); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden && this.polling) this.poll(); });
  }

  connect() {
    if (this.gone) return;
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this.element.dataset.live}`);
    this.socket = socket;
    socket.onopen = () => {
      this.failures = 0;
      clearInterval(this.polling);
      this.polling = null;
      this.show("on");
      this.onOpen();
    };
    socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    socket.onclose = () => this.retry();
  }

  hear(news) {
    if (news.gone) {
      this.gone = true;
      this.show("off");
      return;
    }
    this.onNews(news);
  }

  retry() {
    if (this.gone) return;
    this.failures += 1;
    checkServer();
    if (this.failures > 1) this.startPolling();
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (this.failures - 1));
    setTimeout(() => this.connect(), wait * (0.75 + Math.random() / 2));
  }

  startPolling() {
    if (this.polling || !this.element.dataset.poll) return;
    this.show("polling");
    this.polling = setInterval(() => this.poll(), Number(this.element.dataset.every ?? POLL_EVERY) * 1_000);
    this.poll();
  }

  async poll() {
    if (document.hidden || this.gone) return;
    try {
      const answer = await fetch(this.element.dataset.poll, { headers: { Accept: "application/json" }, redirect: "error" });
      if ([401, 403, 404].includes(answer.status)) { this.hear({ gone: true }); clearInterval(this.polling); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      this.show("polling");
      this.onNews({ ...(await answer.json()), polled: true });
    } catch {
      this.show("off");
    }
  }

  say(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  show(state) {
    this.element.dataset.state = state;
    const word = this.element.querySelector(".live-word");
    if (word) word.textContent = this.element.dataset[state];
  }
}
