/** Replay: a scenario that is played, at what pace, the market as it was, and the report at the end. */

import { useEffect, useState } from "preact/hooks";
import { held, useAsked, type Pool, type Schemas } from "../data/api.ts";
import { past } from "../data/past.ts";
import { span } from "../lib/time.ts";
import { decimal, typed } from "../lib/decimal.ts";
import { Fact, Figure, Percent, State, Time } from "../parts/figures.tsx";
import { Data } from "../parts/data.tsx";
import { Answer } from "../parts/states.tsx";
import { Outcome, useDeed } from "../parts/deed.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { CONDITIONS } from "./markets.tsx";

type Now = Schemas["ReplayNow"];
type Was = Schemas["PastMarket"];

const SPEEDS = ["1", "10", "60", "600"] as const;
const STEP = 1_000_000;
const MS = 1000;

export function Replay() {
  const [now, again] = useAsked<Now>({ path: "/solvent/v1/replay" }, 1000);
  useEffect(() => {
    document.title = "Replay · Solvent";
  }, []);
  return (
    <Answer of={now.value} what="replay">
      {(found) => (
        <>
          <Play of={found} again={again} />
          <Look of={found} />
        </>
      )}
    </Answer>
  );
}

function Play({ of, again }: { of: Now; again: () => void }) {
  const deed = useDeed(again);
  const [said, setSaid] = useState("");
  const isOperator = held.value?.role === "operator";
  const speed = typed(said);
  const pace = (fields: Record<string, string | boolean>, done: string) =>
    void deed.carry({ path: "/solvent/v1/admin/replay", method: "POST", instruction: "adminReplay", fields }, () => done);
  const part = Math.min(1, (of.time - of.start) / (of.end - of.start));
  return (
    <section class="panel">
      <header class="title">
        <h1>{of.scenario}</h1>
        <State tone={of.ended ? "mute" : of.paused ? "warn" : "good"}>{of.ended ? "played to its end" : of.paused ? "paused" : `playing, ×${of.speed}`}</State>
        <span class="grow" />
        <Data of="/replay" />
      </header>
      <p class="why">
        A scenario's crash, played in this market. Every time on these pages is the market's, not that of a clock on a wall.
      </p>
      <svg class="map strip" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={`${Math.floor(part * 100)} % of the scenario is played`}>
        <rect class="track" width="100" height="8" />
        <rect class="band book" width={part * 100} height="8" />
      </svg>
      <dl class="facts">
        <Fact name="Market time">
          <Time of={of.time / MS} form="full" />
        </Fact>
        <Fact name="Played">
          {span((of.time - of.start) / MS)} of {span((of.end - of.start) / MS)}
        </Fact>
        {of.caughtUp && !of.ended && <Fact name="Pace">as the clock: it has come up with the present</Fact>}
      </dl>
      <div class="row" role="group" aria-label="Pace">
        <button type="button" class="button" disabled={!isOperator || deed.isBusy} onClick={() => pace({ paused: !of.paused }, of.paused ? "It goes on." : "It stands still.")}>
          {of.paused ? "▶ Go on" : "❚❚ Pause"}
        </button>
        {SPEEDS.map((each) => (
          <button key={each} type="button" class="quiet" aria-pressed={of.speed === each} disabled={!isOperator || deed.isBusy} onClick={() => pace({ speed: each }, `Played ×${each}.`)}>
            ×{each}
          </button>
        ))}
        <label class="amount">
          <span class="unseen">Speed, seconds of the market in one</span>
          <input name="speed" inputMode="decimal" autocomplete="off" placeholder="other" value={said} disabled={!isOperator} onInput={(event) => setSaid(event.currentTarget.value)} />
        </label>
        <button type="button" class="button second" disabled={!isOperator || deed.isBusy || !speed} onClick={() => pace({ speed: said.trim() }, `Played ×${said.trim()}.`)}>
          Set
        </button>
      </div>
      {!isOperator && (
        <p class="note">
          How fast it goes is the demo's operator's to say: his key is in <code>demo-staff.json</code> of its folder. <a href="/key">Use it</a>
        </p>
      )}
      <Outcome of={deed} />
      {of.ended && (
        <p>
          <a class="button" href="/solvent/v1/replay/report" data-outside>
            Open the run's report
          </a>{" "}
          <span class="note">written from the journal, as <code>solvent report</code> does; the first time takes some seconds.</span>
        </p>
      )}
    </section>
  );
}

