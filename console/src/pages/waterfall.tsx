/** The waterfall: what each stage settled and why it handed over, step by step as it happens. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { useAsked, type Schemas } from "../data/api.ts";
import { line, useStream } from "../data/streams.ts";
import { add, decimal, rough, shown, text, ZERO, type Decimal } from "../lib/decimal.ts";
import { REASONS } from "../lib/receipts/told.ts";
import { past } from "../data/past.ts";
import { BridgePanel, CapacityPanel } from "./bridge.tsx";
import { Figure, State, Time } from "../parts/figures.tsx";
import { Data } from "../parts/data.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Step = Schemas["WaterfallStep"];

const KEPT = 5000;
const ASKED = "1000";
const SHOWN = 60;
const TOLD_MS = 5000;

const STAGES = [
  { key: "BOOK", name: "Order book", said: "sold and bought back on the book" },
  { key: "BACKSTOP", name: "Backstop providers", said: "taken over at the mark, at a discount" },
  { key: "OPPOSITES", name: "ADL, opposites", said: "one held what the other owed" },
  { key: "STUCK_LENDER", name: "ADL, stuck lenders", said: "borrowers paid lenders who could not redeem" },
  { key: "BORROWER_DEFAULT", name: "ADL, defaults", said: "lenders were paid out of the borrower's assets" },
  { key: "BOOKING", name: "Booked losses", said: "the fund paid, then all lenders alike" },
] as const;

export type StageKey = (typeof STAGES)[number]["key"];

interface Sum {
  readonly value: Decimal;
  readonly accounts: ReadonlySet<string>;
  readonly count: number;
  readonly reasons: ReadonlyMap<string, number>;
}

function amountOf(step: Step, ...names: string[]): string | null {
  return step.amounts.find((each) => names.includes(each.name))?.amount ?? null;
}

function partyOf(step: Step, ...roles: string[]): string {
  return step.parties.find((each) => roles.includes(each.role))?.account ?? "";
}

const VALUES: Record<string, readonly string[]> = {
  BookFilled: ["value"],
  BackstopFilled: ["debt_value"],
  AdlMatched: ["value"],
  FundPaid: ["value"],
  DeficitBooked: ["value"],
};

/** Which party of a match is the one in the waterfall, where that is not the payer. */
const LIQUIDATED: Partial<Record<StageKey, string>> = { OPPOSITES: "lender", STUCK_LENDER: "lender" };

/** What each stage settled, exactly, over some steps; `cases` names the case of each round. */
export function sums(steps: readonly Step[]): Map<StageKey, Sum> {
  const cases = new Map(steps.filter((step) => step.step === "AdlOpened").map((step) => [step.round, step.case]));
  const found = new Map<StageKey, { value: Decimal; accounts: Set<string>; count: number; reasons: Map<string, number> }>();
  for (const { key } of STAGES) found.set(key, { value: ZERO, accounts: new Set(), count: 0, reasons: new Map() });
  for (const step of steps) {
    const key = stageOf(step, cases);
    const sum = key && found.get(key);
    if (!sum) continue;
    const value = VALUES[step.step] ? amountOf(step, ...(VALUES[step.step] ?? [])) : null;
    if (value !== null) {
      sum.value = add(sum.value, decimal(value));
      sum.count += 1;
      sum.accounts.add(partyOf(step, "account", LIQUIDATED[key] ?? "payer"));
    }
    if (step.step === "HandedOver" && step.reason) sum.reasons.set(step.reason, (sum.reasons.get(step.reason) ?? 0) + 1);
  }
  return found;
}

function stageOf(step: Step, cases: ReadonlyMap<number | null, string | null>): StageKey | null {
  if (step.stage === "ADL") return ((step.case ?? cases.get(step.round)) as StageKey | null) ?? null;
  if (step.stage === "DEFICIT") return "BOOKING";
  return step.stage as StageKey | null;
}

