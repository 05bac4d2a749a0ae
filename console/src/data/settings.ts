/** What the reader chose: kept in the browser, if it lets us. */

import { effect, signal } from "@preact/signals";

export interface Settings {
  readonly theme: "auto" | "dark" | "light";
  readonly zone: "utc" | "local";
  readonly up: string;
  readonly down: string;
}

export const BLUE = "#4c9be8";
export const ORANGE = "#e8913c";
const NAME = "solvent-settings";
const PLAIN: Settings = { theme: "auto", zone: "utc", up: BLUE, down: ORANGE };

export function kept<T>(name: string): T | null {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

export function keep(name: string, value: unknown): void {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, JSON.stringify(value));
  } catch {
    /* A browser that keeps nothing forgets it with the page. */
  }
}

export const settings = signal<Settings>({ ...PLAIN, ...kept<Partial<Settings>>(NAME) });

export function choose(chosen: Partial<Settings>): void {
  settings.value = { ...settings.value, ...chosen };
  keep(NAME, settings.value);
}

effect(() => {
  if (typeof document === "undefined") return;
  const root = document.documentElement;
  const { theme, up, down } = settings.value;
  root.dataset.theme = theme;
  root.style.setProperty("--up", up);
  root.style.setProperty("--down", down);
});
