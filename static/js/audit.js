// The audit log: exports follow the filters, which htmx changes without loading the page.
const form = document.getElementById("event-filter");

function followFilters() {
  const chosen = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
  for (const link of document.querySelectorAll("[data-export]")) {
    const url = new URL(link.href);
    const format = url.searchParams.get("format");
    url.search = chosen;
    url.searchParams.set("format", format);
    link.href = url;
  }
}

form.addEventListener("input", followFilters);
form.addEventListener("change", followFilters);
