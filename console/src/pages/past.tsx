/** What an account did and what was done to it, with the reason of each and its receipt. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { useAsked, type Asked, type Schemas } from "../data/api.ts";
import { receiptsOf, useReceipts, type Entry, type Loaded } from "../data/receipts.ts";
import { causeOf, kindOf, nameOf } from "../lib/receipts/told.ts";
import { decimal } from "../lib/decimal.ts";
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
  BackstopProviderLiquidation: "taken over by a backstop provider",
  BackstopAdlLiquidation: "settled at the mark by ADL",
  BackstopLiquidityFundProceeds: "the fund's part of a backstop's discount",
  SystemLiabilityTransfer: "a loss was booked",
  TradingFees: "a trade's fee",
  TradingFeesSystem: "the fee of a liquidation on the book",
};

function when(name: string): Column<{ timestamp: string }> {
  return { name, isText: true, cell: (row) => <Time of={milliseconds(row.timestamp)} form="full" />, plain: (row) => row.timestamp };
}

/** One's own receipts, once an entry asks for one; null until they came. */
const Found = createContext<Loaded | null>(null);

const FORCED = /liquid|adl|backstop|reconcil|liability/i;
/** What went over the book is a trade: nothing was settled by the market, so there is no receipt. */
const BY_BOOK = new Set(["Liquidation", "LiquidatePositionOnBook"]);
const ON_BOOK = "Health was below maintenance, and the book was asked first. A trade has no receipt.";

/** The reason of an entry, and the receipts of the settlement that it is a part of. */
function Why({ of }: { of: Entry }) {
  const all = useContext(Found);
  const { word } = of;
  const text = REASONS[word] ?? word.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  if (!FORCED.test(word)) return <span title={word}>{text}</span>;
  if (BY_BOOK.has(word)) {
    return (
      <span title={`${word}. ${ON_BOOK}`}>
        {text}, as health was below maintenance · <a href="/waterfall">the tape</a>
      </span>
    );
  }
  const found = all ? receiptsOf(of, all) : [];
  return (
    <span title={word}>
      {found[0] ? `${kindOf(found[0])}, for ${causeOf(found[0])}` : text}
      {found.map((receipt) => (
        <>
          {" "}
          · <a href={`/receipts/${nameOf(receipt)}`}>{nameOf(receipt).replace("-", " ")}</a>
        </>
      ))}
      {!found.length && (
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
  { name: "Why", isText: true, cell: (row) => <Why of={{ ...row, word: row.source }} />, plain: (row) => row.source },
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
  { name: "Why", isText: true, cell: (row) => (row.systemOrderType ? <Why of={{ ...row, word: row.systemOrderType }} /> : "by its owner"), plain: (row) => row.systemOrderType ?? "" },
];

const SETTLEMENTS: Column<Settlement>[] = [
  when("Time"),
  { name: "USDC", cell: (row) => <Figure of={row.quantity} sign />, plain: (row) => row.quantity },
  { name: "Why", isText: true, cell: (row) => <Why of={{ word: row.source, timestamp: row.timestamp }} />, plain: (row) => row.source },
];

const DEPOSITS: Column<Deposit>[] = [
  { name: "Time", isText: true, cell: (row) => <Time of={milliseconds(row.createdAt)} form="full" />, plain: (row) => row.createdAt },
  { name: "Asset", isText: true, cell: (row) => row.symbol, plain: (row) => row.symbol },
  { name: "Tokens", cell: (row) => <Figure of={row.quantity} />, plain: (row) => row.quantity },
  { name: "From", isText: true, cell: (row) => row.source, plain: (row) => row.source },
];

type Notice = Schemas["StandbyNotice"];

/** What the account does from then on, in words. */
function standing(row: Notice): string {
  if (row.leavesAt !== null) return "notice was given";
  return decimal(row.posted).units ? "stands by" : "stands by no more";
}

const STANDBYS: Column<Notice>[] = [
  when("Time"),
  { name: "What", isText: true, cell: standing, plain: standing },
  { name: "Posted", hint: "USDC, not used up", cell: (row) => <Figure of={row.posted} />, plain: (row) => row.posted },
  { name: "Premium", cell: (row) => <Percent of={row.premium} digits={4} />, plain: (row) => row.premium },
  { name: "Leaving", hint: "USDC that is called until the notice is over", cell: (row) => <Figure of={row.leaving} />, plain: (row) => row.leaving },
  { name: "Called until", isText: true, cell: (row) => (row.leavesAt === null ? "–" : <Time of={row.leavesAt / 1000} form="full" />), plain: (row) => String(row.leavesAt ?? "") },
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
  { name: "Standby", path: "/solvent/v1/standby/history", instruction: "standbyHistoryQuery", columns: STANDBYS },
];

function addressOf(kind: Kind): string {
  return `/account/history/${kind.name.toLowerCase()}`;
}

/** The history up to now, or `until` a time in milliseconds. */
export function Past({ until, of = "loans" }: { until?: number; of?: string | undefined }) {
  const kind = KINDS.find((each) => each.name.toLowerCase() === of) ?? KINDS[0];
  if (!kind) return null;
  return (
    <section class="panel">
      <header class="title">
        <h2>{until === undefined ? "History" : "History until then"}</h2>
        <nav class="tabs" aria-label="Of what">
          {KINDS.map((each) => (
            <a key={each.name} href={addressOf(each)} aria-current={each === kind ? "true" : undefined}>
              {each.name}
            </a>
          ))}
        </nav>
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
  const forced = (rows.value.value ?? []).filter((row) => FORCED.test(JSON.stringify(row)));
  const receipts = useReceipts(forced.length > 0, JSON.stringify(forced[0] ?? ""));
  return (
    <Found.Provider value={receipts.found}>
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
    </Found.Provider>
  );
}

function happened(row: { timestamp?: string; createdAt?: string }): number {
  return milliseconds(row.timestamp ?? row.createdAt ?? "");
}
