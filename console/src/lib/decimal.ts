/**
 * Decimals: the API's amounts as whole numbers with a scale, exact whatever is done with them.
 *
 * `"12.50"` is 1250 with scale 2. A number that is shown with fewer digits than it has is cut toward
 * zero, never rounded, so that no screen says more than there is.
 */

export interface Decimal {
  readonly units: bigint;
  readonly scale: number;
}

const FORM = /^(-?)(\d+)(?:\.(\d+))?$/;
const TYPED = /^\d{0,20}(?:\.\d{0,18})?$/;

export const ZERO: Decimal = { units: 0n, scale: 0 };
export const ONE: Decimal = { units: 1n, scale: 0 };

/** The number that a text says; throws for what is none. */
export function decimal(text: string): Decimal {
  const found = FORM.exec(text);
  if (!found) throw new RangeError(`no decimal: ${text}`);
  const fraction = found[3] ?? "";
  const units = BigInt(`${found[2]}${fraction}`);
  return { units: found[1] ? -units : units, scale: fraction.length };
}

/** What somebody typed, if it is an amount above zero. */
export function typed(text: string): Decimal | null {
  const plain = text.trim().replaceAll(",", "").replaceAll(" ", "");
  if (!/\d/.test(plain) || !TYPED.test(plain)) return null;
  const [whole = "", fraction = ""] = plain.split(".");
  const found = decimal(`${whole || "0"}${fraction ? `.${fraction}` : ""}`);
  return found.units > 0n ? found : null;
}

function power(digits: number): bigint {
  return 10n ** BigInt(digits);
}

function at(number: Decimal, scale: number): bigint {
  return number.units * power(scale - number.scale);
}

export function add(left: Decimal, right: Decimal): Decimal {
  const scale = Math.max(left.scale, right.scale);
  return { units: at(left, scale) + at(right, scale), scale };
}

export function negative(number: Decimal): Decimal {
  return { units: -number.units, scale: number.scale };
}

export function subtract(left: Decimal, right: Decimal): Decimal {
  return add(left, negative(right));
}

export function multiply(left: Decimal, right: Decimal): Decimal {
  return { units: left.units * right.units, scale: left.scale + right.scale };
}

/** The quotient with so many digits, cut toward zero. Throws where the divisor is zero. */
export function divide(left: Decimal, right: Decimal, scale: number): Decimal {
  const up = power(scale + right.scale);
  return { units: (left.units * up) / (right.units * power(left.scale)), scale };
}

export function compare(left: Decimal, right: Decimal): number {
  const scale = Math.max(left.scale, right.scale);
  const difference = at(left, scale) - at(right, scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function least(first: Decimal, ...others: Decimal[]): Decimal {
  return others.reduce((found, each) => (compare(each, found) < 0 ? each : found), first);
}

/** The number with at most so many digits, cut toward zero. */
export function cut(number: Decimal, scale: number): Decimal {
  if (number.scale <= scale) return number;
  return { units: number.units / power(number.scale - scale), scale };
}

/** As the API writes it: no exponent and no zeros at the end. */
export function text(number: Decimal): string {
  const digits = (number.units < 0n ? -number.units : number.units)
    .toString()
    .padStart(number.scale + 1, "0");
  const whole = digits.slice(0, digits.length - number.scale);
  const fraction = number.scale ? digits.slice(-number.scale).replace(/0+$/, "") : "";
  const sign = number.units < 0n ? "-" : "";
  return `${sign}${whole}${fraction ? `.${fraction}` : ""}`;
}

/** For people: thousands apart and, where `digits` are given, exactly so many after the point. */
export function shown(number: Decimal, digits?: number): string {
  const plain = text(digits === undefined ? number : cut(number, digits));
  const [whole = "0", fraction = ""] = plain.replace("-", "").split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const end = digits === undefined ? fraction : fraction.padEnd(digits, "0");
  const isNothing = number.units !== 0n && /^0*$/.test(whole + end);
  const sign = number.units < 0n ? "−" : "";
  const figure = `${grouped}${end ? `.${end}` : ""}`;
  return isNothing ? `${sign}<0.${"1".padStart(digits ?? 1, "0")}` : `${sign}${figure}`;
}

/** A ratio in percent. */
export function percent(number: Decimal, digits = 2): string {
  return `${shown({ units: number.units * 100n, scale: number.scale }, digits)} %`;
}

/** For the place of a pixel only. */
export function rough(number: Decimal): number {
  return Number(text(number));
}
