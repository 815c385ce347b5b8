// The pages about approvals fetch themselves anew: not under the hands of somebody who is in the middle of them.
function isInUse(element) {
  const selection = document.getSelection();
  const selects = selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  return selects || element.contains(document.activeElement) || document.querySelector("dialog[open]");
}

const polls = (element) => element.id === "approvals" || element.id === "evidence";
const shown = new WeakMap();

document.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.detail.elt;
  if (polls(element) && (document.hidden || isInUse(element))) event.preventDefault();
});

// What came is what is there: nothing flickers.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt: element, serverResponse: came } = event.detail;
  if (!polls(element)) return;
  if (shown.get(element) === came) event.detail.shouldSwap = false;
  shown.set(element, came);
});
