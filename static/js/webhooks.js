// The form of a webhook shows what its kind and its scope have; what was typed for others stays in the form.
function showWhatFits(form) {
  const { dialect, scope } = form.elements;
  if (!dialect) return; // of one that is there, neither changes
  for (const part of form.querySelectorAll("[data-dialects]")) part.hidden = !part.dataset.dialects.split(" ").includes(dialect.value);
  for (const part of form.querySelectorAll("[data-scope]")) part.hidden = part.dataset.scope !== scope.value;
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
