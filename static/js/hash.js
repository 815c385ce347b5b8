// The client prints addresses of its own server's pages, which lie behind a `#`: lead them to ours.
// At the sign-in page they become what is opened afterwards.

const ROUTES = [
  [/^#\/experiments\/(\d+)\/runs\/([\w-]+)\/artifacts/, (found) => `/runs/${found[2]}/artifacts/`],
  [/^#\/experiments\/(\d+)\/runs\/([\w-]+)\/(?:model-|system-)metrics/, (found) => `/runs/${found[2]}/metrics/`],
  [/^#\/experiments\/(\d+)\/runs\/([\w-]+)/, (found) => `/runs/${found[2]}/`],
  [/^#\/experiments\/(\d+)\/models\/([\w-]+)/, (found) => `/logged-models/${found[2]}/`],
  [/^#\/experiments\/(\d+)/, (found) => `/experiments/${found[1]}/`],
  [/^#\/experiments\/?(?:\?|$)/, () => "/experiments/"],
  [/^#\/models\/([^/?]+)(?:\/versions\/(\d+))?/, (found) => `/models/find/?name=${found[1]}${found[2] ? `&version=${found[2]}` : ""}`],
  [/^#\/models/, () => "/models/"],
  [/^#\/prompts\/([^/?]+)/, (found) => `/models/find/?name=${found[1]}`],
  [/^#\/prompts/, () => "/prompts/"],
  [/^#\/$/, () => "/"],
];

export function pageOf(hash) {
  // What names a team of the server's, and what is asked of the page, come around the route.
  const route = hash.replace(/^#\/workspaces\/[\w-]+/, "#");
  for (const [pattern, page] of ROUTES) {
    const found = pattern.exec(route);
    if (found) return page(found);
  }
  return null;
}

function lead() {
  const page = pageOf(location.hash);
  if (page === null) return;
  const form = document.querySelector("form[data-signs-in]");
  const link = document.querySelector("a[data-signs-in]");
  if (!form && !link) {
    if (page === "/") history.replaceState(null, "", "/");
    else location.replace(page);
    return;
  }
  if (link && ["", "/"].includes(new URL(link.href).searchParams.get("next") ?? "")) link.search = new URLSearchParams({ next: page });
  if (!form) return;
  const next = form.elements.next ?? form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "next" }));
  if (!next.value || next.value === "/") next.value = page;
}

lead();
addEventListener("hashchange", lead);
