/** Rate curves: straight lines between points, read exactly. */

import { add, compare, decimal, divide, multiply, subtract, type Decimal, ZERO } from "./decimal.ts";

export type Points = readonly (readonly [string, string])[];

const DIGITS = 9;

/** The rate at a utilization; beyond the last point it is the last point's. */
export function rateAt(points: Points, utilization: Decimal): Decimal {
  let last: [Decimal, Decimal] | null = null;
  for (const [at, rate] of points) {
    const here: [Decimal, Decimal] = [decimal(at), decimal(rate)];
    if (compare(utilization, here[0]) <= 0) {
      if (!last) return here[1];
      const rise = multiply(subtract(here[1], last[1]), subtract(utilization, last[0]));
      return add(last[1], divide(rise, subtract(here[0], last[0]), DIGITS));
    }
    last = here;
  }
  return last ? last[1] : ZERO;
}

/** Borrowed over lent, cut to nine digits as the market does; 0 where nothing is lent. */
export function utilizationOf(borrowed: Decimal, lent: Decimal): Decimal {
  return lent.units > 0n ? divide(borrowed, lent, DIGITS) : ZERO;
}