export function Waterfall() {
  const [first, again] = useAsked<Step[]>({ path: "/solvent/v1/waterfall", fields: { limit: ASKED } }, 60_000);
  const [solvency] = useAsked<Schemas["Solvency"]>({ path: "/solvent/v1/solvency" }, 3000);
  const [later, setLater] = useState<readonly Step[]>([]);
  const [only, setOnly] = useState<StageKey | null>(null);
  useStream<Step>("waterfall", (step) => setLater((before) => [...before, step].slice(-KEPT)), again);
  useEffect(() => setLater([]), [first.value.at]);
  useEffect(() => {
    document.title = "Waterfall · Solvent";
  }, []);
  const until = past.value;
  const steps = useMemo(() => joined(first.value.value ?? [], later).filter((step) => until === null || step.E <= until), [first.value.value, later, until]);
  const found = useMemo(() => sums(steps), [steps]);
  const begun = steps[0];
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Waterfall</h1>
          {until !== null && <State tone="mute">until then</State>}
          {until === null && solvency.value.value && <State tone={solvency.value.value.liquidating ? "warn" : "good"}>{solvency.value.value.liquidating ? `${solvency.value.value.liquidating} accounts in it now` : "nobody is in it now"}</State>}
          {begun && (
            <span class="totals">
              the latest {steps.length} steps, since <Time of={begun.E / 1000} form="full" />
            </span>
          )}
          <span class="grow" />
          <a class="quiet" href="/receipts">
            Receipts
          </a>
          <Data of="/waterfall" more={`?limit=${ASKED}`} />
        </header>
        <Answer of={first.value} what="steps">
          {() => (steps.length ? <Bridge of={found} only={only} choose={setOnly} /> : <p class="note">{until === null ? "Nobody has been liquidated since the service was started." : "Of the steps that are kept none had happened by then."}</p>)}
        </Answer>
      </section>
      {until === null && <BridgePanel />}
      {until === null && <CapacityPanel />}
      <div class="split wide">
        <section class="panel">
          <header class="title">
            <h2>Tape</h2>
            <State tone={line.value === "on" ? "good" : "mute"}>{until !== null ? "the past" : line.value === "on" ? "live" : line.value}</State>
            {only && (
              <button type="button" class="quiet" onClick={() => setOnly(null)}>
                all stages
              </button>
            )}
          </header>
          <Tape steps={steps} only={only} />
        </section>
        <section class="panel">
          <header class="title">
            <h2>{until === null ? "Is every lender whole?" : "Is every lender whole, now?"}</h2>
          </header>
          <Answer of={solvency.value} what="pools">
            {(told) => <Table caption="Claims and what stands behind them" rows={told.pools} columns={COVER} id={(row) => row.symbol} fileName="solvency" />}
          </Answer>
          <p class="why">Claims are covered where cash in the pool and debts to it are as much. The state's hash is in the JSON.</p>
        </section>
      </div>
    </>
  );
}

