// The log of an instance: what comes is asked for while the page is looked at, and shown at the end.

const EVERY = 1_000;
const MOST_CHARACTERS = 2_000_000;
const NEAR_END = 24;

const panel = document.getElementById("instance-log");
const view = panel?.querySelector(".log-view");

function begin() {
  const text = panel.querySelector("[data-text]");
  const jump = panel.querySelector(".log-jump");
  const mark = panel.querySelector("[data-mark]");
  const empty = panel.querySelector(".log-empty");
  let next = Number(panel.dataset.next);
  let follows = true;

  const isAtEnd = () => view.scrollHeight - view.scrollTop - view.clientHeight < NEAR_END;
  const toEnd = () => { view.scrollTop = view.scrollHeight; jump.hidden = true; };
  const show = (state) => {
    mark.hidden = false;
    mark.dataset.state = state;
    mark.querySelector(".live-word").textContent = panel.dataset[state];
  };

  view.addEventListener("scroll", () => { follows = isAtEnd(); jump.hidden = follows; }, { passive: true });
  jump.addEventListener("click", () => { follows = true; toEnd(); view.focus({ preventScroll: true }); });
  toEnd();

  const take = (news) => {
    if (!news.text) return;
    const gap = news.start > next && next > 0 ? `\n… ${panel.dataset.gap}\n` : "";
    text.append(gap + news.text);
    next = news.next;
    empty.hidden = true;
    // A page that is open for days keeps the end.
    if (text.textContent.length > MOST_CHARACTERS) text.textContent = text.textContent.slice(-MOST_CHARACTERS / 2);
    if (follows) toEnd(); else jump.hidden = false;
  };

  const ask = async () => {
    let wait = EVERY;
    try {
      if (!document.hidden) {
        const answer = await fetch(`${panel.dataset.url}?offset=${next}`, { headers: { Accept: "application/json" }, redirect: "error" });
        if ([401, 403, 404].includes(answer.status)) { show("off"); return; }
        if (!answer.ok) throw new Error(String(answer.status));
        const news = await answer.json();
        take(news);
        show("on");
        if (news.complete) { mark.hidden = true; document.dispatchEvent(new CustomEvent("slipway:deployment")); return; }
        if (news.text) wait = EVERY / 5;
      }
    } catch {
      show("off");
      wait = EVERY * 5;
    }
    setTimeout(ask, wait);
  };
  if ("active" in panel.dataset) ask();
}

if (panel) begin();
