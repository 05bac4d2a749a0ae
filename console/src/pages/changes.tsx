/** Changes of parameters: proposed by one person, approved by another, made when they are due. */

import { useState } from "preact/hooks";
import { held, marketTime, useAsked, type Schemas } from "../data/api.ts";
import { decimal, shown, typed } from "../lib/decimal.ts";
import { milliseconds, span } from "../lib/time.ts";
import { State, Time, type Tone } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { useSecond } from "../parts/second.ts";
import { Outcome, useDeed, type Deed } from "../parts/deed.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { Effect, Rehearsed } from "./rehearsed.tsx";

type Proposal = Schemas["ProposalRow"];

const RATIO_DIGITS = 9;
const RATIOS = [
  "MAX_UTILIZATION",
  "THROTTLE_THRESHOLD",
  "THROTTLE_UPDATE_FRACTION",
  "POOL_FEE",
  "CURVE_UTILIZATION",
  "CURVE_RATE",
  "COLLATERAL_WEIGHT",
  "INITIAL_BASE",
  "MAINTENANCE_BASE",
  "BOOK_FRACTION",
  "BOOK_PROBABILITY",
  "TARGET_BUFFER",
  "MAX_DISCOUNT",
] as const;

const TONES: Record<Proposal["state"], Tone> = {
  waiting: "warn",
  made: "good",
  refused: "bad",
  rejected: "bad",
  withdrawn: "mute",
  void: "mute",
  expired: "mute",
};

export function Changes() {
  const [proposals, again] = useAsked<Proposal[]>({ path: "/solvent/v1/proposals", instruction: "proposalQuery", fields: { limit: "50" } }, 2000);
  const deed = useDeed(again);
  const decide = (proposal: number, way: "approvals" | "rejections", instruction: string, done: string) =>
    void deed.carry({ path: `/solvent/v1/proposals/${way}`, method: "POST", instruction, fields: { proposal } }, () => `Proposal ${proposal} ${done}.`);
  const columns: Column<Proposal>[] = [
    { name: "No.", cell: (row) => row.proposal, plain: (row) => String(row.proposal) },
    { name: "State", isText: true, cell: (row) => <Standing of={row} />, plain: (row) => (isScheduled(row) ? "scheduled" : row.state) },
    { name: "What", isText: true, cell: (row) => said(row), plain: said },
    { name: "Proposed by", isText: true, cell: (row) => `key ${row.proposer}`, plain: (row) => String(row.proposer) },
    { name: "Approved by", isText: true, cell: (row) => row.approvers.map((each) => `key ${each}`).join(", ") || "nobody yet", plain: (row) => row.approvers.join(" ") },
    { name: "Due", isText: true, cell: (row) => <Time of={milliseconds(row.due)} form="full" />, plain: (row) => row.due },
    {
      name: "Decide",
      isText: true,
      cell: (row) =>
        row.state === "waiting" ? (
          <span class="moves">
            <button type="button" class="quiet" disabled={deed.isBusy || isAwaited(row) || row.approved} title={isAwaited(row) ? "It is being rehearsed" : row.approved ? "Enough people stand behind it" : undefined} onClick={() => decide(row.proposal, "approvals", "proposalApprove", "is approved")} aria-label={`Approve proposal ${row.proposal}`}>
              approve
            </button>
            <button type="button" class="quiet" disabled={deed.isBusy} onClick={() => decide(row.proposal, "rejections", "proposalReject", "is rejected")} aria-label={`Reject proposal ${row.proposal}`}>
              reject
            </button>
          </span>
        ) : (
          row.reason
        ),
    },
  ];
  return (
    <>
      <Propose deed={deed} />
      <section class="panel">
        <header class="title">
          <h2>Proposals</h2>
        </header>
        <Answer of={proposals.value} what="proposals" empty="Nothing was proposed yet.">
          {(found) => <Table caption="Proposals" rows={found} columns={columns} id={(row) => String(row.proposal)} fileName="proposals" />}
        </Answer>
        {(proposals.value.value ?? []).filter((row) => row.act === "ChangeParameter").map((row) => (
          <details key={row.proposal} open={row.state === "waiting"} data-proposal={row.proposal}>
            <summary>
              Rehearsal of proposal {row.proposal}: {said(row)}
            </summary>
            {row.rehearsal ? <Rehearsed of={row.rehearsal} /> : <p class="note">{row.notRehearsed ?? "It is being rehearsed on a copy of the book; until that is done nobody can approve it."}</p>}
            {row.effect && <Effect of={row.effect} />}
          </details>
        ))}
        <Outcome of={deed} />
      </section>
    </>
  );
}

