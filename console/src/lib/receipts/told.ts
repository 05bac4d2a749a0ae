/** What a receipt is called, what kind of settlement it is of, and why it came to it, in words. */

import { shown } from "../decimal.ts";
import { isBooking, isFill, isRelief, isRound, type Receipt } from "./form.ts";

const VALUE_DIGITS = 6;
const RATE_DIGITS = 7;

export const REASONS: Record<string, string> = {
  NO_LIQUIDITY_IN_BAND: "no liquidity in the band",
  NO_REDEEMABLE_CASH: "no redeemable cash",
  NO_BACKSTOP_CAPACITY: "no backstop capacity",
  PRICE_GAP: "price gap",
  OVER_BOOK_LIMIT: "larger than the book's limit",
  STALE_PRICE: "stale price",
  NO_COUNTERPARTY: "no counterparty",
  BELOW_LOT: "below a lot",
};

const CASES: Record<string, string> = {
  STUCK_LENDER: "stuck lender paid by borrowers",
  BORROWER_DEFAULT: "lenders paid out of a default",
  OPPOSITES: "opposites closed",
  FILL: "taken over by a provider",
  SWAP: "taken over by a standby",
  BOOKING: "certain losses written off",
};

export function usdc(value: string | bigint): string {
  return `${shown({ units: BigInt(value), scale: VALUE_DIGITS })} USDC`;
}

export function reasonOf(word: string): string {
  return REASONS[word] ?? word.toLowerCase().replaceAll("_", " ");
}

/** Its name in an address: what counts it, and its number. */
export function nameOf(receipt: Receipt): string {
  if (isBooking(receipt)) return `booking-${receipt.booking}`;
  if (isRelief(receipt)) return `swap-${receipt.swap}`;
  return isRound(receipt) ? `round-${receipt.round}` : `fill-${receipt.fill}`;
}

export function kindOf(receipt: Receipt): string {
  return CASES[isBooking(receipt) ? "BOOKING" : isRelief(receipt) ? "SWAP" : isRound(receipt) ? receipt.case : "FILL"] ?? "";
}

/** Why it came to it: what the stages before handed over, and what for. */
export function causeOf(receipt: Receipt): string {
  if (isBooking(receipt)) return `${usdc(receipt.shortfall)} were lacking for certain, of which the fund paid ${usdc(receipt.paid)}`;
  if (isRelief(receipt)) {
    const rate = shown({ units: BigInt(receipt.rate), scale: RATE_DIGITS });
    return `round ${receipt.round} had paid it in kind; the premium is ${usdc(receipt.premium)}, of at most ${rate} %`;
  }
  if (isFill(receipt)) {
    const [first] = receipt.handed_over;
    return first ? `the book handed over: ${reasonOf(first.reason)}` : "the book handed over";
  }
  const [side] = receipt.sides;
  return side ? `the book handed over: ${reasonOf(side.book_reason)}; the backstop: ${reasonOf(side.backstop_reason)}` : "the stages before handed over";
}

/** Whether a receipt is of the kind that such a word of a history speaks of. */
export function isOf(receipt: Receipt, word: string): boolean {
  if (/backstop(provider|liquidityfund)|liquidationbackstop|onbackstop/i.test(word)) return isFill(receipt);
  if (/adl/i.test(word)) return isRound(receipt) || isRelief(receipt);
  return /reconcil|liability/i.test(word) && isBooking(receipt);
}
