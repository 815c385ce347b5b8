// Rows that are picked in a form[data-selection]: a bar appears with what can be done with them.
// Buttons with data-needs="n" want at least n rows, with data-at-most no more than that.

function update(form) {
  const picks = [...form.querySelectorAll("input.pick")];
  const picked = picks.filter((pick) => pick.checked).length;
  const all = form.querySelector("[data-pick-all]");
  if (all) {
    all.checked = picked > 0 && picked === picks.length;
    all.indeterminate = picked > 0 && picked < picks.length;
  }
  const bar = form.querySelector("[data-selection-bar]");
  if (!bar) return;
  bar.hidden = picked === 0;
  const count = bar.querySelector("[data-selection-count]");
  count.textContent = picked === 1 ? count.dataset.one : count.dataset.many.replace("%n", picked);
  for (const button of bar.querySelectorAll("[data-needs]")) {
    button.disabled = picked < Number(button.dataset.needs) || picked > Number(button.dataset.atMost ?? Infinity);
  }
}

let last = null;

document.addEventListener("click", (event) => {
  const pick = event.target.closest?.("form[data-selection] input.pick");
  if (!pick) return;
  if (event.shiftKey && last?.form === pick.form && last.isConnected) {
    const picks = [...pick.form.querySelectorAll("input.pick")];
    const [from, to] = [picks.indexOf(last), picks.indexOf(pick)].sort((a, b) => a - b);
    for (const between of picks.slice(from, to + 1)) between.checked = pick.checked;
    update(pick.form);
  }
  last = pick;
});

document.addEventListener("change", (event) => {
  const form = event.target.form;
  if (!form?.hasAttribute("data-selection")) return;
  if (event.target.hasAttribute("data-pick-all")) {
    for (const pick of form.querySelectorAll("input.pick")) pick.checked = event.target.checked;
  }
  update(form);
});

export function updateAll() {
  for (const form of document.querySelectorAll("form[data-selection]")) update(form);
}

document.addEventListener("htmx:afterSettle", updateAll);
window.addEventListener("pageshow", updateAll);
updateAll();
