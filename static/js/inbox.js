// The inbox: following a line reads it, what is read stays where it is, and what came meanwhile is told.
const list = document.getElementById("inbox");
const tab = document.getElementById("waiting");
let waiting = Number(list.dataset.waiting);

function readOnTheWay(event) {
  const link = event.target.closest?.("a[data-reads]");
  if (!link || event.button > 1) return;
  const row = link.closest("tr");
  fetch(link.dataset.reads, {
    method: "POST",
    keepalive: true, // the page may be gone before it is answered
    headers: JSON.parse(document.body.getAttribute("hx-headers")),
  });
  row.classList.remove("is-unread");
  delete link.dataset.reads;
}

list.addEventListener("click", readOnTheWay);
list.addEventListener("auxclick", readOnTheWay);

// A line that was marked keeps the place of the keyboard.
document.addEventListener("htmx:beforeSwap", (event) => {
  const row = event.detail.target?.closest?.("tr");
  if (!row) return;
  const [id, current] = [row.id, row.classList.contains("is-current")];
  document.addEventListener("htmx:afterSettle", () => {
    const line = document.getElementById(id);
    line?.classList.toggle("is-current", current);
    line?.querySelector("a.main")?.focus({ preventScroll: true });
  }, { once: true });
});

document.addEventListener("slipway:unread", ({ detail: { unread } }) => {
  if (unread > waiting) document.getElementById("inbox-news").hidden = false;
  waiting = Math.min(waiting, unread);
  tab.hidden = unread === 0;
  tab.textContent = String(unread);
  document.getElementById("read-all").hidden = unread === 0;
});
