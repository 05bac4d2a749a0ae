/** Open orders of the account, with a way to end each and all. */

import { useAsked, type Schemas } from "../data/api.ts";
import { Figure, Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { Outcome, useDeed } from "../parts/deed.tsx";
import type { Market } from "./trade.tsx";

type Order = Schemas["OrderType"];

export function OpenOrders({ market }: { market: Market }) {
  const [orders, again] = useAsked<Order[]>({ path: "/api/v1/orders", instruction: "orderQueryAll" }, 2000);
  const deed = useDeed(again);
  const cancel = (order: Order) =>
    void deed.carry({ path: "/api/v1/order", method: "DELETE", instruction: "orderCancel", fields: { symbol: order.symbol, orderId: order.id } }, () => `Order ${order.id} is cancelled.`);
  const columns: Column<Order>[] = [
    { name: "Placed", isText: true, cell: (row) => <Time of={row.createdAt} />, plain: (row) => String(row.createdAt) },
    { name: "Market", isText: true, cell: (row) => row.symbol.replace("_", "/"), plain: (row) => row.symbol },
    { name: "Side", isText: true, cell: (row) => <span class={row.side === "Bid" ? "up" : "down"}>{row.side === "Bid" ? "▲ buy" : "▼ sell"}</span>, plain: (row) => row.side },
    { name: "Price", cell: (row) => <Figure of={row.price} />, plain: (row) => row.price ?? "" },
    {
      name: "Waits for",
      hint: "The condition that has to come before the order goes to the book",
      isText: true,
      cell: (row) =>
        row.triggerPrice ? (
          <>
            {row.triggerBy === "LastPrice" ? "last trade" : row.triggerBy === "IndexPrice" ? "index" : "mark"} at <Figure of={row.triggerPrice} />
          </>
        ) : (
          <span class="figure none">–</span>
        ),
      plain: (row) => (row.triggerPrice ? `${row.triggerBy ?? "MarkPrice"} ${row.triggerPrice}` : ""),
    },
    { name: "Quantity", cell: (row) => <Figure of={row.quantity} />, plain: (row) => row.quantity ?? "" },
    { name: "Filled", cell: (row) => <Figure of={row.executedQuantity} />, plain: (row) => row.executedQuantity },
    {
      name: "",
      cell: (row) => (
        <button type="button" class="quiet" disabled={deed.isBusy} onClick={() => cancel(row)} aria-label={`Cancel order ${row.id}`}>
          cancel
        </button>
      ),
    },
  ];
  return (
    <>
      <header class="title">
        <h2>Open orders</h2>
        <span class="grow" />
        <button
          type="button"
          class="quiet"
          disabled={deed.isBusy || !orders.value.value?.some((order) => order.symbol === market.symbol)}
          onClick={() => void deed.carry({ path: "/api/v1/orders", method: "DELETE", instruction: "orderCancelAll", fields: { symbol: market.symbol } }, () => `All orders of ${market.symbol} are cancelled.`)}
        >
          cancel all of {market.symbol.replace("_", "/")}
        </button>
      </header>
      <Answer of={orders.value} what="orders" empty="No open orders.">
        {(found) => <Table caption="Open orders" rows={found} columns={columns} id={(row) => row.id} fileName="orders" />}
      </Answer>
      <Outcome of={deed} />
    </>
  );
}
