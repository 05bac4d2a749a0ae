/** Figures: a number, a time or a state, shown the same way everywhere. */

import type { ComponentChildren } from "preact";
import { cut, decimal, percent, shown, text } from "../lib/decimal.ts";
import { clock } from "../lib/time.ts";
import { settings } from "../data/settings.ts";

interface Given {
  readonly of: string | null | undefined;
  readonly digits?: number;
  readonly unit?: string;
  readonly sign?: boolean;
}

/** An amount; where it is cut, the whole of it is in the title. What is unknown is a dash. */
export function Figure({ of, digits, unit, sign }: Given) {
  if (of === null || of === undefined) return <span class="figure none">–</span>;
  const number = decimal(of);
  const isCut = digits !== undefined && text(cut(number, digits)) !== text(number);
  const tone = sign && number.units ? (number.units > 0n ? " up" : " down") : "";
  const plus = sign && number.units > 0n ? "+" : "";
  return (
    <span class={`figure${tone}`} data-value={of} title={isCut ? `${shown(number)}${unit ? ` ${unit}` : ""}` : undefined}>
      {plus}
      {shown(number, digits)}
      {unit && <span class="unit"> {unit}</span>}
    </span>
  );
}

export function Percent({ of, digits = 2 }: { of: string | null | undefined; digits?: number }) {
  if (of === null || of === undefined) return <span class="figure none">–</span>;
  return (
    <span class="figure" data-value={of} title={percent(decimal(of), 7)}>
      {percent(decimal(of), digits)}
    </span>
  );
}

export function Time({ of, form = "time" }: { of: number; form?: "time" | "minute" | "day" | "full" }) {
  const isLocal = settings.value.zone === "local";
  return (
    <time class="figure" dateTime={new Date(of).toISOString()} title={`${clock(of, isLocal, "full")} ${isLocal ? "local" : "UTC"}`}>
      {clock(of, isLocal, form)}
    </time>
  );
}

export type Tone = "good" | "warn" | "bad" | "mute";
const SIGNS: Record<Tone, string> = { good: "●", warn: "▲", bad: "■", mute: "○" };

/** A state in a word, with a sign and a colour; none of them alone says it. */
export function State({ tone, children, why }: { tone: Tone; children: ComponentChildren; why?: string }) {
  return (
    <span class={`state ${tone}`} title={why}>
      <span aria-hidden="true">{SIGNS[tone]}</span> {children}
    </span>
  );
}

export function Fact({ name, children, hint }: { name: string; children: ComponentChildren; hint?: string }) {
  return (
    <div class="fact">
      <dt title={hint}>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
