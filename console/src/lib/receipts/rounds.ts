/** Rounds of ADL: each match, and that the allotments sum to what was settled. */

import { balanceOf, FUND, legsAtTheMark, netsToNothing, oneMark, type Passed, ROUNDED, Scales, size, totalsStay, UNIT } from "./arithmetic.ts";
import type { Check, Leg, Match, Party, Round } from "./form.ts";

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

export function roundChecks(receipt: Round): Check[] {
  const scales = new Scales(receipt.assets);
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
