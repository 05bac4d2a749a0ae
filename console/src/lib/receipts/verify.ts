/**
 * Receipts, verified by arithmetic of this page's own, which asks nothing of the market.
 *
 * Checked are the digest and what was promised: values are quantities at the mark, what is paid sums
 * to them, loans and claims fall by what is settled and by no more than there was, what one party
 * loses the others gain, and total values stay. `solvent verify` checks, beyond that, that the policy
 * allotted what it had to, and computes margins again.
 */

import { bookingChecks } from "./bookings.ts";
import { fillChecks } from "./fills.ts";
import { digestOf, isBooking, isFill, isRelief, isRound, type Check, type Receipt } from "./form.ts";
import { reliefChecks } from "./reliefs.ts";
import { roundChecks } from "./rounds.ts";

/** What was checked and what is wrong; a receipt is good where nothing is. */
export function verify(receipt: Receipt): Check[] {
  try {
    return [{ name: "Its digest fits all that it says", problems: digestOf(receipt) === receipt.digest ? [] : ["the digest does not fit the rest of the receipt"] }, ...promises(receipt)];
  } catch (error) {
    return [{ name: "It can be read", problems: [`it cannot be recomputed: ${(error as Error).message}`] }];
  }
}

function promises(receipt: Receipt): Check[] {
  if (isRound(receipt)) return roundChecks(receipt);
  if (isFill(receipt)) return fillChecks(receipt);
  if (isRelief(receipt)) return reliefChecks(receipt);
  if (isBooking(receipt)) return bookingChecks(receipt);
  throw new RangeError("its format is none that the page knows; `solvent verify` may know it");
}
