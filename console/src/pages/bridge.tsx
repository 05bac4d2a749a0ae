/** The bridge: owed, what each stage ended of it, the deficit, received; and what stands behind it. */

import { useAsked, type Schemas } from "../data/api.ts";
import { decimal, rough } from "../lib/decimal.ts";
import { reasonOf } from "../lib/receipts/told.ts";
import { Data } from "../parts/data.tsx";
import { Fact, Figure, Percent, Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Told = Schemas["WaterfallBridge"];
type Offer = Schemas["OfferedCapacity"];
type Level = Schemas["StandbyLevel"];

const EVERY_MS = 3000;
const MS = 1000;

const NAMES: Record<string, readonly [string, string]> = {
  BOOK: ["Order book", "debts repaid with what the book brought"],
  BACKSTOP: ["Backstop", "debts that providers took over"],
  OPPOSITES: ["Opposites", "debts closed against who held what was owed"],
  ADL: ["ADL", "debts settled at the mark with lenders"],
  DEFICIT: ["Deficit", "debts that nobody paid: fund and fees were used up, and lenders bear it"],
};

interface Bar {
  readonly key: string;
  readonly name: string;
  readonly said: string;
  readonly value: string;
  readonly from: number;
  readonly to: number;
  readonly reasons: string;
}

/** Bars that hang where the one before ends, so that the last is flush with what is left. */
function barsOf(told: Told): Bar[] {
  const whole = Math.max(rough(decimal(told.owed)), 1e-9);
  const place = (value: string) => (rough(decimal(value)) / whole) * 100;
  let before = place(told.owed);
  const stages = told.stages.map((each): Bar => {
    const from = place(each.left);
    const to = before;
    before = from;
    const reasons = each.handedOver.map((one) => `${reasonOf(one.reason)} (${one.count})`).join(", ");
    const [name, said] = NAMES[each.stage] ?? [each.stage, ""];
    return { key: each.stage, name, said, value: each.value, from, to, reasons };
  });
  const owed = { key: "OWED", name: "Owed", said: "all debts that ended in the waterfall, each at its mark", value: told.owed, from: 0, to: place(told.owed), reasons: "" };
  const received = { key: "RECEIVED", name: "Received", said: "owed less the deficit", value: told.received, from: place(told.deficit), to: 100, reasons: "" };
  return [owed, ...stages, received];
}

export function BridgePanel() {
  const [found] = useAsked<Told>({ path: "/solvent/v1/waterfall/bridge" }, EVERY_MS);
  const told = found.value.value;
  return (
    <section class="panel crossing">
      <header class="title">
        <h2>What became of what was owed</h2>
        {told && (
          <span class="totals">
            since <Time of={told.since / MS} form="full" />
          </span>
        )}
        <span class="grow" />
        <Data of="/waterfall/bridge" />
      </header>
      <Answer of={found.value} what="bridge">
        {(of) => (
          <>
            <ol aria-label="Owed, by the stage that ended it, and what was received">
              {barsOf(of).map((bar) => (
                <li key={bar.key} data-part={bar.key}>
                  <span class="name" title={bar.said}>
                    {bar.name}
                  </span>
                  <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect class="track" width="100" height="10" />
                    <rect class={`part ${bar.key.toLowerCase()}`} x={bar.from} width={Math.max(0, bar.to - bar.from)} height="10" />
                  </svg>
                  <span class="worth">
                    <Figure of={bar.value} digits={2} unit="USDC" />
                  </span>
                  {bar.reasons && <p class="handover">↳ handed over: {bar.reasons}</p>}
                </li>
              ))}
            </ol>
            <p class="why">
              The parts add up to the last digit. The fund gave <Figure of={of.fundPaid} digits={2} unit="USDC" /> to accounts that lacked it, which repaid debts above; standbys took over <Figure of={of.takenOver} digits={2} unit="USDC" /> of what was paid in kind.
            </p>
          </>
        )}
      </Answer>
    </section>
  );
}

const OFFERS: Column<Offer>[] = [
  { name: "Asset", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Providers offer", hint: "Tokens of debt that they would take over", cell: (row) => <Figure of={row.committed} digits={6} />, plain: (row) => row.committed },
  { name: "Worth", cell: (row) => <Figure of={row.committedValue} digits={2} unit="USDC" />, plain: (row) => row.committedValue },
  { name: "Fund has", hint: "Tokens that the backstop fund has free", cell: (row) => <Figure of={row.fund} digits={6} />, plain: (row) => row.fund },
  { name: "Worth now", cell: (row) => <Figure of={row.fundValue} digits={2} unit="USDC" />, plain: (row) => row.fundValue },
];

const LEVELS: Column<Level>[] = [
  { name: "Premium", cell: (row) => <Percent of={row.premium} digits={4} />, plain: (row) => row.premium },
  { name: "Posted", cell: (row) => <Figure of={row.posted} digits={2} unit="USDC" />, plain: (row) => row.posted },
  { name: "Accounts", cell: (row) => row.accounts, plain: (row) => String(row.accounts) },
];

export function CapacityPanel() {
  const [found] = useAsked<Schemas["WaterfallCapacity"]>({ path: "/solvent/v1/waterfall/capacity" }, EVERY_MS);
  return (
    <section class="panel capacity">
      <header class="title">
        <h2>What stands behind the book</h2>
        <span class="grow" />
        <Data of="/waterfall/capacity" />
      </header>
      <Answer of={found.value} what="capacity">
        {(of) => (
          <>
            <dl class="facts">
              <Fact name="Providers offer" hint="Debts that they would take over, at the mark">
                <Figure of={of.committedValue} digits={2} unit="USDC" />
              </Fact>
              <Fact name="The fund has free">
                <Figure of={of.fundValue} digits={2} unit="USDC" />
              </Fact>
              <Fact name="Standbys have posted" hint="For what ADL would pay others in kind">
                <Figure of={of.posted} digits={2} unit="USDC" />
              </Fact>
            </dl>
            <Table caption="Offers by asset" rows={of.offers} columns={OFFERS} id={(row) => row.symbol} fileName="capacity" />
            {of.standbys.length > 0 ? (
              <Table caption="Standbys by premium, called in this order" rows={of.standbys} columns={LEVELS} id={(row) => row.premium} fileName="standbys" />
            ) : (
              <>
                <p class="note">Nobody stands by: what ADL pays in kind stays with who receives it.</p>
                <a class="quiet" href="/account/standby">
                  Stand by
                </a>
              </>
            )}
          </>
        )}
      </Answer>
    </section>
  );
}
