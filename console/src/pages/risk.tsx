/** The risk desk: where liquidations begin, what could take them, and what other prices would do. */

import { useEffect, useState } from "preact/hooks";
import { held, useAsked, type Schemas } from "../data/api.ts";
import { add, compare, decimal, percent, rough, shown, text, ZERO } from "../lib/decimal.ts";
import { Fact, Figure, State, Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { Changes } from "./changes.tsx";
import { Audit } from "./audit.tsx";
import { Oracle, Watch } from "./watch.tsx";

type Curve = Schemas["Curve"];
type Point = Schemas["CurvePoint"];
type Ahead = Schemas["PointAhead"];
type Found = Schemas["WhatIfAnswer"];

export const BANDS = [
  ["own", "Held of the asset itself"],
  ["book", "Order book"],
  ["providers", "Backstop providers"],
  ["opposites", "Opposites"],
  ["adl", "ADL"],
] as const;

const TABS = [
  ["", "Map and what-if"],
  ["accounts", "Accounts"],
  ["oracle", "Oracle"],
  ["changes", "Changes"],
  ["audit", "Audit log"],
] as const;

export function Risk({ words }: { words: readonly string[] }) {
  const tab = words[0] ?? "";
  useEffect(() => {
    document.title = "Risk desk · Solvent";
  }, []);
  return (
    <>
      <nav class="tabs" aria-label="Parts of the risk desk">
        {TABS.map(([name, said]) => (
          <a key={name} href={`/risk${name ? `/${name}` : ""}`} aria-current={tab === name ? "page" : undefined}>
            {said}
          </a>
        ))}
      </nav>
      {tab === "oracle" ? <Oracle /> : !held.value ? <NoStaff /> : tab === "accounts" ? <Watch /> : tab === "changes" ? <Changes /> : tab === "audit" ? <Audit /> : <Desk />}
    </>
  );
}

function NoStaff() {
  return (
    <section class="panel narrow">
      <header class="title">
        <h1>Risk desk</h1>
      </header>
      <p class="why">
        What is told here tells where single accounts would be liquidated, so it takes a key of the house: a risk admin's, an operator's or an auditor's. Those of a demo's staff are in the file{" "}
        <code>demo-staff.json</code> of its folder.
      </p>
      <p>
        <a class="button" href="/key">
          Use a key
        </a>
      </p>
    </section>
  );
}

function Desk() {
  const [curve] = useAsked<Curve>({ path: "/solvent/v1/what-if/curve", instruction: "whatIfCurveQuery" }, 15_000);
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Liquidation map</h1>
          <State tone="good">exact, from the book</State>
          {curve.value.value && (
            <span class="totals">
              of <Time of={curve.value.value.time / 1000} form="full" />
            </span>
          )}
        </header>
        <Answer of={curve.value} what="map">
          {(found) => <Map of={found} />}
        </Answer>
      </section>
      <WhatIf />
    </>
  );
}

const WIDTH = 860;
const HEIGHT = 260;
const LEFT = 64;
const RIGHT = 18;
const TOP = 12;
const BOTTOM = 26;
const FARTHEST = decimal("0.6");
const LINES = 4;

function isNear(point: Point): boolean {
  return compare(decimal(point.move.replace("-", "")), FARTHEST) <= 0;
}

/** The two moves between which ADL begins: the last without it, and the first with it. */
type Beginning = readonly [Point, Point] | null;

/** Where ADL begins on a fall and on a rise, as near as the curve's moves lie. */
export function adlBegins(points: readonly Point[]): { fall: Beginning; rise: Beginning } {
  const first = (found: readonly Point[]): Beginning => {
    const at = found.findIndex((point) => decimal(point.point.stages.adl).units > 0n);
    const [before, there] = [found[at - 1], found[at]];
    return before && there ? [before, there] : null;
  };
  const fallen = points.filter((point) => point.move.startsWith("-") || decimal(point.move).units === 0n);
  const risen = points.filter((point) => !point.move.startsWith("-"));
  return { fall: first([...fallen].reverse()), rise: first(risen) };
}

