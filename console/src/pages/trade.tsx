/** Trade: the book, the tape, candles and the order form of one market. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { held, useAsked, type Schemas } from "../data/api.ts";
import { useBook, type Book } from "../data/book.ts";
import { past } from "../data/past.ts";
import { useStream, line } from "../data/streams.ts";
import { settings } from "../data/settings.ts";
import { go } from "../data/router.ts";
import { add, decimal, divide, percent, rough, shown, subtract, text, ZERO, type Decimal } from "../lib/decimal.ts";
import { milliseconds } from "../lib/time.ts";
import { Figure, State, Time } from "../parts/figures.tsx";
import { Data } from "../parts/data.tsx";
import { Answer } from "../parts/states.tsx";
import { Plot } from "../parts/plot.tsx";
import { OrderForm } from "./order.tsx";
import { OpenOrders } from "./orders.tsx";
import { DeskThen } from "./then.tsx";

export type Market = Schemas["Market"];
const LEVELS = 14;
const TRADES = 40;

export function digitsOf(step: string): number {
  return decimal(step).scale;
}

export function Trade({ words }: { words: readonly string[] }) {
  const [markets] = useAsked<Market[]>({ path: "/api/v1/markets" }, 60_000);
  const symbol = words[0]?.toUpperCase();
  return (
    <Answer of={markets.value} what="markets" empty="This market trades nothing.">
      {(found) => {
        const market = found.find((each) => each.symbol === symbol) ?? (symbol ? null : found.find((each) => each.symbol === "SOL_USDC") ?? found[0]);
        if (!market) return <p class="note">There is no market {symbol}.</p>;
        if (past.value !== null) return <DeskThen key={market.symbol} market={market} time={past.value} />;
        return <Desk key={market.symbol} market={market} markets={found} />;
      }}
    </Answer>
  );
}

function Desk({ market, markets }: { market: Market; markets: readonly Market[] }) {
  const book = useBook(market.symbol);
  const [price, setPrice] = useState("");
  useEffect(() => {
    document.title = `${market.symbol.replace("_", "/")} · Solvent`;
  }, [market.symbol]);
  return (
    <div class="desk">
      <Head market={market} markets={markets} />
      <section class="panel candles">
        <Candles market={market} />
      </section>
      <section class="panel book">
        <header class="title">
          <h2>Book</h2>
          {line.value === "lost" && <State tone="bad">old</State>}
        </header>
        <Ladder book={book.value} market={market} choose={setPrice} />
      </section>
      <section class="panel form">
        <OrderForm market={market} book={book.value} price={price} setPrice={setPrice} />
      </section>
      <section class="panel tape">
        <header class="title">
          <h2>Trades</h2>
          <span class="grow" />
          <Data of={`/trade/${market.symbol}`} />
        </header>
        <Tape market={market} />
      </section>
      <section class="panel orders">{held.value ? <OpenOrders market={market} /> : <p class="note">Your open orders are here once you have a <a href="/key">key</a>.</p>}</section>
    </div>
  );
}

function Head({ market, markets }: { market: Market; markets: readonly Market[] }) {
  const [ticker] = useAsked<Schemas["Ticker"]>({ path: "/api/v1/ticker", fields: { symbol: market.symbol } }, 3000);
  const [marks] = useAsked<Schemas["MarkPrice"][]>({ path: "/api/v1/markPrices" }, 3000);
  const mark = marks.value.value?.find((each) => each.symbol === market.symbol);
  const day = ticker.value.value;
  return (
    <header class="panel head">
      <label>
        <span class="unseen">Market</span>
        <select value={market.symbol} onChange={(event) => go(`/trade/${event.currentTarget.value}`)}>
          {markets.map((each) => (
            <option key={each.symbol} value={each.symbol}>
              {each.symbol.replace("_", "/")}
            </option>
          ))}
        </select>
      </label>
      <h1 class="unseen">{market.symbol.replace("_", "/")}</h1>
      <dl class="ticker">
        <div>
          <dt>Last</dt>
          <dd class="last">
            <Figure of={day?.lastPrice} digits={digitsOf(market.filters.price.tickSize)} />
          </dd>
        </div>
        <div>
          <dt>Mark</dt>
          <dd>
            <Figure of={mark?.markPrice} digits={4} />
          </dd>
        </div>
        <div>
          <dt>Index</dt>
          <dd>
            <Figure of={mark?.indexPrice} digits={4} />
          </dd>
        </div>
        <div>
          <dt>24 h</dt>
          <dd>{day ? <Change of={day.priceChangePercent} /> : "–"}</dd>
        </div>
        <div class="minor">
          <dt>High · low</dt>
          <dd>
            <Figure of={day?.high} /> · <Figure of={day?.low} />
          </dd>
        </div>
        <div class="minor">
          <dt>Volume</dt>
          <dd>
            <Figure of={day?.quoteVolume} digits={0} unit="USDC" />
          </dd>
        </div>
      </dl>
    </header>
  );
}

function Change({ of }: { of: string }) {
  const number = decimal(of);
  const tone = number.units > 0n ? "up" : number.units < 0n ? "down" : "";
  const sign = number.units > 0n ? "▲ +" : number.units < 0n ? "▼ " : "";
  return (
    <span class={`figure ${tone}`} data-value={of}>
      {sign}
      {percent(number)}
    </span>
  );
}

interface Rung {
  readonly price: string;
  readonly quantity: string;
  readonly sum: Decimal;
}

/** The levels nearest to the middle, with what gathers up to each. */
function rungs(levels: readonly (readonly [string, string])[]): Rung[] {
  let sum = ZERO;
  return levels.slice(0, LEVELS).map(([price, quantity]) => {
    sum = add(sum, decimal(quantity));
    return { price, quantity, sum };
  });
}

