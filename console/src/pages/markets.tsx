/** Markets: every pool, and one of them with its curve, what an amount would do, and its past. */

import { useMemo, useState } from "preact/hooks";
import { useAsked, type Pool, type PoolNow, type Schemas } from "../data/api.ts";
import { past } from "../data/past.ts";
import { settings } from "../data/settings.ts";
import { go } from "../data/router.ts";
import {
  add,
  compare,
  decimal,
  least,
  multiply,
  percent,
  rough,
  shown,
  subtract,
  text,
  typed,
  type Decimal,
  ZERO,
  ONE,
} from "../lib/decimal.ts";
import { rateAt, utilizationOf } from "../lib/curve.ts";
import { milliseconds } from "../lib/time.ts";
import { Fact, Figure, Percent, State, type Tone } from "../parts/figures.tsx";
import { Meter } from "../parts/meter.tsx";
import { CurveChart } from "../parts/curve.tsx";
import { Plot } from "../parts/plot.tsx";
import { Data } from "../parts/data.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

export const CONDITIONS: Record<PoolNow["condition"], readonly [Tone, string, string]> = {
  Open: ["good", "Open", "Lending, redeeming, borrowing and repaying are all open."],
  Throttled: ["warn", "Throttled", "Utilization is at its bound: borrowing and redeeming wait, lending and repaying stay open."],
  Full: ["bad", "Full", "Every token is lent out: nothing can be redeemed or borrowed until somebody lends or repays."],
  RepayOnly: ["warn", "Repay only", "The house takes repayments and redemptions alone."],
  Stale: ["warn", "Stale price", "There is no price that may be used: nobody is liquidated by it, and new loans and orders wait."],
  Impaired: ["bad", "Impaired", "Claims exceed what stands behind them: redemptions wait until the loss is booked to all alike."],
  Closed: ["bad", "Closed", "The house takes repayments alone."],
};

export function useMarkets() {
  const at = past.value;
  const [pools, again] = useAsked<Pool[]>(at === null ? { path: "/api/v1/borrowLend/markets" } : null, 2000);
  const [now] = useAsked<PoolNow[]>(at === null ? { path: "/solvent/v1/pools" } : null, 2000);
  const [was] = useAsked<Schemas["PastMarket"]>(at === null ? null : { path: "/solvent/v1/replay/past", fields: { time: String(at) } }, 3_600_000);
  if (at === null) return { pools, now, again };
  const then = was.value;
  return { pools: { value: { ...then, value: then.value?.markets ?? null } }, now: { value: { ...then, value: then.value?.pools ?? null } }, again };
}

function valueOf(tokens: string, price: string): string {
  return text(multiply(decimal(tokens), decimal(price)));
}

