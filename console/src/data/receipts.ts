/** One's own receipts, the newest first, and those that an entry of the history belongs to. */

import { useEffect, useState } from "preact/hooks";
import { held, send } from "./api.ts";
import { decimal } from "../lib/decimal.ts";
import { isBooking, isRound, type Leg, type Receipt } from "../lib/receipts/form.ts";
import { isOf } from "../lib/receipts/told.ts";

const ROWS = "200";

export type Loaded = readonly { readonly receipt: Receipt; readonly source: string }[];

export function parse(text: string): Loaded {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((source) => ({ receipt: JSON.parse(source) as Receipt, source }));
}

async function load(fields: Record<string, string>): Promise<Loaded> {
  const answer = await send({ path: "/solvent/v1/receipts", instruction: "receiptsQuery", fields });
  return parse(await answer.text());
}

/** The one that a name such as "round-3" says. */
export function loadNamed(name: string): Promise<Loaded> {
  const [kind = "", number = ""] = name.split("-");
  return load({ [kind]: number });
}

export const NAMED = /^(round|fill|booking|swap)-\d{1,15}$/;

/** The newest, asked for again where `sign` changes; none where `isWanted` is false. */
export function useReceipts(isWanted = true, sign = ""): { found: Loaded | null; error: Error | null } {
  const [found, setFound] = useState<Loaded | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const key = held.value?.publicKey;
  useEffect(() => {
    if (!key || !isWanted) return;
    load({ limit: ROWS, sortDirection: "Desc" }).then(setFound, (reason: Error) => setError(reason));
  }, [key, isWanted, sign]);
  return { found, error };
}

/** An entry of the history: when, of what, how much, and the word that says why. */
export interface Entry {
  readonly word: string;
  readonly timestamp: string;
  readonly symbol?: string;
  readonly quantity?: string;
}

/** Microseconds of a time of the API, which has six digits after its point. */
function microseconds(said: string): string {
  const [seconds = "", part = ""] = said.replace(" ", "T").replace("Z", "").split(".");
  return `${BigInt(Date.parse(`${seconds}Z`)) * 1000n + BigInt(part.padEnd(6, "0").slice(0, 6))}`;
}

function legsOf(receipt: Receipt): readonly Pick<Leg, "asset" | "quantity">[] {
  if (isBooking(receipt)) return receipt.accounts.flatMap((each) => each.written);
  const own = isRound(receipt) ? receipt.matches : [receipt];
  return own.flatMap((each) => [{ asset: receipt.asset, quantity: each.quantity }, ...("legs" in each ? each.legs : [])]);
}

/** Whether exactly so much of it went or ended by this settlement. */
function hasJust(receipt: Receipt, entry: Entry): boolean {
  const asset = entry.symbol?.split("_")[0];
  const decimals = receipt.assets.find((each) => each.symbol === asset)?.decimals;
  if (decimals === undefined || entry.quantity === undefined) return false;
  const { units, scale } = decimal(entry.quantity);
  const atoms = units * 10n ** BigInt(Math.max(0, decimals - scale));
  return legsOf(receipt).some((leg) => leg.asset === asset && BigInt(leg.quantity) === atoms);
}

/** Receipts of the moment and kind of an entry; those that moved just its amount, where some did. */
export function receiptsOf(entry: Entry, all: Loaded): readonly Receipt[] {
  const time = microseconds(entry.timestamp);
  const there = all.map((each) => each.receipt).filter((each) => each.time === time && isOf(each, entry.word));
  const just = there.filter((each) => hasJust(each, entry));
  return just.length ? just : there;
}