export function Ladder({ book, market, choose }: { book: Book; market: Market; choose?: (price: string) => void }) {
  if (!book.isWhole) return <p class="note loading">Loading the book…</p>;
  const [bids, asks] = [rungs(book.bids), rungs(book.asks)];
  const most = Math.max(1e-18, ...[bids.at(-1), asks.at(-1)].map((rung) => (rung ? rough(rung.sum) : 0)));
  const [bid, ask] = [bids[0], asks[0]];
  const spread = bid && ask ? subtract(decimal(ask.price), decimal(bid.price)) : null;
  return (
    <div class="ladder">
      <p class="rung names" aria-hidden="true">
        <span>Price</span>
        <span>Tokens</span>
        <span>Sum</span>
      </p>
      <Side rungs={[...asks].reverse()} most={most} market={market} choose={choose} name="ask" />
      <p class="spread">
        {spread && bid ? (
          <>
            spread <Figure of={text(spread)} /> ·{" "}
            {percent(divide(spread, decimal(bid.price), 6), 3)}
          </>
        ) : (
          "one side is empty"
        )}
      </p>
      <Side rungs={bids} most={most} market={market} choose={choose} name="bid" />
    </div>
  );
}

function Side({ rungs: found, most, market, choose, name }: { rungs: readonly Rung[]; most: number; market: Market; choose: ((price: string) => void) | undefined; name: "bid" | "ask" }) {
  const [tick, step] = [digitsOf(market.filters.price.tickSize), digitsOf(market.filters.quantity.stepSize)];
  return (
    <ul class={name} aria-label={name === "bid" ? "Bids" : "Asks"}>
      {found.map((rung) => (
        <li key={rung.price}>
          <button type="button" class="rung" disabled={!choose} onClick={() => choose?.(rung.price)} title={choose && "Take this price"}>
            <i aria-hidden="true" style={{ width: `${(rough(rung.sum) / most) * 100}%` }} />
            <span class={name === "bid" ? "up figure" : "down figure"}>{shown(decimal(rung.price), tick)}</span>
            <span class="figure">{shown(decimal(rung.quantity), step)}</span>
            <span class="figure sum">{shown(rung.sum, step)}</span>
          </button>
        </li>
      ))}
      {!found.length && <li class="note">No {name}s.</li>}
    </ul>
  );
}

interface Print {
  readonly id: number;
  readonly price: string;
  readonly quantity: string;
  readonly at: number;
  readonly isSale: boolean;
}

