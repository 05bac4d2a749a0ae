/** Lend, redeem, borrow, repay: the exact maximum, what binds it, and what would come of it. */

import { useState } from "preact/hooks";
import { useAsked, wire, type Schemas } from "../data/api.ts";
import { LIMITS, useLimits, type Position } from "../data/account.ts";
import { go } from "../data/router.ts";
import { compare, decimal, shown, text, typed } from "../lib/decimal.ts";
import { base64 } from "../lib/signing.ts";
import { Fact, Figure, State } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Outcome, useDeed } from "../parts/deed.tsx";
import { after, Arrow, CONDITIONS, useMarkets } from "./markets.tsx";

export const MOVES = ["lend", "redeem", "borrow", "repay"] as const;
export type Move = (typeof MOVES)[number];

const SIDES: Record<Move, "Lend" | "Borrow"> = { lend: "Lend", repay: "Lend", borrow: "Borrow", redeem: "Borrow" };
const NAMES: Record<Move, string> = { lend: "Lend", redeem: "Redeem", borrow: "Borrow", repay: "Repay" };

interface Given {
  readonly move: Move;
  readonly symbol: string;
  readonly position: Position | undefined;
  readonly then: () => void;
}

export function Loan({ move, symbol, position, then }: Given) {
  const { pools, now, again } = useMarkets();
  const [limits, limitsAgain] = useLimits(symbol);
  const [said, setSaid] = useState("");
  const deed = useDeed(() => {
    then();
    limitsAgain();
    again();
  });
  const pool = pools.value.value?.find((each) => each.symbol === symbol);
  const about = now.value.value?.find((each) => each.symbol === symbol);
  const amount = typed(said);
  const written = amount ? text(amount) : null;
  const bound = limits.value.value?.[move] ?? null;
  const isOver = amount !== null && bound !== null && compare(amount, decimal(bound.quantity)) > 0;
  const isTooFine = amount !== null && pool !== undefined && amount.scale > decimal(pool.stepSize).scale;
  const [price] = useLiquidation(move, symbol, isOver || isTooFine ? null : written);
  const why = reason();
  const asked = { path: "/api/v1/borrowLend", method: "POST", instruction: "borrowLendExecute" } as const;

  function reason(): string | null {
    if (wire.value === "down") return "The market cannot be reached.";
    if (!bound) return "Asking for the maximum…";
    if (decimal(bound.quantity).units === 0n) return `Nothing may be ${past(move)}: ${LIMITS[bound.limit]}.`;
    if (!said.trim()) return "Type an amount, or take the maximum.";
    if (!amount) return "That is no amount.";
    if (isTooFine) return `${symbol} has ${decimal(pool?.stepSize ?? "0").scale} digits after the point.`;
    if (isOver) return `More than the maximum: ${LIMITS[bound.limit]}.`;
    return null;
  }

  const send = (event: Event) => {
    event.preventDefault();
    if (why || !written) return;
    void deed
      .carry({ ...asked, fields: { symbol, side: SIDES[move], quantity: written } }, () => `Done: ${past(move)} ${shown(decimal(written))} ${symbol}.`)
      .then(() => setSaid(""));
  };
  const change = pool && about && amount ? after(pool, about, move, amount) : null;
  return (
    <section class="panel">
      <header class="title">
        <h2>{NAMES[move]}</h2>
        <select aria-label="Asset" value={symbol} onChange={(event) => go(`/account/${move}/${event.currentTarget.value}`, true)}>
          {(pools.value.value ?? [{ symbol }]).map((each) => (
            <option key={each.symbol} value={each.symbol}>
              {each.symbol}
            </option>
          ))}
        </select>
        {about && <State tone={CONDITIONS[about.condition][0]} why={CONDITIONS[about.condition][2]}>{CONDITIONS[about.condition][1]}</State>}
      </header>
      <MoveTabs symbol={symbol} now={move} />
      <form onSubmit={send} class="stack">
        <div class="row">
          <label class="amount grow">
            <span class="unseen">Amount to {move}</span>
            <input name="amount" inputMode="decimal" autocomplete="off" placeholder="amount" value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
            <span class="unit">{symbol}</span>
          </label>
          <button type="button" class="button second" disabled={!bound || decimal(bound.quantity).units === 0n} onClick={() => bound && setSaid(bound.quantity)}>
            Max
          </button>
        </div>
        <Answer of={limits.value} what="maximum">
          {(found) => (
            <p class="bound">
              Maximum{" "}
              <strong class="max">
                <Figure of={found[move].quantity} unit={symbol} />
              </strong>
              : {LIMITS[found[move].limit]}.
            </p>
          )}
        </Answer>
        <dl class="facts" aria-live="polite">
          {pool && (
            <Fact name="Borrow rate">
              <Arrow from={pool.borrowInterestRate} to={change && !isOver ? text(change.borrow) : null} />
            </Fact>
          )}
          {pool && (
            <Fact name="Lend rate">
              <Arrow from={pool.lendInterestRate} to={change && !isOver ? text(change.lend) : null} />
            </Fact>
          )}
          {about && (
            <Fact name="Utilization">
              <Arrow from={about.utilization} to={change && !isOver ? text(change.utilization) : null} />
            </Fact>
          )}
          <Fact name={`Liquidated at ${symbol}`} hint="The mark at which the account is liquidated, all else equal">
            <Mark of={position && decimal(position.estLiquidationPrice).units > 0n ? position.estLiquidationPrice : null} />
            {price.value.value && (
              <>
                <span class="arrow" aria-label="becomes">
                  {" "}
                  →{" "}
                </span>
                <strong>
                  <Mark of={price.value.value.liquidationPrice} />
                </strong>
              </>
            )}
          </Fact>
        </dl>
        <button class="button" disabled={why !== null || deed.isBusy} aria-describedby="why">
          {NAMES[move]} {symbol}
        </button>
        <p id="why" class="note">
          {why ?? (move === "borrow" ? "The first hour's interest is paid at once." : "")}
        </p>
        <Outcome of={deed} />
      </form>
    </section>
  );
}

/** What may be done with an asset, and standing by, each at an address of its own. */
export function MoveTabs({ symbol, now }: { symbol: string; now: Move | "standby" }) {
  return (
    <nav class="tabs" aria-label="What to do">
      {MOVES.map((each) => (
        <a key={each} href={`/account/${each}/${symbol}`} aria-current={each === now ? "true" : undefined}>
          {NAMES[each]}
        </a>
      ))}
      <a href="/account/standby" aria-current={now === "standby" ? "true" : undefined}>
        Stand by
      </a>
    </nav>
  );
}

function past(move: Move): string {
  return { lend: "lent", redeem: "redeemed", borrow: "borrowed", repay: "repaid" }[move];
}

function Mark({ of }: { of: string | null }) {
  return of === null ? <span class="figure none">none</span> : <Figure of={of} digits={4} />;
}

/** Where the account would be liquidated after it, which the market itself computes. */
function useLiquidation(move: Move, symbol: string, quantity: string | null) {
  const payload = quantity === null ? null : JSON.stringify({ quantity, side: SIDES[move], symbol });
  const padded = payload === null ? null : payload.padEnd(Math.ceil(payload.length / 3) * 3, " ");
  return useAsked<Schemas["PositionEstimatedLiquidationPrice"]>(
    padded === null
      ? null
      : {
          path: "/api/v1/borrowLend/position/liquidationPrice",
          instruction: "borrowLendPositionLiquidationPrice",
          fields: { borrow: base64(new TextEncoder().encode(padded)) },
        },
    5000,
  );
}

