/** Deeds: something that is asked of the market, from the click to what came of it. */

import { useState } from "preact/hooks";
import { past, READ_ONLY } from "../data/past.ts";
import { ask, Refused, type Asked } from "../data/api.ts";

export interface Deed {
  readonly isBusy: boolean;
  readonly said: { readonly isDone: boolean; readonly text: string } | null;
  readonly carry: (asked: Asked, done: (answer: unknown) => string) => Promise<void>;
}

export function useDeed(then: () => void): Deed {
  const [isBusy, setBusy] = useState(false);
  const [said, setSaid] = useState<Deed["said"]>(null);
  const carry: Deed["carry"] = async (asked, done) => {
    if (past.value !== null) {
      setSaid({ isDone: false, text: READ_ONLY });
      return;
    }
    setBusy(true);
    setSaid(null);
    try {
      const answer = await ask<unknown>(asked);
      setSaid({ isDone: true, text: done(answer) });
    } catch (error) {
      const text =
        error instanceof Refused
          ? `Refused: ${error.message} (${error.code}).`
          : "The market did not answer. Look at the history before you try again: it may have been carried out.";
      setSaid({ isDone: false, text });
    }
    setBusy(false);
    then();
  };
  return { isBusy, said, carry };
}

export function Outcome({ of }: { of: Deed }) {
  return (
    <p class={`note outcome ${of.said?.isDone === false ? "failed" : ""}`} role="status" aria-live="polite">
      {of.isBusy ? "Asking the market…" : of.said ? of.said.text : ""}
    </p>
  );
}
