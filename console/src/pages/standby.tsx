/** Standing by: what it costs and earns, who is called before, and how to begin and to end it. */

import { useState } from "preact/hooks";
import { held, useAsked, wire, type Schemas } from "../data/api.ts";
import { useReceipts } from "../data/receipts.ts";
import { add, compare, decimal, least, multiply, shown, subtract, text, typed, ZERO, type Decimal } from "../lib/decimal.ts";
import { isRelief } from "../lib/receipts/form.ts";
import { span } from "../lib/time.ts";
import { Fact, Figure, Percent, Time } from "../parts/figures.tsx";
import { Outcome, useDeed } from "../parts/deed.tsx";
import { Answer } from "../parts/states.tsx";

type Standing = Schemas["Standby"];
type Capacity = Schemas["WaterfallCapacity"];

const EVERY_MS = 2000;
const MS = 1000;
const USDC_DIGITS = 6;
const RATE_DIGITS = 7;
const PATH = "/solvent/v1/standby";

/** A ratio that was typed in per cent. */
function ratioOf(said: string): Decimal | null {
  const found = typed(said);
  return found && { units: found.units, scale: found.scale + 2 };
}

/** USDC of others that is called before: all of a lower premium. */
function before(capacity: Capacity, premium: Decimal): Decimal {
  const lower = capacity.standbys.filter((each) => compare(decimal(each.premium), premium) < 0);
  return lower.reduce((sum, each) => add(sum, decimal(each.posted)), ZERO);
}

export function StandbyForm({ free, then }: { free: string; then: () => void }) {
  const asked = held.value ? { path: PATH, instruction: "standbyQuery" } : null;
  const [own, again] = useAsked<Standing[]>(asked, EVERY_MS);
  const [capacity, capacityAgain] = useAsked<Capacity>({ path: "/solvent/v1/waterfall/capacity" }, EVERY_MS);
  const deed = useDeed(() => {
    again();
    capacityAgain();
    then();
  });
  return (
    <>
      <p class="why">
        After a round of ADL that paid a lender in a token he did not ask for, you take it over at the mark and pay him in USDC, less your premium. Nothing is locked and there is no fee: what is not free when you are called is not asked. The least premium is called first; who can bear nothing pays none, and you are called all the same.
      </p>
      <Answer of={capacity.value} what="terms">
        {(of) => (
          <Answer of={own.value} what="standby">
            {(found) => <Forms own={found[0] ?? null} capacity={of} free={free} deed={deed} />}
          </Answer>
        )}
      </Answer>
      <Outcome of={deed} />
    </>
  );
}

interface Given {
  readonly own: Standing | null;
  readonly capacity: Capacity;
  readonly free: string;
  readonly deed: ReturnType<typeof useDeed>;
}

function Forms({ own, capacity, free, deed }: Given) {
  const posted = decimal(own?.posted ?? "0");
  return (
    <>
      <dl class="facts standing">
        <Fact name="You stand by with">
          <Figure of={own?.posted ?? "0"} unit="USDC" />
        </Fact>
        <Fact name="For a premium of">{own ? <Percent of={own.premium} digits={4} /> : <span class="figure none">–</span>}</Fact>
        <Fact name="Could be called now" hint="The smaller of what is posted and what is free; less where margin or leverage carries no more">
          <Figure of={text(least(posted, decimal(free)))} unit="USDC" />
        </Fact>
        {own && own.leavesAt !== null && (
          <Fact name="Notice was given for" hint="Called until then">
            <Figure of={own.leaving} unit="USDC" /> until <Time of={own.leavesAt / MS} form="full" />
          </Fact>
        )}
        <Earned />
      </dl>
      <Post own={own} capacity={capacity} free={free} deed={deed} />
      {own && <Leave own={own} capacity={capacity} free={free} deed={deed} />}
    </>
  );
}

/** Premiums of one's own receipts, the newest that the market sent. */
function Earned() {
  const { found } = useReceipts();
  const account = held.value?.account;
  const swaps = (found ?? []).map((each) => each.receipt).filter(isRelief).filter((each) => each.standby === account);
  const earned = swaps.reduce((sum, each) => sum + BigInt(each.premium), 0n);
  return (
    <Fact name="Earned so far" hint="Premiums of your swaps among your latest receipts">
      <Figure of={text({ units: earned, scale: USDC_DIGITS })} unit="USDC" /> in {swaps.length} {swaps.length === 1 ? "swap" : "swaps"}
    </Fact>
  );
}

