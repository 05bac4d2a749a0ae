/** Addresses: every view has one, and going back works as it does everywhere. */

import { signal } from "@preact/signals";

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export const place = signal<Place>(here());

export function go(to: string, isReplaced = false): void {
  if (isReplaced) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  place.value = here();
  if (!isReplaced) window.scrollTo(0, 0);
}

/** Let links of this page change the view without a new page. */
export function followLinks(): void {
  window.addEventListener("popstate", () => {
    place.value = here();
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest?.("a");
    if (!link || link.target || link.origin !== location.origin || link.hasAttribute("download")) return;
    if (link.dataset.outside !== undefined) return;
    event.preventDefault();
    go(link.pathname + link.search + link.hash);
  });
}
