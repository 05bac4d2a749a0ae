/** Reliefs: a standby took over at the mark, for a premium, what a round paid another in kind. */

import { balanceOf, INDEX, netsToNothing, oneMark, RATIO, Scales, size, totalsStay, UNIT, up } from "./arithmetic.ts";
import type { Check, Party, Relief } from "./form.ts";

const USDC = "USDC";

function* price(receipt: Relief, scales: Scales): Generator<string> {
  if (scales.of(receipt.asset).stale) yield `${receipt.asset} went at a stale price`;
  if (BigInt(receipt.value) !== up(scales.exact(receipt.asset, BigInt(receipt.quantity)), UNIT)) yield "the value is not the quantity at the mark";
}

function* premium(receipt: Relief): Generator<string> {
  const [value, paid, kept] = [receipt.value, receipt.paid, receipt.premium].map(BigInt) as [bigint, bigint, bigint];
  if (paid + kept !== value || kept < 0n || kept > value) yield "what is paid is not the value less the premium";
  if (kept * RATIO > value * BigInt(receipt.rate)) yield "the premium is above the rate that was asked";
  if (value > BigInt(receipt.posted)) yield "the standby took over more than was posted";
}

function* wasThere(receipt: Relief, scales: Scales): Generator<string> {
  const quantity = BigInt(receipt.quantity);
  const shares = BigInt(receipt.shares);
  const given = balanceOf(receipt.before, receipt.receiver, receipt.asset);
  const isClaim = receipt.form === "CLAIM";
  const held = BigInt((isClaim ? given?.lent : given?.available) ?? "0");
  if (quantity < 1n || quantity > held) yield "more was taken over than was there";
  if (isClaim) {
    const index = BigInt(scales.of(receipt.asset).lend_index);
    if (size(shares * index - quantity * INDEX) > 2n * INDEX + 2n * index) yield "the shares are not those of the quantity";
  } else if (shares !== 0n || receipt.asset === USDC) yield "free tokens other than USDC have no shares";
  if (BigInt(receipt.paid) > BigInt(balanceOf(receipt.before, receipt.standby, USDC)?.available ?? "0")) yield "the standby paid more than was free";
}

/** What changed hands, as the legs that it consists of. */
function passedIn(receipt: Relief) {
  const { before, after, receiver, standby, asset, form, quantity, value, paid } = receipt;
  const legs = [
    { giver: receiver, receiver: standby, asset, form, quantity, value },
    { giver: standby, receiver, asset: USDC, form: "AVAILABLE", quantity: paid, value: paid },
  ];
  return { name: `swap ${receipt.swap}`, before, after, legs };
}

function partyOf(parties: readonly Party[], account: number): Party {
  const found = parties.find((each) => each.account === account);
  if (!found) throw new RangeError(`account ${account} is not among its parties`);
  return found;
}

function* noneIsWorse(receipt: Relief, scales: Scales): Generator<string> {
  const spare = (party: Party) => BigInt(party.net_equity) - BigInt(party.maintenance);
  const [was, is] = [receipt.before, receipt.after].map((parties) => partyOf(parties, receipt.receiver)) as [Party, Party];
  const unit = [receipt.asset, USDC].reduce((sum, asset) => sum + (2n + scales.shares(asset)) * (scales.exact(asset, 1n) + UNIT), 0n);
  if (receipt.case === "STUCK_LENDER" && (spare(was) - spare(is)) * UNIT > unit) yield "the stuck lender's health falls";
  const then = partyOf(receipt.after, receipt.standby);
  const isFresh = receipt.assets.every((terms) => !terms.stale);
  if (isFresh && BigInt(then.net_equity) + 2n < BigInt(then.initial)) yield "the standby is below its initial margin";
}

export function reliefChecks(receipt: Relief): Check[] {
  const scales = new Scales(receipt.assets);
  const passed = passedIn(receipt);
  const kept = BigInt(receipt.premium);
  const expected = new Map([
    [receipt.standby, kept],
    [receipt.receiver, -kept],
  ]);
  return [
    { name: "The value is the quantity at the mark", problems: [...oneMark(receipt, scales), ...price(receipt, scales)] },
    { name: "What is paid is the value less the premium, at the rate that was posted", problems: [...premium(receipt)] },
    { name: "What was taken over was there, and what was paid was free", problems: [...wasThere(receipt, scales)] },
    { name: "What one loses the other gains", problems: [...netsToNothing(scales, passed)] },
    { name: "Total values stay, but for the premium", problems: [...totalsStay(scales, passed, receipt.asset, expected)] },
    { name: "Who was stuck is no worse for it, and the standby can bear it", problems: [...noneIsWorse(receipt, scales)] },
  ];
}
