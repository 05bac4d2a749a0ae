/** The order form: what may be ordered, what binds it, and why an order would be refused. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { held, useAsked, wire, type Schemas } from "../data/api.ts";
import { LIMITS } from "../data/account.ts";
import type { Book } from "../data/book.ts";
import { add, compare, decimal, multiply, shown, subtract, text, typed, ZERO, type Decimal } from "../lib/decimal.ts";
import { Fact, Figure, Percent } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Outcome, useDeed } from "../parts/deed.tsx";
import { after, Arrow, useMarkets } from "./markets.tsx";
import { digitsOf, type Market } from "./trade.tsx";

interface Given {
  readonly market: Market;
  readonly book: Book;
  readonly price: string;
  readonly setPrice: (price: string) => void;
}

/** What a market order would cost on the book as it is; null where the book ends before. */
export function costOf(levels: readonly (readonly [string, string])[], quantity: Decimal): Decimal | null {
  let [left, cost] = [quantity, ZERO];
  for (const [price, there] of levels) {
    const taken = compare(left, decimal(there)) < 0 ? left : decimal(there);
    cost = add(cost, multiply(taken, decimal(price)));
    left = add(left, { units: -taken.units, scale: taken.scale });
    if (left.units === 0n) return cost;
  }
  return null;
}

/** The worst price that a market order would meet; null where the book ends before. */
export function worst(levels: readonly (readonly [string, string])[], quantity: Decimal): Decimal | null {
  let left = quantity;
  for (const [price, there] of levels) {
    if (compare(left, decimal(there)) <= 0) return decimal(price);
    left = subtract(left, decimal(there));
  }
  return null;
}

/** Health, liquidation price and the rate of what is borrowed, before and after the order. */
function Ahead({ of, base }: { of: Schemas["OrderAhead"] | null; base: string }) {
  const { pools, now } = useMarkets();
  const owed = of && decimal(of.borrowed).units > 0n ? of.borrows : null;
  const pool = pools.value.value?.find((each) => each.symbol === owed);
  const state = now.value.value?.find((each) => each.symbol === owed);
  const rate = of && pool && state ? after(pool, state, "borrow", decimal(of.borrowed)) : null;
  return (
    <>
      <Fact name="Of the way to liquidation" hint="Once all of the order is filled at its price; fees left out">
        <Becomes from={of?.marginRatio} to={of?.marginRatioThen} show={(value) => <Percent of={value} />} />
      </Fact>
      <Fact name={`Liquidated at ${base}`} hint="The nearest mark, all else equal">
        <Becomes from={of?.liquidationPrice} to={of?.liquidationPriceThen} show={(value) => <Figure of={value} digits={4} />} />
      </Fact>
      {owed && of && (
        <Fact name={`Borrows ${owed}`}>
          <Figure of={of.borrowed} digits={4} /> {pool && rate && <>at <Arrow from={pool.borrowInterestRate} to={text(rate.borrow)} /></>}
        </Fact>
      )}
    </>
  );
}

function Becomes({ from, to, show }: { from: string | null | undefined; to: string | null | undefined; show: (value: string | null | undefined) => ComponentChildren }) {
  return (
    <>
      {show(from)} <span class="arrow" aria-label="becomes">→</span> <strong>{show(to)}</strong>
    </>
  );
}

