// The bell in the bar: how many notifications are unread, over the socket and by quiet asking where that is closed.
// Others hear of it by the event `slipway:unread`; a server's answer changes it by the header HX-Trigger {"unread": {"unread": n}}.

import { Live } from "./live.js";

const KEPT = "slipway.unread";
const bell = document.getElementById("bell");
const badge = bell.querySelector(".bell-count");

function showUnread(unread) {
  if (!Number.isInteger(unread) || unread < 0) return false;
  const changed = badge.dataset.unread !== String(unread);
  badge.dataset.unread = String(unread);
  badge.hidden = unread === 0;
  badge.textContent = unread > 99 ? "99+" : String(unread);
  const words = bell.dataset[unread === 0 ? "none" : unread === 1 ? "one" : "many"].replace("%n", unread);
  bell.setAttribute("aria-label", words);
  bell.title = words;
  // So that the badge doesn't blink from page to page.
  sessionStorage.setItem(KEPT, JSON.stringify([bell.dataset.user, unread]));
  if (changed) document.dispatchEvent(new CustomEvent("slipway:unread", { detail: { unread } }));
  return changed;
}

document.addEventListener("unread", (event) => showUnread(event.detail.unread));
const [user, kept] = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
if (user === bell.dataset.user) showUnread(kept);
// What is new may wait for a decision: the number beside Approvals is asked for anew.
new Live(bell, (news) => showUnread(news.unread) && document.getElementById("to-decide")?.dispatchEvent(new Event("news")));
