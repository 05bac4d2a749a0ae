/**
 * The form of a receipt, as far as the page reads it, and the digest of all that it says.
 *
 * Units: quantities atoms, marks 10^-10 USDC a token, values 10^-6 USDC, indices 10^-18, ratios 10^-9.
 */

import { blake2b } from "../blake2b.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface Balance {
  readonly asset: string;
  readonly available: string;
  readonly locked: string;
  readonly lent: string;
  readonly debt: string;
  readonly lent_shares: string;
  readonly debt_shares: string;
}

export interface Party {
  readonly account: number;
  readonly total_value: string;
  readonly net_equity: string;
  readonly initial: string;
  readonly maintenance: string;
  readonly balances: readonly Balance[];
}

export interface Leg {
  readonly giver: number;
  readonly receiver: number;
  readonly asset: string;
  readonly form: string;
  readonly quantity: string;
  readonly value: string;
}

export interface Match {
  readonly lender: number;
  readonly payer: number;
  readonly giver: number;
  readonly quantity: string;
  readonly value: string;
  readonly fee: string;
  readonly legs: readonly Leg[];
  readonly before: readonly Party[];
  readonly after: readonly Party[];
}

export interface Terms {
  readonly symbol: string;
  readonly decimals: number;
  readonly mark: string;
  readonly stale: boolean;
  readonly lend_shares: string;
  readonly lend_index: string;
  readonly debt_index: string;
}

interface Handover {
  readonly stage: string;
  readonly reason: string;
  readonly asset: string;
  readonly value: string;
}

interface Common {
  readonly format: string;
  readonly command: number;
  readonly time: string;
  readonly asset: string;
  readonly mark: string;
  readonly assets: readonly Terms[];
  readonly digest: string;
}

export interface Round extends Common {
  readonly round: number;
  readonly case: "STUCK_LENDER" | "BORROWER_DEFAULT" | "OPPOSITES";
  readonly policy: string;
  readonly paid_in: string;
  readonly needed: string;
  readonly allotted: string;
  readonly sides: readonly { readonly account: number; readonly allotted: string; readonly book_reason: string; readonly backstop_reason: string }[];
  readonly candidates: readonly { readonly account: number; readonly allotted: string; readonly cap: string }[];
  readonly matches: readonly Match[];
}

export interface Fill extends Common {
  readonly fill: number;
  readonly account: number;
  readonly provider: number;
  readonly quantity: string;
  readonly value: string;
  readonly fund_value: string;
  readonly handed_over: readonly Handover[];
  readonly legs: readonly Leg[];
  readonly before: readonly Party[];
  readonly after: readonly Party[];
}

/** What a standby took over of what a round paid somebody in kind. */
export interface Relief extends Common {
  readonly swap: number;
  readonly round: number;
  readonly case: "STUCK_LENDER" | "BORROWER_DEFAULT";
  readonly standby: number;
  readonly receiver: number;
  readonly form: string;
  readonly quantity: string;
  readonly shares: string;
  readonly value: string;
  readonly rate: number;
  readonly premium: string;
  readonly paid: string;
  readonly posted: string;
  readonly before: readonly Party[];
  readonly after: readonly Party[];
}

export interface WriteOff {
  readonly asset: string;
  readonly quantity: string;
  readonly value: string;
  readonly debt_shares: string;
}

export interface Booked {
  readonly account: number;
  readonly assets_value: string;
  readonly debts_value: string;
  readonly shortfall: string;
  readonly fund: string;
  readonly loss: string;
  readonly payments: readonly { readonly asset: string; readonly quantity: string; readonly value: string }[];
  readonly written: readonly WriteOff[];
  readonly before: Party;
  readonly after: Party;
}

export interface PoolLoss {
  readonly asset: string;
  readonly claims: string;
  readonly loss: string;
  readonly fees: string;
  readonly treasury: string;
  readonly residue: string;
  readonly lenders: string;
  readonly lend_index: string;
  readonly restarted: boolean;
}

/** Losses that were certain, written off at once. */
export interface Booking {
  readonly format: string;
  readonly booking: number;
  readonly command: number;
  readonly time: string;
  readonly shortfall: string;
  readonly fund_value: string;
  readonly paid: string;
  readonly assets: readonly Terms[];
  readonly reserves: readonly { readonly asset: string; readonly fees: string; readonly treasury: string; readonly fund: string }[];
  readonly accounts: readonly Booked[];
  readonly pools: readonly PoolLoss[];
  readonly digest: string;
}

export type Settled = Round | Fill | Relief;
export type Receipt = Settled | Booking;

export interface Check {
  readonly name: string;
  readonly problems: readonly string[];
}

export function isRound(receipt: Receipt): receipt is Round {
  return receipt.format === "solvent adl receipt";
}

export function isFill(receipt: Receipt): receipt is Fill {
  return receipt.format === "solvent backstop receipt";
}

export function isRelief(receipt: Receipt): receipt is Relief {
  return receipt.format === "solvent standby receipt";
}

export function isBooking(receipt: Receipt): receipt is Booking {
  return receipt.format === "solvent booking receipt";
}

/** Keys in order, no spaces, and only ASCII: the text that a digest is of. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== "object") {
    return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = value as { readonly [name: string]: Json };
  return `{${Object.keys(fields)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(fields[name] as Json)}`)
    .join(",")}}`;
}

export function digestOf(receipt: Receipt): string {
  const { digest: _, ...rest } = receipt;
  return blake2b(new TextEncoder().encode(canonical(rest as unknown as Json)));
}
