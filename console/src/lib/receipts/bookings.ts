/** Bookings: losses that were certain, what the fund paid of them, and how the rest fell on lenders. */

import { balanceOf, INDEX, Scales, size, UNIT, up } from "./arithmetic.ts";
import type { Booked, Booking, Check, PoolLoss } from "./form.ts";

function sumOf(texts: readonly string[]): bigint {
  return texts.reduce((sum, each) => sum + BigInt(each), 0n);
}

function* fundFirst(receipt: Booking): Generator<string> {
  const [shortfall, fund, paid] = [receipt.shortfall, receipt.fund_value, receipt.paid].map(BigInt) as [bigint, bigint, bigint];
  if (paid > fund) yield "the fund paid more than it had free";
  if (paid < fund && paid < shortfall) yield "the fund kept something while a loss was left";
  if (paid !== sumOf(receipt.accounts.map((each) => each.fund))) yield "what accounts were paid is not what the fund paid";
  for (const { asset, fund: had } of receipt.reserves) {
    const spent = sumOf(receipt.accounts.flatMap((each) => each.payments.filter((one) => one.asset === asset).map((one) => one.quantity)));
    if (spent > BigInt(had)) yield `the fund paid more ${asset} than it had`;
  }
}

/** Values are counted in whole units, assets down and debts up. */
const UNITS = 2n;

function* lossOf(line: Booked, scales: Scales): Generator<string> {
  const name = `account ${line.account}`;
  const lacked = BigInt(line.shortfall);
  if (size(lacked - (BigInt(line.debts_value) - BigInt(line.assets_value))) > UNITS) yield `${name}: what it lacked is not its debts less its assets`;
  if (lacked !== BigInt(line.fund) + BigInt(line.loss)) yield `${name}: its loss is not what it lacked less what the fund paid`;
  if (BigInt(line.fund) !== sumOf(line.payments.map((each) => each.value))) yield `${name}: what the fund paid is not the sum of its payments`;
  for (const each of line.written) {
    const quantity = BigInt(each.quantity);
    if (BigInt(each.value) !== up(scales.exact(each.asset, quantity), UNIT)) yield `${name}: what is written off of ${each.asset} is not the quantity at the mark`;
    const debt = (party: Booked["before"]) => BigInt(balanceOf([party], line.account, each.asset)?.debt ?? "0");
    if (debt(line.before) - debt(line.after) !== quantity) yield `${name}: its debt of ${each.asset} does not fall by what is written off`;
  }
}

/** A loss is what debts fell by, in shares, and is borne once: by fees, the residue and the lenders. */
function* borne(receipt: Booking, scales: Scales, pool: PoolLoss): Generator<string> {
  const shares = sumOf(receipt.accounts.flatMap((each) => each.written.filter((one) => one.asset === pool.asset).map((one) => one.debt_shares)));
  const loss = BigInt(pool.loss);
  if (loss !== up(shares * BigInt(scales.of(pool.asset).debt_index), INDEX)) yield `${pool.asset}: the loss is not what debts fell by`;
  if (loss !== sumOf([pool.fees, pool.treasury, pool.residue, pool.lenders])) yield `${pool.asset}: the loss is not what was borne`;
  const had = receipt.reserves.find((each) => each.asset === pool.asset);
  if (!had || BigInt(pool.fees) > BigInt(had.fees) || BigInt(pool.treasury) > BigInt(had.treasury)) yield `${pool.asset}: more fees were given back than there were`;
}

function* oneFraction(scales: Scales, pool: PoolLoss): Generator<string> {
  const terms = scales.of(pool.asset);
  const [shares, index, lost] = [terms.lend_shares, terms.lend_index, pool.lenders].map(BigInt) as [bigint, bigint, bigint];
  if (BigInt(pool.claims) !== (shares * index) / INDEX) yield `${pool.asset}: the claims are not its shares at the index`;
  const left = lost ? index - up(lost * INDEX, shares) : index;
  const then = left > 0n ? left : 0n;
  // Claims of less than an atom lose nothing that is told, and may end with the pool's loss.
  const isOver = (lost > 0n || pool.restarted) && shares * then < INDEX;
  if (BigInt(pool.lend_index) !== (isOver ? INDEX : then) || pool.restarted !== isOver) yield `${pool.asset}: claims fell by another fraction`;
}

function* writtenOnce(receipt: Booking): Generator<string> {
  const written = new Set(receipt.accounts.flatMap((each) => each.written.map((one) => one.asset)));
  const down = receipt.pools.map((each) => each.asset);
  if (down.length !== written.size || down.some((asset) => !written.has(asset))) yield "a pool with a loss is not written down once";
}

export function bookingChecks(receipt: Booking): Check[] {
  const scales = new Scales(receipt.assets);
  return [
    { name: "The fund paid first, as far as it went", problems: [...fundFirst(receipt)] },
    { name: "Each account's loss is what it lacked less what the fund paid", problems: receipt.accounts.flatMap((each) => [...lossOf(each, scales)]) },
    { name: "Each pool's loss is what debts to it fell by, and is borne once", problems: [...writtenOnce(receipt), ...receipt.pools.flatMap((each) => [...borne(receipt, scales, each)])] },
    { name: "All claims on a pool fell by one fraction", problems: receipt.pools.flatMap((each) => [...oneFraction(scales, each)]) },
  ];
}
