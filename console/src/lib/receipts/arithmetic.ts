/** What every kind of receipt is computed with: worth at the mark, rounding, and what nets to nothing. */

import type { Balance, Leg, Party, Settled, Terms } from "./form.ts";

export const FUND = 0;
const VALUE_TO_MARK = 10_000n;
export const INDEX = 10n ** 18n;
export const RATIO = 10n ** 9n;
/** Units of value by which rounding may change a match or a leg. */
export const ROUNDED = 4n;

export function size(number: bigint): bigint {
  return number < 0n ? -number : number;
}

export function up(number: bigint, by: bigint): bigint {
  return (number + by - 1n) / by;
}

export class Scales {
  private readonly terms: ReadonlyMap<string, Terms>;

  constructor(assets: readonly Terms[]) {
    this.terms = new Map(assets.map((terms) => [terms.symbol, terms]));
  }

  of(asset: string): Terms {
    const found = this.terms.get(asset);
    if (!found) throw new RangeError(`the receipt has no terms of ${asset}`);
    return found;
  }

  /** What atoms are worth at the mark, in 10^-12 of the smallest value, exactly. */
  exact(asset: string, atoms: bigint): bigint {
    const { mark, decimals } = this.of(asset);
    return (atoms * BigInt(mark) * 10n ** 12n) / (VALUE_TO_MARK * 10n ** BigInt(decimals));
  }

  /** Atoms that the rounding of shares may cost one party. */
  shares(asset: string): bigint {
    const { lend_index, debt_index } = this.of(asset);
    return up(BigInt(lend_index), INDEX) + up(BigInt(debt_index), INDEX);
  }

  assets(): string[] {
    return [...this.terms.keys()];
  }
}

/** What a unit of value is of `Scales.exact`. */
export const UNIT = 10n ** 12n;

export function balanceOf(parties: readonly Party[], account: number, asset: string): Balance | undefined {
  return parties.find((party) => party.account === account)?.balances.find((each) => each.asset === asset);
}

export function holding(parties: readonly Party[], account: number, asset: string): bigint {
  const found = balanceOf(parties, account, asset);
  if (!found) return 0n;
  return BigInt(found.available) + BigInt(found.locked) + BigInt(found.lent) - BigInt(found.debt);
}

export interface Passed {
  readonly name: string;
  readonly before: readonly Party[];
  readonly after: readonly Party[];
  readonly legs: readonly Leg[];
}

export function* netsToNothing(scales: Scales, passed: Passed): Generator<string> {
  const accounts = passed.before.map((party) => party.account);
  for (const asset of scales.assets()) {
    const total = accounts.reduce((sum, account) => sum + holding(passed.after, account, asset) - holding(passed.before, account, asset), 0n);
    if (size(total) > BigInt(accounts.length) * scales.shares(asset)) yield `${passed.name}: ${asset} does not net to zero (${total} atoms)`;
  }
}

export function* legsAtTheMark(scales: Scales, passed: Passed): Generator<string> {
  for (const leg of passed.legs) {
    const spare = scales.exact(leg.asset, BigInt(leg.quantity)) - BigInt(leg.value) * UNIT;
    if (scales.of(leg.asset).stale) yield `${passed.name}: ${leg.asset} went at a stale price`;
    if (size(spare) > 2n * scales.exact(leg.asset, 1n) + ROUNDED * UNIT) yield `${passed.name}: a leg of ${leg.asset} counts for another value than it has at the mark`;
  }
}

export function rounding(scales: Scales, passed: Passed, asset: string): bigint {
  const assets = new Set([asset, ...passed.legs.map((leg) => leg.asset)]);
  let found = ROUNDED * UNIT * BigInt(1 + passed.legs.length);
  for (const each of assets) found += (2n + scales.shares(each)) * (scales.exact(each, 1n) + 1n);
  return found;
}

export function* totalsStay(scales: Scales, passed: Passed, asset: string, expected: ReadonlyMap<number, bigint>): Generator<string> {
  const unit = rounding(scales, passed, asset);
  for (const { account } of passed.before) {
    let change = 0n;
    for (const each of scales.assets()) change += scales.exact(each, holding(passed.after, account, each) - holding(passed.before, account, each));
    if (size(change - (expected.get(account) ?? 0n) * UNIT) > unit) yield `${passed.name}: the total value of account ${account} changes beyond rounding`;
  }
}

export function* oneMark(receipt: Settled, scales: Scales): Generator<string> {
  if (scales.of(receipt.asset).mark !== receipt.mark) yield "its mark is not that of its asset";
}
