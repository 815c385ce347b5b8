// The form of a webhook shows what its kind, its scope and what it does have; what was typed for others stays in it.
function showWhatFits(form) {
  const { dialect, scope, does } = form.elements; // of one that is there, kind and scope don't change
  const takes = (part, kind) => !kind || part.dataset.dialects.split(" ").includes(kind.value);
  const done = does.value === "job" && takes(does.closest("[data-dialects]"), dialect) ? "job" : "url";
  for (const part of form.querySelectorAll("[data-dialects], [data-scope], [data-does]")) {
    const { dialects, scope: wanted, does: way } = part.dataset;
    const fits = (!dialects || takes(part, dialect)) && (!wanted || !scope || wanted === scope.value);
    part.hidden = !fits || (way && way !== done) || part.hasAttribute("data-never");
  }
}

function pick(form, all) {
  for (const box of form.querySelectorAll("[data-dialects]:not([hidden]) input[name=events]")) box.checked = all;
}

const form = document.getElementById("webhook-form");
if (form) {
  form.addEventListener("change", () => showWhatFits(form));
  form.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picks]");
    if (button) pick(form, button.dataset.picks === "all");
  });
  for (const button of form.querySelectorAll("[data-picks]")) button.hidden = false;
  showWhatFits(form);
}

// The log is fetched again while something is on its way: what was unfolded stays so.
let unfolded = [];
document.addEventListener("htmx:beforeSwap", () => {
  unfolded = [...document.querySelectorAll("#deliveries [data-unfolds][aria-expanded=true]")].map((one) => one.dataset.unfolds);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.querySelector(`[data-unfolds="${id}"]`)?.click();
});