function Map({ of }: { of: Curve }) {
  const points = of.points.filter(isNear);
  const most = Math.max(1, ...points.map((point) => rough(decimal(point.point.atStake))));
  const [least = -1, furthest = 1] = [points[0], points.at(-1)].map((point) => point && rough(decimal(point.move)));
  const x = (move: string) => LEFT + ((rough(decimal(move)) - least) / (furthest - least)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (value / most) * (HEIGHT - BOTTOM - TOP);
  let below = points.map(() => ZERO);
  const areas = BANDS.map(([name]) => {
    const above = points.map((point, at) => add(below[at] ?? ZERO, decimal(point.point.stages[name])));
    const there = points.map((point, at) => `${x(point.move)},${y(rough(above[at] ?? ZERO))}`);
    const back = points.map((point, at) => `${x(point.move)},${y(rough(below[at] ?? ZERO))}`).reverse();
    below = above;
    return { name, path: `M${[...there, ...back].join("L")}Z` };
  });
  const { fall, rise } = adlBegins(of.points);
  const begins = (found: Beginning, word: string) =>
    found ? `ADL begins between ${percent(decimal(found[0].move), 0)} and ${percent(decimal(found[1].move), 0)}` : `no ADL on any ${word}`;
  return (
    <>
      <p class="answer">
        <strong>{begins(fall, "fall")}</strong>; on a rise: {begins(rise, "rise")}. All assets move together.
      </p>
      <svg class="map" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Value to be closed by price move, by the stage that could take it. ${begins(fall, "fall")}; ${begins(rise, "rise")}. The table below has the same.`}>
        {Array.from({ length: LINES + 1 }, (_, at) => (most / LINES) * at).map((value) => (
          <g key={value} class="grid">
            <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(value)} y2={y(value)} />
            <text class="end" x={LEFT - 6} y={y(value) + 3.5}>
              {brief(value)}
            </text>
          </g>
        ))}
        {areas.map(({ name, path }) => (
          <path key={name} class={`band ${name}`} d={path} />
        ))}
        {["-0.6", "-0.4", "-0.2", "0", "0.2", "0.4"].map((move) => (
          <text key={move} class="middle" x={x(move)} y={HEIGHT - 8}>
            {percent(decimal(move), 0)}
          </text>
        ))}
        <line class="now" x1={x("0")} x2={x("0")} y1={TOP} y2={HEIGHT - BOTTOM} />
        {[fall, rise].map(
          (found) =>
            found &&
            isNear(found[1]) && (
              <line key={found[1].move} class="begins" x1={x(found[1].move)} x2={x(found[1].move)} y1={TOP} y2={HEIGHT - BOTTOM} />
            ),
        )}
      </svg>
      <p class="legend">
        {BANDS.map(([name, said]) => (
          <span key={name}>
            <svg class="key" viewBox="0 0 10 10" aria-hidden="true">
              <rect class={`band ${name}`} width="10" height="10" />
            </svg>
            {said}
          </span>
        ))}
      </p>
      <details>
        <summary>The same as a table</summary>
        <Table caption="Value to be closed by price move" rows={of.points} columns={CURVE} id={(row) => row.move} fileName="liquidation-map" />
      </details>
    </>
  );
}

function brief(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} M`;
  return value >= 1e3 ? `${Math.round(value / 1e3)} k` : String(Math.round(value));
}

const CURVE: Column<Point>[] = [
  { name: "Move", cell: (row) => <span class="figure">{percent(decimal(row.move), 0)}</span>, plain: (row) => row.move },
  { name: "Accounts", cell: (row) => row.point.accounts, plain: (row) => String(row.point.accounts) },
  { name: "To be closed, USDC", cell: (row) => <Figure of={row.point.atStake} digits={2} />, plain: (row) => row.point.atStake },
  ...BANDS.map(
    ([name, said]): Column<Point> => ({
      name: said,
      cell: (row) => <Figure of={row.point.stages[name]} digits={2} />,
      plain: (row) => row.point.stages[name],
    }),
  ),
  { name: "Insolvent", cell: (row) => row.point.insolvent, plain: (row) => String(row.point.insolvent) },
  { name: "Lacking, USDC", cell: (row) => <Figure of={row.point.lacking} digits={2} />, plain: (row) => row.point.lacking },
];

/** Percent of a slider as a part of the mark, exactly. */
function part(whole: number): string {
  return text({ units: BigInt(whole), scale: 2 });
}

const BETA = /^-?\d{1,3}(\.\d{1,9})?$/;

function isBeta(said: string): boolean {
  return !said.trim() || BETA.test(said.trim());
}

/** The betas that were typed, as the API takes them; nothing where none was. */
function betaField(betas: Record<string, string>): Record<string, string> {
  const named = Object.entries(betas).filter(([, beta]) => BETA.test(beta.trim()));
  return named.length ? { betas: named.map(([symbol, beta]) => `${symbol}:${beta.trim()}`).join(",") } : {};
}

function WhatIf() {
  const [assets] = useAsked<Schemas["Market"][]>({ path: "/api/v1/markets" }, 60_000);
  const [isAll, setAll] = useState(true);
  const [move, setMove] = useState(-20);
  const [moves, setMoves] = useState<Record<string, number>>({});
  const [betas, setBetas] = useState<Record<string, string>>({});
  const symbols = (assets.value.value ?? []).map((market) => market.baseSymbol);
  const named = Object.entries(moves).filter(([, by]) => by !== 0);
  const fields: Record<string, string> = isAll ? { move: part(move), ...betaField(betas) } : { moves: named.map(([symbol, by]) => `${symbol}:${part(by)}`).join(",") };
  const [found] = useAsked<Found>(isAll || named.length ? { path: "/solvent/v1/what-if", instruction: "whatIfQuery", fields } : null, 5000);
  return (
    <section class="panel">
      <header class="title">
        <h2>What if</h2>
        <div class="tabs" role="group" aria-label="What moves">
          <button type="button" aria-pressed={isAll} onClick={() => setAll(true)}>
            all together
          </button>
          <button type="button" aria-pressed={!isAll} onClick={() => setAll(false)}>
            asset by asset
          </button>
        </div>
      </header>
      <div class="sliders">
        {isAll ? (
          <>
            <Slider name="All assets" value={move} set={setMove} />
            <fieldset class="betas">
              <legend>Betas: how many times that each asset moves</legend>
              {symbols.map((symbol) => (
                <label key={symbol} class="amount">
                  <span class="name">{symbol}</span>
                  <input
                    name={`beta-${symbol}`}
                    inputMode="decimal"
                    autocomplete="off"
                    placeholder="1"
                    value={betas[symbol] ?? ""}
                    aria-invalid={isBeta(betas[symbol] ?? "") ? undefined : "true"}
                    onInput={(event) => setBetas({ ...betas, [symbol]: event.currentTarget.value })}
                  />
                </label>
              ))}
            </fieldset>
          </>
        ) : (
          symbols.map((symbol) => <Slider key={symbol} name={symbol} value={moves[symbol] ?? 0} set={(by) => setMoves({ ...moves, [symbol]: by })} />)
        )}
      </div>
      {!isAll && !named.length ? (
        <p class="note">Move an asset to see what would hold.</p>
      ) : (
        <Answer of={found.value} what="answer">
          {(answer) => <Outcome of={answer.point} accounts={answer.accountIds} />}
        </Answer>
      )}
    </section>
  );
}

function Slider({ name, value, set }: { name: string; value: number; set: (by: number) => void }) {
  return (
    <label class="slider">
      <span>{name}</span>
      <input type="range" min={-90} max={100} step={1} value={value} onInput={(event) => set(Number(event.currentTarget.value))} aria-valuetext={`${value} %`} />
      <output class="figure">
        {value > 0 ? "+" : value < 0 ? "−" : ""}
        {Math.abs(value)} %
      </output>
    </label>
  );
}

function Outcome({ of, accounts }: { of: Ahead; accounts: readonly number[] }) {
  const total = rough(decimal(of.atStake));
  const share = (value: string) => (total > 0 ? (rough(decimal(value)) / total) * 100 : 0);
  let before = 0;
  return (
    <>
      <dl class="facts" aria-live="polite">
        <Fact name="Accounts liquidated">
          <span class="figure hit" data-value={of.accounts}>
            {of.accounts}
          </span>
        </Fact>
        <Fact name="To be closed">
          <Figure of={of.atStake} digits={2} unit="USDC" />
        </Fact>
        <Fact name="Insolvent">
          <State tone={of.insolvent ? "bad" : "good"}>{of.insolvent ? `${of.insolvent} accounts` : "none"}</State>
        </Fact>
        <Fact name="Lacking" hint="What insolvent accounts owe beyond what they have">
          <Figure of={of.lacking} digits={2} unit="USDC" />
        </Fact>
      </dl>
      <svg class="map strip" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={BANDS.map(([name, said]) => `${said} ${shown(decimal(of.stages[name]), 2)} USDC`).join(", ")}>
        <rect class="track" width="100" height="8" />
        {BANDS.map(([name]) => {
          const left = before;
          before += share(of.stages[name]);
          return <rect key={name} class={`band ${name}`} x={left} width={share(of.stages[name])} height="8" />;
        })}
      </svg>
      <dl class="facts">
        {BANDS.map(([name, said]) => (
          <Fact key={name} name={said}>
            <Figure of={of.stages[name]} digits={2} unit="USDC" />
          </Fact>
        ))}
      </dl>
      <Table caption="Pools then" rows={of.pools} columns={POOLS} id={(row) => row.symbol} fileName="what-if" />
      {accounts.length > 0 && (
        <p class="note">
          Accounts: {accounts.slice(0, 30).join(", ")}
          {accounts.length > 30 && ` and ${accounts.length - 30} more`}
        </p>
      )}
    </>
  );
}

const POOLS: Column<Schemas["PoolAhead"]>[] = [
  { name: "Pool", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Mark then", cell: (row) => <Figure of={row.markPrice} digits={4} />, plain: (row) => row.markPrice },
  { name: "They owe", hint: "Tokens that liquidated accounts owe", cell: (row) => <Figure of={row.owed} digits={3} />, plain: (row) => row.owed },
  { name: "They lent", cell: (row) => <Figure of={row.lent} digits={3} />, plain: (row) => row.lent },
  { name: "Redeemable", cell: (row) => <Figure of={row.redeemable} digits={3} />, plain: (row) => row.redeemable },
  { name: "Fills up", isText: true, hint: "Whether their redemptions alone would fill the pool", cell: (row) => <State tone={row.fills ? "bad" : "good"}>{row.fills ? "yes" : "no"}</State>, plain: (row) => String(row.fills) },
  { name: "Lenders lose", hint: "The part of all claims that certain losses would take", cell: (row) => <span class="figure">{row.impaired === undefined ? "–" : percent(decimal(row.impaired), 4)}</span>, plain: (row) => row.impaired ?? "" },
];
