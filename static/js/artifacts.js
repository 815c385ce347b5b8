// The files of a run or a model: which one is shown is marked in the tree.
document.addEventListener("htmx:afterRequest", (event) => {
  const link = event.target.closest?.("#files a.tree-item");
  if (!link || !event.detail.successful) return;
  for (const one of document.querySelectorAll("#files a.tree-item[aria-current]")) one.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  if (matchMedia("(max-width: 56rem)").matches) document.getElementById("file-view").scrollIntoView({ block: "start" });
});
