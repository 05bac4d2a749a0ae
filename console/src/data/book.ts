/** A book put together from a snapshot and the changes after it; a gap begins it anew. */

import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ask, type Schemas } from "./api.ts";
import { cluster } from "./nodes.ts";
import { comebacks, listen } from "./streams.ts";
import { compare, decimal } from "../lib/decimal.ts";

type Level = readonly [string, string];
type Update = Schemas["DepthUpdate"];

export interface Book {
  /** Best first. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly isWhole: boolean;
}

const EMPTY: Book = { bids: [], asks: [], isWhole: false };

/** The two sides after a change; levels of nothing go. */
export function changed(side: readonly Level[], changes: readonly Level[], isBid: boolean): Level[] {
  const found = new Map(side.map(([price, quantity]) => [price, quantity]));
  for (const [price, quantity] of changes) {
    if (decimal(quantity).units === 0n) found.delete(price);
    else found.set(price, quantity);
  }
  const sorted = [...found].sort(([left], [right]) => compare(decimal(left), decimal(right)));
  return isBid ? sorted.reverse() : sorted;
}

export function useBook(symbol: string) {
  const book = useMemo(() => signal<Book>(EMPTY), []);
  const came = comebacks.value;
  /** The latest change that was shown, also before the line was cut. */
  const seen = useMemo(() => ({ last: -1 }), [symbol]);
  useEffect(() => {
    let last = -1;
    let isOver = false;
    let isAsking = false;
    let waiting: Update[] = [];
    book.value = EMPTY;
    const apply = (update: Update): boolean => {
      if (update.u <= last) return true;
      if (update.U > last + 1) return false;
      last = seen.last = update.u;
      book.value = {
        bids: changed(book.value.bids, update.b as Level[], true),
        asks: changed(book.value.asks, update.a as Level[], false),
        isWhole: true,
      };
      return true;
    };
    const begin = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      try {
        const found = await ask<Schemas["Depth"]>({ path: "/api/v1/depth", fields: { symbol } });
        if (isOver) return;
        // A node that knows less than was shown is asked again, or another in its place.
        if (cluster.value && Number(found.lastUpdateId) < seen.last) throw new Error("older than what was shown");
        last = seen.last = Number(found.lastUpdateId);
        book.value = {
          bids: [...(found.bids as Level[])].reverse(),
          asks: found.asks as Level[],
          isWhole: true,
        };
        const later = waiting;
        waiting = [];
        isAsking = false;
        if (!later.every(apply)) void begin();
      } catch {
        isAsking = false;
        if (!isOver) setTimeout(() => void begin(), cluster.value ? 300 : 2000);
      }
    };
    const leave = listen(`depth.200ms.${symbol}`, (data) => {
      const update = data as Update;
      if (isAsking || last < 0) waiting.push(update);
      else if (!apply(update)) {
        waiting = [update];
        void begin();
      }
    });
    void begin();
    return () => {
      isOver = true;
      leave();
    };
  }, [symbol, came]);
  return book;
}
