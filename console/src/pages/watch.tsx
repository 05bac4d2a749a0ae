/** What the risk desk watches: who is near, how much is whose, what the largest lack, the oracle. */

import { useState } from "preact/hooks";
import { useAsked, type Schemas } from "../data/api.ts";
import { decimal } from "../lib/decimal.ts";
import { Fact, Figure, Percent, State, Time, type Tone } from "../parts/figures.tsx";
import { Data } from "../parts/data.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Near = Schemas["NearAccount"];
type Held = Schemas["PoolConcentration"];
type Price = Schemas["OracleHealth"];

const SHOWN = "100";
const MS = 1000;
const SLOW_MS = 5000;

/** The market's time of an answer, under its title. */
function Since({ of }: { of: { readonly time: number } | null }) {
  return (
    <span class="totals">
      {of && (
        <>
          of <Time of={of.time / MS} form="full" />
        </>
      )}
    </span>
  );
}

function standing(row: Near): readonly [Tone, string] {
  if (row.marginRatio === null) return ["bad", "no equity"];
  const ratio = decimal(row.marginRatio);
  const whole = ratio.units * 100n;
  const one = 10n ** BigInt(ratio.scale);
  if (whole >= one * 100n) return ["bad", "liquidatable"];
  return whole >= one * 70n ? ["warn", "near"] : ["good", "healthy"];
}

const NEAR: Column<Near>[] = [
  {
    name: "Account",
    isText: true,
    cell: (row) => <a href={`/account/of/${row.account}`}>{row.account}</a>,
    plain: (row) => String(row.account),
  },
  {
    name: "State",
    isText: true,
    cell: (row) => {
      const [tone, word] = standing(row);
      return <State tone={tone}>{word}</State>;
    },
    plain: (row) => standing(row)[1],
  },
  { name: "Of the way", hint: "Maintenance over net equity; at 100 % it is liquidated", cell: (row) => <Percent of={row.marginRatio} />, plain: (row) => row.marginRatio ?? "" },
  { name: "Net equity", cell: (row) => <Figure of={row.netEquity} digits={2} />, plain: (row) => row.netEquity },
  { name: "Needed", hint: "Maintenance margin", isMinor: true, cell: (row) => <Figure of={row.maintenance} digits={2} />, plain: (row) => row.maintenance },
  { name: "Assets", isMinor: true, cell: (row) => <Figure of={row.assets} digits={2} />, plain: (row) => row.assets },
  { name: "Debts", cell: (row) => <Figure of={row.debts} digits={2} />, plain: (row) => row.debts },
  { name: "Owes most", isText: true, cell: (row) => row.owes, plain: (row) => row.owes },
];

export function Watch() {
  const [near] = useAsked<Schemas["Nearness"]>({ path: "/solvent/v1/watch/accounts", instruction: "watchAccountsQuery", fields: { limit: SHOWN } }, SLOW_MS);
  const [pools] = useAsked<Schemas["Concentrations"]>({ path: "/solvent/v1/watch/concentration", instruction: "watchConcentrationQuery" }, SLOW_MS);
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Accounts by health</h1>
          <Since of={near.value.value} />
        </header>
        <Answer of={near.value} what="accounts">
          {(found) =>
            found.accounts.length ? (
              <>
                <p class="why">
                  The nearest to liquidation first: {found.accounts.length} of <span data-value={found.debtors}>{found.debtors}</span> that owe something.
                </p>
                <Table caption="Accounts by health" rows={found.accounts} columns={NEAR} id={(row) => String(row.account)} fileName="accounts" />
              </>
            ) : (
              <p class="note">Nobody owes anything.</p>
            )
          }
        </Answer>
      </section>
      <Covered />
      <section class="panel">
        <header class="title">
          <h2>Concentration</h2>
          <Since of={pools.value.value} />
        </header>
        <Answer of={pools.value} what="concentration">
          {(found) => <Table caption="Concentration" rows={found.pools} columns={HELD} id={(row) => row.symbol} fileName="concentration" />}
        </Answer>
      </section>
    </>
  );
}

const TOPS = [1, 5, 10] as const;

