// Rows of a name and a value in forms: a button adds another.

function show() {
  for (const button of document.querySelectorAll("[data-adds-pair]")) button.hidden = false;
}

show();
document.addEventListener("htmx:afterSwap", show);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-adds-pair]");
  if (!button) return;
  const pairs = document.getElementById(button.dataset.addsPair);
  const row = pairs.lastElementChild.cloneNode(true);
  for (const field of row.querySelectorAll("input")) field.value = "";
  pairs.append(row);
  row.querySelector("input").focus();
});