export function Markets({ words }: { words: readonly string[] }) {
  const { pools, now } = useMarkets();
  const chosen = words[0]?.toUpperCase();
  const state = (symbol: string) => now.value.value?.find((each) => each.symbol === symbol);
  const columns: Column<Pool>[] = [
    {
      name: "Pool",
      isText: true,
      cell: (pool) => (
        <a class="asset" href={`/markets/${pool.symbol}`}>
          {pool.symbol}
        </a>
      ),
      plain: (pool) => pool.symbol,
    },
    {
      name: "State",
      isText: true,
      cell: (pool) => {
        const found = state(pool.symbol);
        if (!found) return <State tone="mute">…</State>;
        const [tone, word, why] = CONDITIONS[found.condition];
        return (
          <State tone={tone} why={why}>
            {word}
          </State>
        );
      },
      plain: (pool) => state(pool.symbol)?.condition ?? "",
    },
    {
      name: "Utilization",
      hint: "Borrowed over lent, against optimal, threshold, bound and 100 %",
      isText: true,
      cell: (pool) => (
        <span class="metered">
          <Meter pool={pool} now={state(pool.symbol)} />
          <Percent of={state(pool.symbol)?.utilization ?? pool.utilization} />
        </span>
      ),
      plain: (pool) => state(pool.symbol)?.utilization ?? pool.utilization,
    },
    { name: "Borrow rate", hint: "What borrowers pay a year", cell: (pool) => <Percent of={pool.borrowInterestRate} />, plain: (pool) => pool.borrowInterestRate },
    { name: "Lend rate", hint: "What lenders get a year", cell: (pool) => <Percent of={pool.lendInterestRate} />, plain: (pool) => pool.lendInterestRate },
    { name: "Lent", hint: "Tokens that lenders have in the pool", cell: (pool) => <Figure of={pool.lentQuantity} digits={3} />, plain: (pool) => pool.lentQuantity },
    { name: "Borrowed", cell: (pool) => <Figure of={pool.borrowedQuantity} digits={3} />, plain: (pool) => pool.borrowedQuantity },
    { name: "Redeemable", hint: "What lenders may take out now, all together", isMinor: true, cell: (pool) => <Figure of={state(pool.symbol)?.redeemable} digits={3} />, plain: (pool) => state(pool.symbol)?.redeemable ?? "" },
    { name: "Borrowable", hint: "What may be borrowed now", isMinor: true, cell: (pool) => <Figure of={state(pool.symbol)?.borrowable} digits={3} />, plain: (pool) => state(pool.symbol)?.borrowable ?? "" },
    { name: "Lent, USDC", isMinor: true, cell: (pool) => <Figure of={valueOf(pool.lentQuantity, pool.assetMarkPrice)} digits={0} />, plain: (pool) => valueOf(pool.lentQuantity, pool.assetMarkPrice) },
    { name: "Mark", hint: "USDC a token", cell: (pool) => <Figure of={pool.assetMarkPrice} digits={pool.symbol === "USDC" ? 2 : 4} />, plain: (pool) => pool.assetMarkPrice },
  ];
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Pools</h1>
          <Totals pools={pools.value.value} />
          <span class="grow" />
          <Data of="/markets" />
        </header>
        <Answer of={pools.value} what="pools" empty="This market has no pools.">
          {(found) => <Table caption="Pools" rows={found} columns={columns} id={(pool) => pool.symbol} chosen={chosen} fileName="pools" />}
        </Answer>
        <p class="legend">
          <Key name="optimal">optimal: the rate turns steep</Key>
          <Key name="threshold">threshold: the throttle begins</Key>
          <Key name="bound">bound: borrowing and redeeming wait</Key>
          <Key name="most">most that may be borrowed</Key>
        </p>
      </section>
      {chosen ? (
        <Answer of={pools.value} what="the pool">
          {(found) => {
            const pool = found.find((each) => each.symbol === chosen);
            const about = state(chosen);
            if (!pool) return <p class="note">There is no pool of {chosen}.</p>;
            return about ? <Detail key={chosen} pool={pool} now={about} /> : <p class="note loading">Loading the curve…</p>;
          }}
        </Answer>
      ) : (
        <p class="note">Choose a pool to see its curve, what an amount would make of its rates, and its past.</p>
      )}
    </>
  );
}

function Key({ name, children }: { name: string; children: string }) {
  return (
    <span>
      <svg class="key" viewBox="0 0 8 12" aria-hidden="true">
        <line class={`mark ${name}`} x1="4" x2="4" y1="0" y2="12" />
      </svg>
      {children}
    </span>
  );
}

function Totals({ pools }: { pools: readonly Pool[] | null }) {
  if (!pools) return null;
  const sum = (of: (pool: Pool) => string) =>
    pools.reduce((total, pool) => add(total, multiply(decimal(of(pool)), decimal(pool.assetMarkPrice))), ZERO);
  return (
    <span class="totals">
      lent <Figure of={text(sum((pool) => pool.lentQuantity))} digits={0} unit="USDC" /> · borrowed{" "}
      <Figure of={text(sum((pool) => pool.borrowedQuantity))} digits={0} unit="USDC" />
    </span>
  );
}

const MOVES = ["borrow", "repay", "lend", "redeem"] as const;
type Move = (typeof MOVES)[number];

interface After {
  readonly utilization: Decimal;
  readonly borrow: Decimal;
  readonly lend: Decimal;
  readonly refusal: string | null;
}