const COVER: Column<Schemas["PoolSolvency"]>[] = [
  { name: "Pool", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Covered", isText: true, cell: (row) => <State tone={row.covered ? "good" : "bad"}>{row.covered ? "yes" : "no"}</State>, plain: (row) => String(row.covered) },
  { name: "Claims", cell: (row) => <Figure of={row.claims} digits={2} />, plain: (row) => row.claims },
  { name: "Cash", cell: (row) => <Figure of={row.cash} digits={2} />, plain: (row) => row.cash },
  { name: "Debts", cell: (row) => <Figure of={row.borrowed} digits={2} />, plain: (row) => row.borrowed },
  { name: "Lost", hint: "To defaults so far", cell: (row) => <Figure of={row.deficit} digits={3} />, plain: (row) => row.deficit },
];

/** What was asked for and what came since, each step once: streams repeat none of a command. */
function joined(first: readonly Step[], later: readonly Step[]): readonly Step[] {
  const last = first.at(-1)?.command ?? -1;
  return [...first, ...later.filter((step) => step.command > last)];
}

function Bridge({ of, only, choose }: { of: Map<StageKey, Sum>; only: StageKey | null; choose: (key: StageKey | null) => void }) {
  const total = [...of.values()].reduce((sum, each) => add(sum, each.value), ZERO);
  const whole = Math.max(rough(total), 1e-9);
  let before = 0;
  return (
    <ol class="bridge">
      {STAGES.map(({ key, name, said }) => {
        const sum = of.get(key);
        if (!sum) return null;
        const width = (rough(sum.value) / whole) * 100;
        const left = before;
        before += width;
        const reasons = [...sum.reasons].map(([reason, count]) => `${REASONS[reason] ?? reason} (${count})`).join(", ");
        return (
          <li key={key} data-stage={key}>
            <button type="button" class="stage" aria-pressed={only === key} onClick={() => choose(only === key ? null : key)} title={said}>
              <span class="name">{name}</span>
              <span class="grow bar-of">
                <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                  <rect class="track" width="100" height="10" />
                  <rect class={`part ${key.toLowerCase()}`} x={left} width={Math.max(width, sum.count ? 0.25 : 0)} height="10" />
                </svg>
              </span>
              <span class="worth">
                <Figure of={text(sum.value)} digits={2} unit="USDC" />
              </span>
              <span class="count">
                {sum.accounts.size} {sum.accounts.size === 1 ? "account" : "accounts"}
              </span>
            </button>
            {reasons && (
              <p class="handover">
                <span aria-hidden="true">↳</span> handed over: {reasons}
              </p>
            )}
          </li>
        );
      })}
      <li class="sum">
        <span class="name">Together</span>
        <span class="grow" />
        <span class="worth">
          <Figure of={text(total)} digits={2} unit="USDC" />
        </span>
        <span class="count" />
      </li>
    </ol>
  );
}

const SENTENCES: Record<string, (step: Step) => string> = {
  LiquidationStarted: (step) => `is liquidated: net equity ${usdc(step, "net_equity")} of ${usdc(step, "maintenance")} needed`,
  LiquidationEnded: (step) => `leaves the waterfall with net equity ${usdc(step, "net_equity")}`,
  BookFilled: (step) => `trades ${tokens(step)} on the book at ${figure(amountOf(step, "price"), 4)}`,
  HandedOver: (step) => `${step.stage === "BOOK" ? "the book" : step.stage === "BACKSTOP" ? "the backstop" : "ADL"} hands over ${usdc(step, "value")}: ${REASONS[step.reason ?? ""] ?? "no reason"}`,
  BackstopFilled: (step) => `a provider takes over ${tokens(step)} of debt, worth ${usdc(step, "debt_value")}`,
  BackstopLeg: (step) => `collateral of ${tokens(step)} goes with it`,
  AdlOpened: (step) => `an ADL round opens in ${step.symbol ?? ""}: ${(step.case ?? "").toLowerCase().replace("_", " ")}`,
  AdlMatched: (step) => `${tokens(step)} are settled at the mark, worth ${usdc(step, "value")}`,
  AdlLeg: (step) => `${tokens(step)} change hands at the mark`,
  FundPaid: (step) => `the fund pays ${usdc(step, "value")}`,
};

function figure(amount: string | null, digits: number): string {
  return amount === null ? "–" : shown(decimal(amount), digits);
}

function usdc(step: Step, name: string): string {
  return `${figure(amountOf(step, name), 2)} USDC`;
}

function tokens(step: Step): string {
  return `${figure(amountOf(step, "quantity", "debt_quantity"), 6)} ${step.symbol ?? ""}`;
}

function Tape({ steps, only }: { steps: readonly Step[]; only: StageKey | null }) {
  const cases = useMemo(() => new Map(steps.filter((step) => step.step === "AdlOpened").map((step) => [step.round, step.case])), [steps]);
  const found = useMemo(() => {
    const shownSteps = only ? steps.filter((step) => stageOf(step, cases) === only) : steps;
    return shownSteps.slice(-SHOWN).reverse();
  }, [steps, only, cases]);
  const [told, setTold] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setTold(found[0] ? sentence(found[0]) : ""), TOLD_MS);
    return () => clearTimeout(timer);
  }, [found[0]]);
  if (!found.length) return <p class="note">No steps {only ? "of this stage" : "yet"}.</p>;
  return (
    <>
      <p class="unseen" aria-live="polite">
        {told}
      </p>
      <ul class="steps" aria-label="Latest steps">
        {found.map((step, at) => {
          const key = stageOf(step, cases);
          const who = partyOf(step, "account", "payer", "giver");
          return (
            <li key={`${step.command} ${step.E} ${found.length - at}`} class={(key ?? "none").toLowerCase()}>
              <Time of={step.E / 1000} />
              <span class="tag">{key ? (STAGES.find((each) => each.key === key)?.name ?? key) : "–"}</span>
              <span class="what">
                {who && <code title="A pseudonym, the same in every step">{who.slice(0, 8)}</code>} {sentence(step)}
              </span>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function sentence(step: Step): string {
  return SENTENCES[step.step]?.(step) ?? step.step.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
