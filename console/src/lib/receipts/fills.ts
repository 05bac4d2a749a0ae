/** Fills of the backstop: a provider took over a debt, and collateral with it. */

import { balanceOf, legsAtTheMark, netsToNothing, oneMark, ROUNDED, Scales, size, UNIT } from "./arithmetic.ts";
import type { Check, Fill, Party } from "./form.ts";

function* fillValue(receipt: Fill, scales: Scales): Generator<string> {
  const exact = scales.exact(receipt.asset, BigInt(receipt.quantity));
  if (size(BigInt(receipt.value) * UNIT - exact) > ROUNDED * UNIT) yield "the value is not the quantity at the mark";
}

function* fillLoan(receipt: Fill, scales: Scales): Generator<string> {
  const debt = (parties: readonly Party[]) => BigInt(balanceOf(parties, receipt.account, receipt.asset)?.debt ?? "0");
  const fell = debt(receipt.before) - debt(receipt.after);
  if (size(fell - BigInt(receipt.quantity)) > scales.shares(receipt.asset) + 2n) yield "the debt does not fall by the quantity";
}

export function fillChecks(receipt: Fill): Check[] {
  const scales = new Scales(receipt.assets);
  const passed = { name: `fill ${receipt.fill}`, before: receipt.before, after: receipt.after, legs: receipt.legs };
  return [
    { name: "The value is the quantity at the mark", problems: [...oneMark(receipt, scales), ...fillValue(receipt, scales)] },
    { name: "The debt falls by the quantity", problems: [...fillLoan(receipt, scales)] },
    { name: "Each leg goes at the mark, and none at a stale one", problems: [...legsAtTheMark(scales, passed)] },
    { name: "What one loses the others gain", problems: [...netsToNothing(scales, passed)] },
  ];
}