/** What a pool would be after a move, by the market's own arithmetic. */
export function after(pool: Pool, now: PoolNow, move: Move, amount: Decimal): After {
  const isDebt = move === "borrow" || move === "repay";
  const change = move === "borrow" || move === "lend" ? amount : { ...amount, units: -amount.units };
  const borrowed = isDebt ? add(decimal(pool.borrowedQuantity), change) : decimal(pool.borrowedQuantity);
  const lent = isDebt ? decimal(pool.lentQuantity) : add(decimal(pool.lentQuantity), change);
  const utilization = utilizationOf(borrowed, lent);
  const borrow = rateAt(now.curve, least(utilization, ONE));
  const kept = subtract(ONE, decimal(pool.fee));
  const lend = multiply(multiply(borrow, least(utilization, ONE)), kept);
  return { utilization, borrow, lend, refusal: refusalOf(pool, now, move, amount) };
}

function refusalOf(pool: Pool, now: PoolNow, move: Move, amount: Decimal): string | null {
  const above = (limit: string) => compare(amount, decimal(limit)) > 0;
  if (move === "borrow" && above(now.borrowable)) {
    return `More than may be borrowed: ${shown(decimal(now.borrowable))} ${pool.symbol} until the bound.`;
  }
  if (move === "redeem" && above(now.redeemable)) {
    return `More than may be redeemed: ${shown(decimal(now.redeemable))} ${pool.symbol} until the bound.`;
  }
  if (move === "repay" && above(pool.borrowedQuantity)) return "More than is owed.";
  return null;
}

function Detail({ pool, now }: { pool: Pool; now: PoolNow }) {
  const [move, setMove] = useState<Move>("borrow");
  const [said, setSaid] = useState("");
  const amount = typed(said);
  const then = amount ? after(pool, now, move, amount) : null;
  const [tone, word, why] = CONDITIONS[now.condition];
  return (
    <div class="split">
      <section class="panel">
        <header class="title">
          <h2>{pool.symbol} pool</h2>
          <State tone={tone}>{word}</State>
          <span class="grow" />
          <button type="button" class="quiet" onClick={() => go("/markets")} aria-label="Close the pool">
            ✕
          </button>
        </header>
        <p class="why">{why}</p>
        <CurveChart pool={pool} now={now} then={then && !then.refusal ? text(least(then.utilization, ONE)) : null} />
        <form class="row" onSubmit={(event) => event.preventDefault()}>
          <label>
            What if somebody
            <select value={move} onChange={(event) => setMove(event.currentTarget.value as Move)}>
              {MOVES.map((each) => (
                <option key={each} value={each}>
                  {each === "borrow" ? "borrows" : each === "repay" ? "repays" : each === "lend" ? "lends" : "redeems"}
                </option>
              ))}
            </select>
          </label>
          <label class="amount">
            <span class="unseen">Amount</span>
            <input name="amount" inputMode="decimal" autocomplete="off" placeholder="amount" value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
            <span class="unit">{pool.symbol}</span>
          </label>
        </form>
        <dl class="facts" aria-live="polite">
          <Fact name="Utilization">
            <Arrow from={now.utilization} to={then && text(then.utilization)} />
          </Fact>
          <Fact name="Borrow rate">
            <Arrow from={pool.borrowInterestRate} to={then && text(then.borrow)} />
          </Fact>
          <Fact name="Lend rate">
            <Arrow from={pool.lendInterestRate} to={then && text(then.lend)} />
          </Fact>
        </dl>
        {then?.refusal && (
          <p class="note failed" role="status">
            <span aria-hidden="true">▲</span> {then.refusal}
          </p>
        )}
      </section>
      <section class="panel">
        <header class="title">
          <h2>Figures</h2>
        </header>
        <dl class="facts wide">
          <Fact name="Lent">
            <Figure of={pool.lentQuantity} unit={pool.symbol} />
          </Fact>
          <Fact name="Borrowed">
            <Figure of={pool.borrowedQuantity} unit={pool.symbol} />
          </Fact>
          <Fact name="In the pool">
            <Figure of={now.cash} unit={pool.symbol} />
          </Fact>
          <Fact name="May be redeemed now">
            <Figure of={now.redeemable} unit={pool.symbol} />
          </Fact>
          <Fact name="May be borrowed now">
            <Figure of={now.borrowable} unit={pool.symbol} />
          </Fact>
          <Fact name="Lost to defaults so far">
            <Figure of={now.deficit} unit={pool.symbol} />
          </Fact>
          <Fact name="Optimal · threshold">
            <Percent of={pool.optimalUtilization} digits={1} /> · <Percent of={pool.throttleUtilizationThreshold} digits={1} />
          </Fact>
          <Fact name="Bound · most">
            <Percent of={pool.throttleUtilizationBound} digits={1} /> · <Percent of={pool.maxUtilization} digits={1} />
          </Fact>
          <Fact name="Share of interest kept by the house">
            <Percent of={pool.fee} digits={1} />
          </Fact>
          <Fact name="Most that may be lent">
            <Figure of={pool.openBorrowLendLimit} unit={pool.symbol} />
          </Fact>
        </dl>
        <History symbol={pool.symbol} />
        <p class="row">
          <a class="button" href={`/account/lend/${pool.symbol}`}>
            Lend {pool.symbol}
          </a>
          <a class="button second" href={`/account/borrow/${pool.symbol}`}>
            Borrow {pool.symbol}
          </a>
        </p>
      </section>
    </div>
  );
}