/** Whether enough people stand behind it, so that it waits for its time alone. */
function isScheduled(row: Proposal): boolean {
  return row.state === "waiting" && row.approved;
}

/** The state; of what is scheduled, how long it still waits by the market's clock. */
function Standing({ of: row }: { of: Proposal }) {
  const { told, heard } = marketTime.value;
  const left = milliseconds(row.due) - (told + Math.max(0, useSecond() - heard));
  if (!isScheduled(row)) return <State tone={TONES[row.state] ?? "mute"}>{row.state}</State>;
  return <State tone="warn">scheduled, {left > 0 ? `in ${span(left)}` : "due now"}</State>;
}

/** Whether a rehearsal is still to come, without which nobody can approve. */
function isAwaited(row: Proposal): boolean {
  return row.act === "ChangeParameter" && !row.rehearsal && !row.notRehearsed;
}

function isRatio(field: string): boolean {
  return (RATIOS as readonly string[]).includes(field);
}

function said(row: Proposal): string {
  const what = [row.symbol, row.field?.toLowerCase().replaceAll("_", " ")].filter(Boolean).join(" ");
  const value = row.value === undefined ? "" : ` to ${row.field && isRatio(row.field) ? shown({ units: BigInt(row.value), scale: RATIO_DIGITS }) : row.value}`;
  return `${what || row.act}${value}`;
}

function Propose({ deed }: { deed: Deed }) {
  const [pools] = useAsked<Schemas["PoolNow"][]>({ path: "/solvent/v1/pools" }, 60_000);
  const [symbol, setSymbol] = useState("SOL");
  const [field, setField] = useState<string>("THROTTLE_THRESHOLD");
  const [text, setText] = useState("");
  const value = text.trim() === "0" ? decimal("0") : typed(text);
  const isFine = value !== null && value.scale <= RATIO_DIGITS;
  const why = !held.value ? "A risk admin's key proposes." : !text.trim() ? "Type the new value, as a part of one: 0.85 is 85 %." : !isFine ? "That is no such value." : null;
  const send = (event: Event) => {
    event.preventDefault();
    if (why || !value) return;
    const units = value.units * 10n ** BigInt(RATIO_DIGITS - value.scale);
    void deed.carry({ path: "/solvent/v1/risk/proposals", method: "POST", instruction: "riskPropose", fields: { symbol, field, value: Number(units) } }, (answer) => {
      const taken = answer as Schemas["ActTaken"];
      return taken.state === "made" ? "Made at once: this market asks for one person and no delay." : `Proposal ${taken.proposal ?? ""} waits for another person and for its time.`;
    });
  };
  return (
    <section class="panel">
      <header class="title">
        <h1>Change a parameter</h1>
      </header>
      <form class="row" onSubmit={send}>
        <select aria-label="Asset of the parameter" value={symbol} onChange={(event) => setSymbol(event.currentTarget.value)}>
          {(pools.value.value ?? [{ symbol }]).map((pool) => (
            <option key={pool.symbol} value={pool.symbol}>
              {pool.symbol}
            </option>
          ))}
        </select>
        <select aria-label="Parameter" value={field} onChange={(event) => setField(event.currentTarget.value)}>
          {RATIOS.map((name) => (
            <option key={name} value={name}>
              {name.toLowerCase().replaceAll("_", " ")}
            </option>
          ))}
        </select>
        <label class="amount">
          <span class="unseen">New value</span>
          <input name="value" inputMode="decimal" autocomplete="off" placeholder="new value" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button class="button" disabled={why !== null || deed.isBusy} aria-describedby="propose-why">
          Propose
        </button>
        <span id="propose-why" class="note">
          {why ?? ""}
        </span>
      </form>
    </section>
  );
}
