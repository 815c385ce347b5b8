// Runs before the first paint, so that no page flashes in the wrong theme: keep it tiny and without imports.
(() => {
  const chosen = localStorage.getItem("slipway.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