function Tape({ market }: { market: Market }) {
  const [first, again] = useAsked<Schemas["Trade"][]>({ path: "/api/v1/trades", fields: { symbol: market.symbol, limit: String(TRADES) } }, 15_000);
  const [later, setLater] = useState<readonly Print[]>([]);
  useStream<Schemas["TradeMessage"]>(`trade.${market.symbol}`, (data) => {
    const print = { id: data.t, price: data.p, quantity: data.q, at: data.T / 1000, isSale: data.m };
    setLater((before) => [print, ...before].slice(0, TRADES));
  }, again);
  const prints = useMemo(() => {
    const asked = (first.value.value ?? []).map((each) => ({ id: each.id, price: each.price, quantity: each.quantity, at: each.timestamp, isSale: each.isBuyerMaker }));
    const found = new Map([...asked, ...later].map((print) => [print.id, print]));
    return [...found.values()].sort((left, right) => right.id - left.id).slice(0, TRADES);
  }, [first.value.value, later]);
  return (
    <Answer of={first.value} what="trades">
      {() => <Prints prints={prints} market={market} />}
    </Answer>
  );
}

export function Prints({ prints, market }: { prints: readonly Print[]; market: Market }) {
  if (!prints.length) return <p class="note">Nothing was traded yet.</p>;
  const [tick, step] = [digitsOf(market.filters.price.tickSize), digitsOf(market.filters.quantity.stepSize)];
  return (
    <ul class="prints" aria-label="Latest trades">
      {prints.map((print) => (
        <li key={print.id} class="rung" data-trade={print.id}>
          <span class={`figure ${print.isSale ? "down" : "up"}`}>
            <span aria-label={print.isSale ? "sold" : "bought"}>{print.isSale ? "▼" : "▲"}</span> {shown(decimal(print.price), tick)}
          </span>
          <span class="figure">{shown(decimal(print.quantity), step)}</span>
          <Time of={print.at} />
        </li>
      ))}
    </ul>
  );
}

const INTERVALS = { "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400 } as const;
type Interval = keyof typeof INTERVALS;
const CANDLES = 120;
const MINUTE = 60;

/** The whole minute of a time, in seconds. */
function minute(ms: number): number {
  return Math.floor(ms / 1000 / MINUTE) * MINUTE;
}

/** Candles of now, or `until` a time in milliseconds. */
export function Candles({ market, until }: { market: Market; until?: number }) {
  const [interval, setInterval] = useState<Interval>("1m");
  const [now, setNow] = useState(minute(Date.now()));
  const since = until === undefined ? now : minute(until);
  const startTime = String(since - CANDLES * INTERVALS[interval]);
  const end: Record<string, string> = until === undefined ? {} : { endTime: String(since) };
  const [rows] = useAsked<Schemas["Kline"][]>({ path: "/api/v1/klines", fields: { symbol: market.symbol, interval, startTime, ...end } }, 5000);
  const { up, down } = settings.value;
  const found = rows.value.value;
  useEffect(() => {
    const timer = window.setInterval(() => setNow(minute(Date.now())), 600_000);
    return () => clearInterval(timer);
  }, []);
  const digits = digitsOf(market.filters.price.tickSize);
  const plot = useMemo(() => {
    const whole = (found ?? []).filter((row) => row.open !== null);
    const show = (value: number | null) => (value === null ? "–" : value.toFixed(digits));
    const series = (name: string, of: (row: Schemas["Kline"]) => string | null) => ({
      name,
      values: whole.map((row) => (of(row) === null ? null : rough(decimal(of(row) ?? "0")))),
      color: up,
      show,
    });
    return {
      times: whole.map((row) => milliseconds(row.start) / 1000),
      lines: [series("Open", (row) => row.open), series("High", (row) => row.high), series("Low", (row) => row.low), series("Close", (row) => row.close)],
    };
  }, [found, up, down, digits]);
  return (
    <>
      <header class="title">
        <h2>{market.symbol.replace("_", "/")}</h2>
        <span class="grow" />
        <div class="tabs" role="group" aria-label="How long a candle lasts">
          {(Object.keys(INTERVALS) as Interval[]).map((each) => (
            <button key={each} type="button" aria-pressed={each === interval} onClick={() => setInterval(each)}>
              {each}
            </button>
          ))}
        </div>
      </header>
      <Answer of={rows.value} what="candles">
        {() =>
          plot.times.length ? (
            <Plot candles name={`${market.symbol} candles`} times={plot.times} lines={plot.lines} height={Math.max(330, Math.min(700, innerHeight - 470))} span={CANDLES * INTERVALS[interval]} axis={(value) => value.toFixed(Math.min(digits, 2))} summary={`${plot.times.length} candles of ${interval}`} />
          ) : (
            <p class="note">No candles: nothing was traded in the last {CANDLES} intervals of {interval}.</p>
          )
        }
      </Answer>
    </>
  );
}
