/** What an account did and what was done to it, with the reason of each and its receipt. */

import { useState } from "preact/hooks";
import { useAsked, type Asked, type Schemas } from "../data/api.ts";
import { milliseconds } from "../lib/time.ts";
import { Figure, Percent, Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

const ROWS = "100";
/** Of the past the rows of later are left out, which come first. */
const MOST_ROWS = "1000";
type Loan = Schemas["BorrowLendMovement"];
type Interest = Schemas["InterestPayment"];
type Fill = Schemas["OrderFill"];
type Settlement = Schemas["Settlement"];
type Deposit = Schemas["Deposit"];

/** Why something happened, in words; what the API calls it is in the title. */
const REASONS: Record<string, string> = {
  Manual: "by its owner",
  AdlProvider: "its borrower was settled at the mark by ADL",
  AutoBorrowRepay: "an order repaid",
  AutoLend: "lent by the account's setting",
  BackstopProvider: "taken over as a backstop provider",
  DustConversion: "dust was converted",
  Interest: "interest",
  Liquidation: "liquidated on the book",
  LiquidationAdl: "settled at the mark by ADL",
  LiquidationBackstop: "taken over by a backstop provider",
  Reconciliation: "a loss was booked",
  SpotMargin: "an order borrowed, repaid or redeemed",
  Withdrawal: "a withdrawal borrowed or redeemed",
  LiquidatePositionOnAdl: "settled at the mark by ADL",
  LiquidatePositionOnBook: "liquidated on the book",
  LiquidatePositionOnBackstop: "taken over by a backstop provider",
};

function when(name: string): Column<{ timestamp: string }> {
  return { name, isText: true, cell: (row) => <Time of={milliseconds(row.timestamp)} form="full" />, plain: (row) => row.timestamp };
}

function why(word: string) {
  const isForced = /liquid|adl|backstop|reconcil/i.test(word);
  const text = REASONS[word] ?? word.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return (
    <span title={word}>
      {text}
      {isForced && (
        <>
          {" "}
          · <a href="/receipts">receipts</a>
        </>
      )}
    </span>
  );
}

const LOANS: Column<Loan>[] = [
  when("Time"),
  { name: "What", isText: true, cell: (row) => row.eventType, plain: (row) => row.eventType },
  { name: "Asset", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
  { name: "Tokens", cell: (row) => <Figure of={row.quantity} />, plain: (row) => row.quantity },
  { name: "Then", hint: "Tokens of the position afterwards", cell: (row) => <Figure of={row.positionQuantity} />, plain: (row) => row.positionQuantity },
  { name: "Why", isText: true, cell: (row) => why(row.source), plain: (row) => row.source },
];

const INTEREST: Column<Interest>[] = [
  when("Time"),
  { name: "Asset", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
  { name: "Tokens", cell: (row) => <Figure of={row.quantity} sign />, plain: (row) => row.quantity },
  { name: "Rate a year", cell: (row) => <Percent of={row.interestRate} />, plain: (row) => row.interestRate },
  { name: "For", isText: true, cell: (row) => row.paymentType, plain: (row) => row.paymentType },
];

const FILLS: Column<Fill>[] = [
  when("Time"),
  { name: "Market", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
  { name: "Side", isText: true, cell: (row) => <span class={row.side === "Bid" ? "up" : "down"}>{row.side === "Bid" ? "▲ buy" : "▼ sell"}</span>, plain: (row) => row.side },
  { name: "Tokens", cell: (row) => <Figure of={row.quantity} />, plain: (row) => row.quantity },
  { name: "Price", cell: (row) => <Figure of={row.price} />, plain: (row) => row.price },
  { name: "Fee", cell: (row) => <Figure of={row.fee} unit={row.feeSymbol} />, plain: (row) => row.fee },
  { name: "Why", isText: true, cell: (row) => (row.systemOrderType ? why(row.systemOrderType) : "by its owner"), plain: (row) => row.systemOrderType ?? "" },
];

const SETTLEMENTS: Column<Settlement>[] = [
  when("Time"),
  { name: "USDC", cell: (row) => <Figure of={row.quantity} sign />, plain: (row) => row.quantity },
  { name: "Why", isText: true, cell: (row) => why(row.source), plain: (row) => row.source },
];

const DEPOSITS: Column<Deposit>[] = [
  { name: "Time", isText: true, cell: (row) => <Time of={milliseconds(row.createdAt)} form="full" />, plain: (row) => row.createdAt },
  { name: "Asset", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
  { name: "Tokens", cell: (row) => <Figure of={row.quantity} />, plain: (row) => row.quantity },
  { name: "From", isText: true, cell: (row) => row.source, plain: (row) => row.source },
];

interface Kind {
  readonly name: string;
  readonly path: string;
  readonly instruction: string;
  readonly columns: readonly Column<never>[];
}

const KINDS: readonly Kind[] = [
  { name: "Loans", path: "/wapi/v1/history/borrowLend", instruction: "borrowHistoryQueryAll", columns: LOANS },
  { name: "Fills", path: "/wapi/v1/history/fills", instruction: "fillHistoryQueryAll", columns: FILLS },
  { name: "Interest", path: "/wapi/v1/history/interest", instruction: "interestHistoryQueryAll", columns: INTEREST },
  { name: "Settlements", path: "/wapi/v1/history/settlement", instruction: "settlementHistoryQueryAll", columns: SETTLEMENTS },
  { name: "Deposits", path: "/wapi/v1/capital/deposits", instruction: "depositQueryAll", columns: DEPOSITS },
];

/** The history up to now, or `until` a time in milliseconds. */
export function Past({ until }: { until?: number }) {
  const [name, choose] = useState("Loans");
  const kind = KINDS.find((each) => each.name === name) ?? KINDS[0];
  if (!kind) return null;
  return (
    <section class="panel">
      <header class="title">
        <h2>{until === undefined ? "History" : "History until then"}</h2>
        <div class="tabs" role="group" aria-label="Of what">
          {KINDS.map((each) => (
            <button key={each.name} type="button" aria-pressed={each.name === name} onClick={() => choose(each.name)}>
              {each.name}
            </button>
          ))}
        </div>
        <span class="grow" />
        <a class="quiet" href="/receipts">
          receipts
        </a>
      </header>
      <Rows key={kind.name} kind={kind} until={until} />
    </section>
  );
}

function Rows({ kind, until }: { kind: Kind; until: number | undefined }) {
  const asked: Asked = { path: kind.path, instruction: kind.instruction, fields: { limit: until === undefined ? ROWS : MOST_ROWS } };
  const [rows] = useAsked<never[]>(asked, 5000);
  const name = kind.name.toLowerCase();
  return (
    <Answer of={rows.value} what="history" empty={`No ${name} yet.`}>
      {(found) => {
        const told = until === undefined ? found : found.filter((row) => happened(row) <= until);
        return (
          <>
            {told.length ? <Table caption={kind.name} rows={told} columns={kind.columns} id={(row) => JSON.stringify(row)} fileName={name} /> : <p class="note">No {name} until then.</p>}
            {until !== undefined && found.length >= Number(MOST_ROWS) && <p class="note">Looked for among the latest {MOST_ROWS} alone.</p>}
          </>
        );
      }}
    </Answer>
  );
}

function happened(row: { timestamp?: string; createdAt?: string }): number {
  return milliseconds(row.timestamp ?? row.createdAt ?? "");
}
