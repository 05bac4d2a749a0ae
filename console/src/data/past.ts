/** The past: a time of the market that is looked at in place of now; nothing can be asked for then. */

import { signal } from "@preact/signals";

/** Microseconds, the market's; null is now. */
export const past = signal<number | null>(null);

export const READ_ONLY = "This is the past: it can be looked at, and orders are not taken.";