export function Arrow({ from, to }: { from: string; to: string | null }) {
  return (
    <>
      <Percent of={from} />
      {to !== null && (
        <>
          <span class="arrow" aria-label="becomes">
            {" "}
            →{" "}
          </span>
          <strong>
            <Percent of={to} />
          </strong>
        </>
      )}
    </>
  );
}

const SPANS = ["1d", "1w", "1month", "1year"] as const;
type Past = Schemas["BorrowLendHistory"];

const HISTORY_TALL = 150;

function whole(value: number): string {
  return `${Math.round(value)} %`;
}

function History({ symbol }: { symbol: string }) {
  const [interval, setInterval] = useState<(typeof SPANS)[number]>("1d");
  const [past] = useAsked<Past[]>({ path: "/api/v1/borrowLend/markets/history", fields: { interval, symbol } }, 30_000);
  const { up, down } = settings.value;
  const rows = past.value.value;
  const plot = useMemo(() => {
    const found = rows ?? [];
    const series = (of: (row: Past) => string) => found.map((row) => rough(decimal(of(row))) * 100);
    const show = (of: (row: Past) => string) => (value: number | null) =>
      value === null ? "–" : percent(decimal(of(found[0] as Past) && text({ units: BigInt(Math.round(value * 1e7)), scale: 9 })), 2);
    const line = (name: string, color: string, of: (row: Past) => string) => ({ name, color, values: series(of), show: show(of) });
    return {
      times: found.map((row) => milliseconds(row.timestamp) / 1000),
      fill: [line("Utilization", up, (row) => row.utilization)],
      rates: [line("Borrow rate", down, (row) => row.borrowInterestRate), line("Lend rate", up, (row) => row.lendInterestRate)],
    };
  }, [rows, up, down]);
  return (
    <>
      <div class="row">
        <h3>The past</h3>
        <span class="grow" />
        <Data of={`/markets/${symbol}`} more={`?interval=${interval}`} />
        <div class="tabs" role="group" aria-label="How far back">
          {SPANS.map((each) => (
            <button key={each} type="button" aria-pressed={each === interval} onClick={() => setInterval(each)}>
              {each}
            </button>
          ))}
        </div>
      </div>
      <Answer of={past.value} what="history" empty="No history yet: a point is written every hour that the market is up.">
        {(found) => (
          <>
            <Plot name={`${symbol} utilization`} times={plot.times} lines={plot.fill} height={HISTORY_TALL} axis={whole} summary={`${found.length} points`} />
            <Plot name={`${symbol} rates`} times={plot.times} lines={plot.rates} height={HISTORY_TALL} axis={whole} summary={`${found.length} points`} />
          </>
        )}
      </Answer>
    </>
  );
}
