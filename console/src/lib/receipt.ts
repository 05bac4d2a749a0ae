/**
 * Receipts, verified by arithmetic of this page's own, which asks nothing of the market.
 *
 * Checked are the digest and what was promised: the value is the quantity at the mark, the legs sum
 * to it and go at the mark, loan and claim fall by the quantity and by no more than there was, what
 * one party loses the others gain, and total values stay. `solvent verify` checks, beyond that, that
 * the policy allotted what it had to.
 *
 * Units: quantities atoms, marks 10^-10 USDC a token, values 10^-6 USDC, indices 10^-14.
 */

import { blake2b } from "./blake2b.ts";

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface Balance {
  readonly asset: string;
  readonly available: string;
  readonly locked: string;
  readonly lent: string;
  readonly debt: string;
}

export interface Party {
  readonly account: number;
  readonly total_value: string;
  readonly net_equity: string;
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

interface Terms {
  readonly symbol: string;
  readonly decimals: number;
  readonly mark: string;
  readonly stale: boolean;
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

interface PoolLoss {
  readonly asset: string;
}

/** Losses that were certain, written off at once; all of it is recomputed by `solvent verify`. */
export interface Booking {
  readonly booking: number;
  readonly command: number;
  readonly time: string;
  readonly shortfall: string;
  readonly fund_value: string;
  readonly paid: string;
  readonly assets: readonly Terms[];
  readonly accounts: readonly { readonly account: number }[];
  readonly pools: readonly PoolLoss[];
  readonly digest: string;
}

export type Settled = Round | Fill;
export type Receipt = Settled | Booking;

export interface Check {
  readonly name: string;
  readonly problems: readonly string[];
}

const FUND = 0;
const VALUE_TO_MARK = 10_000n;
const INDEX = 10n ** 14n;
const ROUNDED = 2n;

export function isRound(receipt: Receipt): receipt is Round {
  return "round" in receipt;
}

export function isBooking(receipt: Receipt): receipt is Booking {
  return "booking" in receipt;
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

function size(number: bigint): bigint {
  return number < 0n ? -number : number;
}

function up(number: bigint, by: bigint): bigint {
  return (number + by - 1n) / by;
}

class Scales {
  private readonly terms: ReadonlyMap<string, Terms>;

  constructor(receipt: Settled) {
    this.terms = new Map(receipt.assets.map((terms) => [terms.symbol, terms]));
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

const UNIT = 10n ** 12n;

function balanceOf(parties: readonly Party[], account: number, asset: string): Balance | undefined {
  return parties.find((party) => party.account === account)?.balances.find((each) => each.asset === asset);
}

function holding(parties: readonly Party[], account: number, asset: string): bigint {
  const found = balanceOf(parties, account, asset);
  if (!found) return 0n;
  return BigInt(found.available) + BigInt(found.locked) + BigInt(found.lent) - BigInt(found.debt);
}

interface Passed {
  readonly name: string;
  readonly before: readonly Party[];
  readonly after: readonly Party[];
  readonly legs: readonly Leg[];
}

function* netsToNothing(scales: Scales, passed: Passed): Generator<string> {
  const accounts = passed.before.map((party) => party.account);
  for (const asset of scales.assets()) {
    const total = accounts.reduce((sum, account) => sum + holding(passed.after, account, asset) - holding(passed.before, account, asset), 0n);
    if (size(total) > BigInt(accounts.length) * scales.shares(asset)) yield `${passed.name}: ${asset} does not net to zero (${total} atoms)`;
  }
}

function* legsAtTheMark(scales: Scales, passed: Passed): Generator<string> {
  for (const leg of passed.legs) {
    const spare = scales.exact(leg.asset, BigInt(leg.quantity)) - BigInt(leg.value) * UNIT;
    if (scales.of(leg.asset).stale) yield `${passed.name}: ${leg.asset} went at a stale price`;
    if (size(spare) > 2n * scales.exact(leg.asset, 1n) + ROUNDED * UNIT) yield `${passed.name}: a leg of ${leg.asset} counts for another value than it has at the mark`;
  }
}

function rounding(scales: Scales, passed: Passed, asset: string): bigint {
  const assets = new Set([asset, ...passed.legs.map((leg) => leg.asset)]);
  let found = ROUNDED * UNIT * BigInt(1 + passed.legs.length);
  for (const each of assets) found += (2n + scales.shares(each)) * (scales.exact(each, 1n) + 1n);
  return found;
}

function* totalsStay(scales: Scales, passed: Passed, asset: string, expected: ReadonlyMap<number, bigint>): Generator<string> {
  const unit = rounding(scales, passed, asset);
  for (const { account } of passed.before) {
    let change = 0n;
    for (const each of scales.assets()) change += scales.exact(each, holding(passed.after, account, each) - holding(passed.before, account, each));
    if (size(change - (expected.get(account) ?? 0n) * UNIT) > unit) yield `${passed.name}: the total value of account ${account} changes beyond rounding`;
  }
}

function isInCash(match: Match): boolean {
  return match.legs.filter((leg) => leg.giver === match.giver).every((leg) => leg.asset === "USDC");
}

function given(receipt: Round, match: Match): Leg[] {
  const isOpposite = receipt.case === "OPPOSITES";
  return match.legs.filter((leg) => leg.giver === match.giver && !(isOpposite && leg.asset === receipt.asset));
}

function* valueOfMatch(receipt: Round, scales: Scales, match: Match, name: string): Generator<string> {
  const isOpposite = receipt.case === "OPPOSITES";
  const toFund = receipt.case === "BORROWER_DEFAULT" && isInCash(match) ? BigInt(match.fee) : 0n;
  const fee = BigInt(match.fee) - toFund;
  const found = BigInt(match.value) + (isOpposite ? fee : -fee);
  const exact = scales.exact(receipt.asset, BigInt(match.quantity));
  if (size(found * UNIT - exact) > ROUNDED * UNIT) yield `${name}: the value is not the quantity at the mark`;
  const sum = given(receipt, match).reduce((total, leg) => total + BigInt(leg.value), 0n);
  const rest = BigInt(match.value) + toFund - sum;
  if (rest < 0n || rest > toFund) yield `${name}: the legs do not sum to the value`;
}

function* loanOfMatch(receipt: Round, scales: Scales, match: Match, name: string): Generator<string> {
  const { asset } = receipt;
  const quantity = BigInt(match.quantity);
  const debt = BigInt(balanceOf(match.before, match.payer, asset)?.debt ?? "0");
  const left = BigInt(balanceOf(match.after, match.payer, asset)?.debt ?? "0");
  const isOpposite = receipt.case === "OPPOSITES";
  const own = (parties: readonly Party[]) => {
    const balance = balanceOf(parties, match.lender, asset);
    return BigInt((isOpposite ? balance?.available : balance?.lent) ?? "0");
  };
  const claim = own(match.before);
  if (quantity > debt || quantity > claim) yield `${name}: the quantity exceeds the loan or the claim`;
  const legs = given(receipt, match).filter((leg) => leg.asset === asset);
  const unit = BigInt(1 + legs.length) * (scales.shares(asset) + 2n);
  if (match.payer !== match.lender && size(debt - left - quantity) > unit) yield `${name}: the debt does not fall by the quantity`;
  const received = legs.reduce((sum, leg) => sum + BigInt(leg.quantity), 0n);
  const off = quantity - (claim - own(match.after));
  if (off < -unit || off > unit + received) yield `${name}: the claim does not fall by the quantity`;
}

function expectedOf(receipt: Round, match: Match): Map<number, bigint> {
  const found = new Map<number, bigint>();
  const add = (account: number, value: bigint) => found.set(account, (found.get(account) ?? 0n) + value);
  const isOpposite = receipt.case === "OPPOSITES";
  const fee = BigInt(match.fee);
  const toFund = receipt.case === "BORROWER_DEFAULT" && isInCash(match) ? fee : 0n;
  add(match.lender, isOpposite ? -fee : fee - toFund);
  add(match.payer, isOpposite ? fee : -fee);
  add(FUND, toFund);
  if (match.giver !== match.payer) {
    add(match.payer, BigInt(match.value));
    add(match.giver, -BigInt(match.value));
  }
  return found;
}

function* roundSums(receipt: Round): Generator<string> {
  const sum = (numbers: readonly { readonly [name: string]: unknown }[], name: string) => numbers.reduce((total, each) => total + BigInt(String(each[name])), 0n);
  const atoms = BigInt(receipt.matches.length);
  if (sum(receipt.matches as never, "quantity") > BigInt(receipt.allotted) + atoms) yield "more was matched than allotted, beyond an atom a match";
  if (sum(receipt.candidates as never, "allotted") !== BigInt(receipt.allotted)) yield "the allotments do not sum to what was allotted";
  for (const candidate of receipt.candidates) {
    if (BigInt(candidate.allotted) > BigInt(candidate.cap)) yield `account ${candidate.account} was allotted more than its cap`;
  }
  if (BigInt(receipt.allotted) > BigInt(receipt.needed)) yield "more was allotted than needed";
}

function* fillValue(receipt: Fill, scales: Scales): Generator<string> {
  const exact = scales.exact(receipt.asset, BigInt(receipt.quantity));
  if (size(BigInt(receipt.value) * UNIT - exact) > ROUNDED * UNIT) yield "the value is not the quantity at the mark";
}

function* fillLoan(receipt: Fill, scales: Scales): Generator<string> {
  const debt = (parties: readonly Party[]) => BigInt(balanceOf(parties, receipt.account, receipt.asset)?.debt ?? "0");
  const fell = debt(receipt.before) - debt(receipt.after);
  if (size(fell - BigInt(receipt.quantity)) > scales.shares(receipt.asset) + 2n) yield "the debt does not fall by the quantity";
}

/** What was checked and what is wrong; a receipt is good where nothing is. */
export function verify(receipt: Receipt): Check[] {
  try {
    return [{ name: "Its digest fits all that it says", problems: digestOf(receipt) === receipt.digest ? [] : ["the digest does not fit the rest of the receipt"] }, ...promises(receipt)];
  } catch (error) {
    return [{ name: "It can be read", problems: [`it cannot be recomputed: ${(error as Error).message}`] }];
  }
}

function* oneMark(receipt: Settled, scales: Scales): Generator<string> {
  if (scales.of(receipt.asset).mark !== receipt.mark) yield "its mark is not that of its asset";
}

function* bookingSums(receipt: Booking): Generator<string> {
  const [shortfall, fund, paid] = [receipt.shortfall, receipt.fund_value, receipt.paid].map(BigInt) as [bigint, bigint, bigint];
  if (paid > fund) yield "the fund paid more than it had free";
  if (paid < fund && paid < shortfall) yield "the fund kept something while a loss was left";
}

function promises(receipt: Receipt): Check[] {
  if (isBooking(receipt)) return [{ name: "The fund paid first, as far as it went", problems: [...bookingSums(receipt)] }];
  const scales = new Scales(receipt);
  if (!isRound(receipt)) {
    const passed = { name: `fill ${receipt.fill}`, before: receipt.before, after: receipt.after, legs: receipt.legs };
    return [
      { name: "The value is the quantity at the mark", problems: [...oneMark(receipt, scales), ...fillValue(receipt, scales)] },
      { name: "The debt falls by the quantity", problems: [...fillLoan(receipt, scales)] },
      { name: "What one loses the others gain", problems: [...netsToNothing(scales, passed)] },
    ];
  }
  const all = (check: (match: Match, name: string, passed: Passed) => Iterable<string>) =>
    receipt.matches.flatMap((match, at) => {
      const name = `match ${at + 1}`;
      return [...check(match, name, { name, before: match.before, after: match.after, legs: match.legs })];
    });
  return [
    { name: "The value is the quantity at the mark, and the legs sum to it", problems: [...oneMark(receipt, scales), ...all((match, name) => valueOfMatch(receipt, scales, match, name))] },
    { name: "Each leg goes at the mark, and none at a stale one", problems: all((_, __, passed) => legsAtTheMark(scales, passed)) },
    { name: "Loan and claim fall by the quantity, and nobody pays more than he owes", problems: all((match, name) => loanOfMatch(receipt, scales, match, name)) },
    { name: "What one loses the others gain", problems: all((_, __, passed) => netsToNothing(scales, passed)) },
    { name: "Total values stay, but for the fee", problems: all((match, _, passed) => totalsStay(scales, passed, receipt.asset, expectedOf(receipt, match))) },
    { name: "The allotments sum to what was settled, within each cap", problems: [...roundSums(receipt)] },
  ];
}