export function OrderForm({ market, book, price, setPrice }: Given) {
  const [side, setSide] = useState<"Bid" | "Ask">("Bid");
  const [kind, setKind] = useState<"Limit" | "Market">("Limit");
  const [said, setSaid] = useState("");
  const [borrows, setBorrows] = useState(false);
  const [redeems, setRedeems] = useState(false);
  const [isPostOnly, setPostOnly] = useState(false);
  const isLimit = kind === "Limit";
  const limit = typed(price);
  const amount = typed(said);
  const flags = { autoBorrow: borrows, autoLendRedeem: redeems };
  const isPriced = !isLimit || limit !== null;
  const [most, mostAgain] = useAsked<Schemas["OrderLimit"]>(
    held.value && isPriced
      ? {
          path: "/solvent/v1/limits/order",
          instruction: "limitsOrderQuery",
          fields: { symbol: market.symbol, side, ...flags, ...(isLimit && limit ? { price: text(limit) } : {}) },
        }
      : null,
    2000,
  );
  const deed = useDeed(mostAgain);
  const at = isLimit ? limit : amount && worst(side === "Bid" ? book.asks : book.bids, amount);
  const mayAsk = held.value && amount && at && most.value.value && compare(amount, decimal(most.value.value.quantity)) <= 0;
  const [ahead] = useAsked<Schemas["OrderAhead"]>(
    mayAsk
      ? {
          path: "/solvent/v1/limits/order/ahead",
          instruction: "limitsOrderAheadQuery",
          fields: { symbol: market.symbol, side, ...flags, quantity: text(amount), at: text(at), ...(isLimit ? { price: text(at) } : {}) },
        }
      : null,
    2000,
  );
  const base = market.baseSymbol;
  const bound = most.value.value;
  const why = reason();
  const cost = !amount ? null : isLimit ? (limit ? multiply(limit, amount) : null) : costOf(side === "Bid" ? book.asks : book.bids, amount);

  function reason(): string | null {
    if (!held.value) return "A key signs orders.";
    if (wire.value === "down") return "The market cannot be reached.";
    if (market.orderBookState !== "Open") return `The book is ${market.orderBookState}.`;
    if (isLimit && !price.trim()) return "Type a price, or take one from the book.";
    if (isLimit && !limit) return "That is no price.";
    if (isLimit && limit && limit.scale > digitsOf(market.filters.price.tickSize)) return `Prices are multiples of ${market.filters.price.tickSize}.`;
    if (!said.trim()) return "Type a quantity, or take the maximum.";
    if (!amount) return "That is no quantity.";
    if (amount.scale > digitsOf(market.filters.quantity.stepSize)) return `Quantities are multiples of ${market.filters.quantity.stepSize}.`;
    if (compare(amount, decimal(market.filters.quantity.minQuantity)) < 0) return `At least ${market.filters.quantity.minQuantity} ${base}.`;
    if (!bound) return "Asking for the maximum…";
    if (compare(amount, decimal(bound.quantity)) > 0) return `More than the maximum: ${LIMITS[bound.limit]}.`;
    return null;
  }

  const send = (event: Event) => {
    event.preventDefault();
    if (why || !amount) return;
    const fields = {
      symbol: market.symbol,
      side,
      orderType: kind,
      quantity: text(amount),
      ...(isLimit && limit ? { price: text(limit), timeInForce: "GTC", postOnly: isPostOnly } : {}),
      ...flags,
    };
    void deed.carry({ path: "/api/v1/order", method: "POST", instruction: "orderExecute", fields }, (answer) => {
      const order = answer as Schemas["OrderType"];
      const rests = order.status === "New" || order.status === "PartiallyFilled";
      if (decimal(order.executedQuantity).units === 0n) {
        return rests ? "The order rests in the book." : `Nothing was filled: ${order.status.toLowerCase()}.`;
      }
      const filled = `${side === "Bid" ? "Bought" : "Sold"} ${shown(decimal(order.executedQuantity))} ${base}`;
      return rests ? `${filled}; the rest is in the book.` : `${filled}.`;
    });
  };

  return (
    <form class="stack" onSubmit={send}>
      <div class="sides" role="group" aria-label="Side">
        <button type="button" class="buy" aria-pressed={side === "Bid"} onClick={() => setSide("Bid")}>
          ▲ Buy
        </button>
        <button type="button" class="sell" aria-pressed={side === "Ask"} onClick={() => setSide("Ask")}>
          ▼ Sell
        </button>
      </div>
      <div class="tabs" role="group" aria-label="Kind">
        {(["Limit", "Market"] as const).map((each) => (
          <button key={each} type="button" aria-pressed={kind === each} onClick={() => setKind(each)}>
            {each}
          </button>
        ))}
      </div>
      {isLimit && (
        <label class="amount">
          <span class="name">Price</span>
          <input name="price" inputMode="decimal" autocomplete="off" value={price} onInput={(event) => setPrice(event.currentTarget.value)} />
          <span class="unit">USDC</span>
        </label>
      )}
      <label class="amount">
        <span class="name">Quantity</span>
        <input name="quantity" inputMode="decimal" autocomplete="off" value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
        <span class="unit">{base}</span>
      </label>
      {held.value && isPriced && (
        <Answer of={most.value} what="maximum">
          {(found) => (
            <p class="bound">
              <button type="button" class="button second" disabled={decimal(found.quantity).units === 0n} onClick={() => setSaid(found.quantity)}>
                Max
              </button>{" "}
              <strong class="max">
                <Figure of={found.quantity} unit={base} />
              </strong>
              : {LIMITS[found.limit]}.
            </p>
          )}
        </Answer>
      )}
      <div class="flags">
        <label>
          <input type="checkbox" checked={borrows} onChange={(event) => setBorrows(event.currentTarget.checked)} /> borrow what is missing
        </label>
        <label>
          <input type="checkbox" checked={redeems} onChange={(event) => setRedeems(event.currentTarget.checked)} /> redeem lends
        </label>
        {isLimit && (
          <label>
            <input type="checkbox" checked={isPostOnly} onChange={(event) => setPostOnly(event.currentTarget.checked)} /> rest or refuse
          </label>
        )}
      </div>
      <dl class="facts">
        <Fact name={side === "Bid" ? "Costs" : "Brings"} hint={isLimit ? "At the order's own price" : "On the book as it is now"}>
          {cost ? <Figure of={text(cost)} digits={2} unit="USDC" /> : <span class="figure none">–</span>}
        </Fact>
        <Ahead of={mayAsk ? ahead.value.value : null} base={base} />
      </dl>
      <button class={`button ${side === "Ask" ? "sell" : ""}`} disabled={why !== null || deed.isBusy} aria-describedby="order-why">
        {side === "Bid" ? "Buy" : "Sell"} {base}
      </button>
      <p id="order-why" class="note">
        {why ?? ""}
        {!held.value && (
          <>
            {" "}
            <a href="/key">Get one</a>
          </>
        )}
      </p>
      <Outcome of={deed} />
    </form>
  );
}