const HELD: Column<Held>[] = [
  { name: "Pool", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Lenders", cell: (row) => row.lenders, plain: (row) => String(row.lenders) },
  ...TOPS.map((top, at): Column<Held> => ({ name: `Largest ${top} lent`, cell: (row) => <Percent of={row.lentBy[at]} digits={1} />, plain: (row) => row.lentBy[at] ?? "" })),
  { name: "Borrowers", cell: (row) => row.borrowers, plain: (row) => String(row.borrowers) },
  ...TOPS.map((top, at): Column<Held> => ({ name: `Largest ${top} owe`, cell: (row) => <Percent of={row.owedBy[at]} digits={1} />, plain: (row) => row.owedBy[at] ?? "" })),
];

/** Whether the fund pays for the accounts that lack most, after a move of all assets. */
function Covered() {
  const [count, setCount] = useState(2);
  const [move, setMove] = useState(-40);
  const fields = { move: String(move / 100), count: String(count) };
  const [found] = useAsked<Schemas["CoverAnswer"]>({ path: "/solvent/v1/watch/cover", instruction: "watchCoverQuery", fields }, SLOW_MS);
  return (
    <section class="panel">
      <header class="title">
        <h2>Cover of the largest</h2>
        <Since of={found.value.value} />
      </header>
      <div class="sliders">
        <label class="slider">
          <span>Largest</span>
          <input type="range" name="count" min={1} max={20} value={count} onInput={(event) => setCount(Number(event.currentTarget.value))} aria-valuetext={`${count} accounts`} />
          <output class="figure">{count}</output>
        </label>
        <label class="slider">
          <span>All assets</span>
          <input type="range" name="cover" min={-90} max={100} value={move} onInput={(event) => setMove(Number(event.currentTarget.value))} aria-valuetext={`${move} %`} />
          <output class="figure">{move} %</output>
        </label>
      </div>
      <Answer of={found.value} what="cover">
        {(answer) => (
          <>
            <dl class="facts" aria-live="polite">
              <Fact name={`The fund pays for the largest ${count}`}>
                <State tone={answer.covered ? "good" : "bad"}>{answer.covered ? "yes" : "no"}</State>
              </Fact>
              <Fact name="They lack">
                <Figure of={answer.lacking} digits={2} unit="USDC" />
              </Fact>
              <Fact name="All lack">
                <Figure of={answer.lackingInAll} digits={2} unit="USDC" />
              </Fact>
              <Fact name="The fund is worth">
                <Figure of={answer.fund} digits={2} unit="USDC" />
              </Fact>
            </dl>
            {answer.accounts.length > 0 ? (
              <Table caption="Accounts that lack most" rows={answer.accounts} columns={NEAR} id={(row) => String(row.account)} fileName="cover" />
            ) : (
              <p class="note">Nobody would lack anything at these prices.</p>
            )}
          </>
        )}
      </Answer>
    </section>
  );
}

function trust(row: Price): readonly [Tone, string] {
  if (row.halted) return ["bad", "halted"];
  if (row.fresh < row.quorum) return ["bad", "no quorum"];
  if (row.inDoubt) return ["warn", "in doubt"];
  return row.stale ? ["warn", "stale"] : ["good", "in use"];
}

export function Oracle() {
  const [oracle] = useAsked<Schemas["Oracle"]>({ path: "/solvent/v1/oracle" }, 2000);
  const now = oracle.value.value?.time ?? 0;
  const age = (time: number | null) => (time === null ? "never" : `${((now - time) / 1_000_000).toFixed(0)} s`);
  const prices: Column<Price>[] = [
    { name: "Asset", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
    {
      name: "State",
      isText: true,
      cell: (row) => {
        const [tone, word] = trust(row);
        return <State tone={tone}>{word}</State>;
      },
      plain: (row) => trust(row)[1],
    },
    { name: "Fresh", hint: "Sources that count now, of all", cell: (row) => `${row.fresh} of ${row.sources.length}`, plain: (row) => String(row.fresh) },
    { name: "Quorum", hint: "Sources that must be fresh", cell: (row) => row.quorum, plain: (row) => String(row.quorum) },
    { name: "Index", cell: (row) => <Figure of={row.index} digits={4} />, plain: (row) => row.index },
    { name: "Mark", cell: (row) => <Figure of={row.mark} digits={4} />, plain: (row) => row.mark },
    { name: "Index of", hint: "How long ago it was made", cell: (row) => age(row.updated), plain: (row) => String(row.updated ?? "") },
    { name: "Too old at", cell: (row) => `${row.maxAge / 1_000_000} s`, plain: (row) => String(row.maxAge) },
  ];
  const sources = (oracle.value.value?.prices ?? []).flatMap((row) => row.sources.map((source) => ({ ...source, symbol: row.symbol })));
  const columns: Column<(typeof sources)[number]>[] = [
    { name: "Asset", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
    { name: "Source", cell: (row) => row.source, plain: (row) => String(row.source) },
    { name: "Weight", cell: (row) => row.weight, plain: (row) => String(row.weight) },
    { name: "Counts", isText: true, cell: (row) => <State tone={row.fresh ? "good" : "warn"}>{row.fresh ? "yes" : "too old"}</State>, plain: (row) => String(row.fresh) },
    { name: "Bid", cell: (row) => <Figure of={row.bid} digits={4} />, plain: (row) => row.bid },
    { name: "Ask", cell: (row) => <Figure of={row.ask} digits={4} />, plain: (row) => row.ask },
    { name: "Last", cell: (row) => <Figure of={row.last} digits={4} />, plain: (row) => row.last },
    { name: "Ago", cell: (row) => age(row.time), plain: (row) => String(row.time ?? "") },
  ];
  return (
    <section class="panel">
      <header class="title">
        <h1>Oracle</h1>
        <Since of={oracle.value.value} />
        <span class="grow" />
        <Data of="/risk/oracle" />
      </header>
      <p class="why">
        An index is the weighted mean of the sources that are fresh, each held near their median. Without a quorum, halted, or while a cap on moves holds it back, it is stale: nobody is liquidated by it.
      </p>
      <Answer of={oracle.value} what="prices">
        {(found) => <Table caption="Prices" rows={found.prices} columns={prices} id={(row) => row.symbol} fileName="oracle" />}
      </Answer>
      {sources.length > 0 && <Table caption="Sources" rows={sources} columns={columns} id={(row) => `${row.symbol}-${row.source}`} fileName="sources" />}
    </section>
  );
}
