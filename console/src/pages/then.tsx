/** Trading in the past of a replay: the book, candles and trades as they were; nothing is sent. */

import { useAsked, type Schemas } from "../data/api.ts";
import type { Book } from "../data/book.ts";
import { Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Candles, Ladder, Prints, type Market } from "./trade.tsx";

type Was = Schemas["PastBook"];
type Level = readonly [string, string];

const FOR_EVER = 3_600_000;

function bookOf(was: Was): Book {
  return { bids: [...(was.bids as Level[])].reverse(), asks: was.asks as Level[], isWhole: true };
}

export function DeskThen({ market, time }: { market: Market; time: number }) {
  const [was] = useAsked<Was>({ path: "/solvent/v1/replay/past/book", fields: { symbol: market.symbol, time: String(time) } }, FOR_EVER);
  return (
    <div class="desk">
      <section class="panel candles">
        <Candles market={market} until={time / 1000} />
      </section>
      <section class="panel book">
        <header class="title">
          <h2>Book then</h2>
        </header>
        <Answer of={was.value} what="book of then">
          {(found) => <Ladder book={bookOf(found)} market={market} />}
        </Answer>
      </section>
      <section class="panel form">
        <header class="title">
          <h2>Orders</h2>
        </header>
        <p class="why">
          This is how the market was on <Time of={time / 1000} form="full" />. Orders are taken in the present alone.
        </p>
      </section>
      <section class="panel tape">
        <header class="title">
          <h2>Trades until then</h2>
        </header>
        <Answer of={was.value} what="trades of then">
          {(found) => <Prints market={market} prints={found.trades.map((each) => ({ id: each.id, price: each.price, quantity: each.quantity, at: each.timestamp, isSale: each.isBuyerMaker }))} />}
        </Answer>
      </section>
    </div>
  );
}