function Post({ own, capacity, free, deed }: Given) {
  const [said, setSaid] = useState("");
  const [rate, setRate] = useState("");
  const amount = typed(said);
  const premium = ratioOf(rate);
  const posted = decimal(own?.posted ?? "0");
  const room = subtract(decimal(capacity.maxPosted), posted);
  const most = own ? least(decimal(own.premium), decimal(capacity.maxPremium)) : decimal(capacity.maxPremium);
  const isAmount = amount !== null && amount.scale <= USDC_DIGITS && amount.units > 0n && compare(amount, room) <= 0;
  const isPremium = premium !== null && premium.scale <= RATE_DIGITS + 2 && compare(premium, most) <= 0;
  const why = reason();

  function reason(): string | null {
    if (wire.value === "down") return "The market cannot be reached.";
    if (!said.trim()) return "Type an amount.";
    if (!amount || amount.units === 0n) return "That is no amount.";
    if (amount.scale > USDC_DIGITS) return `USDC has ${USDC_DIGITS} digits after the point.`;
    if (compare(amount, room) > 0) return "More than the maximum: the supply cap is reached.";
    if (!rate.trim()) return "Type a premium.";
    if (!premium) return "That is no premium.";
    if (premium.scale > RATE_DIGITS + 2) return `A premium has ${RATE_DIGITS} digits after the point.`;
    if (compare(premium, decimal(capacity.maxPremium)) > 0) return `No premium is above ${shown(multiply(decimal(capacity.maxPremium), { units: 100n, scale: 0 }))} %.`;
    if (own && compare(premium, decimal(own.premium)) > 0) return "A premium rises only while nothing is posted: take back what is, and wait for the notice.";
    return null;
  }

  const send = (event: Event) => {
    event.preventDefault();
    if (why || !amount || !premium) return;
    const fields = { quantity: text(amount), premium: text(premium) };
    void deed.carry({ path: PATH, method: "POST", instruction: "standbyPost", fields }, () => `Done: you stand by with ${shown(amount)} USDC more.`).then(() => setSaid(""));
  };
  const then = isAmount ? add(posted, amount) : null;
  return (
    <form class="stack" onSubmit={send}>
      <label class="amount">
        <span class="name">Amount to post</span>
        <input name="standby" inputMode="decimal" autocomplete="off" value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
        <span class="unit">USDC</span>
      </label>
      <label class="amount">
        <span class="name">Premium</span>
        <input name="premium" inputMode="decimal" autocomplete="off" value={rate} onInput={(event) => setRate(event.currentTarget.value)} />
        <span class="unit">%</span>
      </label>
      <p class="bound">
        <button type="button" class="button second" onClick={() => setSaid(free)}>
          All that is free
        </button>{" "}
        Maximum{" "}
        <strong class="max">
          <Figure of={text(room)} unit="USDC" />
        </strong>
        : beyond it the supply cap is reached. Free now: <Figure of={free} unit="USDC" />.
      </p>
      <dl class="facts" aria-live="polite">
        <Fact name="Posted">
          <Figure of={text(posted)} /> <span aria-label="becomes">→</span> <strong>{then ? <Figure of={text(then)} unit="USDC" /> : "–"}</strong>
        </Fact>
        <Fact name="Called before you" hint="USDC of others who ask less">
          {isPremium ? <Figure of={text(before(capacity, premium))} unit="USDC" /> : <span class="figure none">–</span>}
        </Fact>
        <Fact name="Earns at most" hint="The premium of all that is posted, once; less where who is relieved can bear less">
          {then && isPremium ? <Figure of={text(multiply(then, premium))} digits={USDC_DIGITS} unit="USDC" /> : <span class="figure none">–</span>}
        </Fact>
        <Fact name="Health" hint="A promise locks nothing, and a swap that would take you under initial margin is not made">
          unchanged
        </Fact>
      </dl>
      <button class="button" disabled={why !== null || deed.isBusy} aria-describedby="standby-why">
        Stand by
      </button>
      <p id="standby-why" class="note">
        {why ?? ""}
      </p>
    </form>
  );
}

function Leave({ own, capacity, deed }: Given & { readonly own: Standing }) {
  const [said, setSaid] = useState("");
  const amount = typed(said);
  const staying = subtract(decimal(own.posted), decimal(own.leaving));
  const why = reason();

  function reason(): string | null {
    if (wire.value === "down") return "The market cannot be reached.";
    if (staying.units === 0n) return "Notice was given for all that is posted.";
    if (!said.trim()) return "Type an amount, or take the maximum.";
    if (!amount || amount.units === 0n) return "That is no amount.";
    if (amount.scale > USDC_DIGITS) return `USDC has ${USDC_DIGITS} digits after the point.`;
    if (compare(amount, staying) > 0) return "More than the maximum: that is all that is posted and has no notice yet.";
    return null;
  }

  const send = (event: Event) => {
    event.preventDefault();
    if (why || !amount) return;
    void deed.carry({ path: PATH, method: "DELETE", instruction: "standbyWithdraw", fields: { quantity: text(amount) } }, () => `Done: notice was given for ${shown(amount)} USDC.`).then(() => setSaid(""));
  };
  return (
    <form class="stack" onSubmit={send}>
      <label class="amount">
        <span class="name">Amount to take back</span>
        <input name="leave" inputMode="decimal" autocomplete="off" value={said} onInput={(event) => setSaid(event.currentTarget.value)} />
        <span class="unit">USDC</span>
      </label>
      <p class="bound">
        <button type="button" class="button second" disabled={staying.units === 0n} onClick={() => setSaid(text(staying))}>
          Max
        </button>{" "}
        <strong>
          <Figure of={text(staying)} unit="USDC" />
        </strong>
        : that is all that is posted and has no notice yet. It is called for {span(capacity.notice / MS)} more.
      </p>
      <button class="button second" disabled={why !== null || deed.isBusy} aria-describedby="leave-why">
        Give notice
      </button>
      <p id="leave-why" class="note">
        {why ?? ""}
      </p>
    </form>
  );
}