/** The market as it was: the slider chooses a time, and every page says so until it is now again. */
function Look({ of }: { of: Now }) {
  const at = past.value;
  const last = Math.min(of.time, of.end);
  const [was] = useAsked<Was>(at === null ? null : { path: "/solvent/v1/replay/past", fields: { time: String(at) } }, 3_600_000);
  const chosen = at ?? last;
  return (
    <section class="panel">
      <header class="title">
        <h2>Look back</h2>
        {at !== null && (
          <button type="button" class="quiet" onClick={() => (past.value = null)}>
            back to now
          </button>
        )}
      </header>
      <label class="slider">
        <span>Time</span>
        <input
          type="range"
          name="past"
          min={of.start}
          max={Math.max(of.start + STEP, last)}
          step={STEP}
          value={chosen}
          onChange={(event) => (past.value = Number(event.currentTarget.value))}
          aria-valuetext={`${span((chosen - of.start) / MS)} after the beginning`}
        />
        <output class="figure">
          <Time of={chosen / MS} />
        </output>
      </label>
      {at === null ? (
        <p class="note">Move it to see every pool as it was. It is made from the journal; the market goes on meanwhile and does not notice.</p>
      ) : (
        <Answer of={was.value} what="past">
          {(found) => <Then of={found} />}
        </Answer>
      )}
    </section>
  );
}

function Then({ of }: { of: Was }) {
  return (
    <>
      <dl class="facts">
        <Fact name="As it was at">
          <Time of={of.time / MS} form="full" />
        </Fact>
        <Fact name="In the waterfall">
          <span class="figure" data-value={of.liquidating}>
            {of.liquidating} of {of.accounts}
          </span>
        </Fact>
        <Fact name="Records of the journal">
          <span class="figure" data-value={of.records}>
            {of.records}
          </span>
        </Fact>
      </dl>
      <Table caption="Pools then" rows={of.markets} columns={columns(of)} id={(row) => row.symbol} fileName="past" />
    </>
  );
}

function columns(of: Was): Column<Pool>[] {
  const now = (row: Pool) => of.pools.find((each) => each.symbol === row.symbol);
  return [
    { name: "Pool", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
    {
      name: "State",
      isText: true,
      cell: (row) => {
        const [tone, word] = CONDITIONS[now(row)?.condition ?? "Open"];
        return <State tone={tone}>{word}</State>;
      },
      plain: (row) => now(row)?.condition ?? "",
    },
    { name: "Mark", cell: (row) => <Figure of={row.assetMarkPrice} digits={4} />, plain: (row) => row.assetMarkPrice },
    { name: "Lent", cell: (row) => <Figure of={row.lentQuantity} digits={2} />, plain: (row) => row.lentQuantity },
    { name: "Borrowed", cell: (row) => <Figure of={row.borrowedQuantity} digits={2} />, plain: (row) => row.borrowedQuantity },
    { name: "Utilization", cell: (row) => <Percent of={row.utilization} />, plain: (row) => row.utilization },
    { name: "Borrow rate", cell: (row) => <Percent of={row.borrowInterestRate} />, plain: (row) => row.borrowInterestRate },
    { name: "Deficit", cell: (row) => <Figure of={now(row)?.deficit ?? "0"} digits={Math.min(4, decimal(now(row)?.deficit ?? "0").scale)} />, plain: (row) => now(row)?.deficit ?? "" },
  ];
}
