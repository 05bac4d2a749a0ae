/** Receipts: every settlement that one was a party of, drawn, and verified in this page. */

import { useMemo, useState } from "preact/hooks";
import { held } from "../data/api.ts";
import { past } from "../data/past.ts";
import { loadNamed, NAMED, parse, useReceipts, type Loaded } from "../data/receipts.ts";
import { shown } from "../lib/decimal.ts";
import { clock } from "../lib/time.ts";
import { isBooking, isFill, isRelief, isRound, type Booking, type Check, type Leg, type Party, type Receipt, type Relief, type Settled } from "../lib/receipts/form.ts";
import { causeOf, kindOf, nameOf, usdc } from "../lib/receipts/told.ts";
import { verify } from "../lib/receipts/verify.ts";
import { settings } from "../data/settings.ts";
import { useEffect } from "preact/hooks";
import { State } from "../parts/figures.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { saveFile, Table, type Column } from "../parts/table.tsx";
import { NoKey } from "./nokey.tsx";

function atoms(text: string, decimals: number): string {
  return shown({ units: BigInt(text), scale: decimals });
}

function valueOf(receipt: Receipt): bigint {
  if (isBooking(receipt)) return BigInt(receipt.shortfall);
  return isRound(receipt) ? receipt.matches.reduce((sum, match) => sum + BigInt(match.value), 0n) : BigInt(receipt.value);
}

function assetOf(receipt: Receipt): string {
  return isBooking(receipt) ? receipt.pools.map((pool) => pool.asset).join(" ") : receipt.asset;
}

export function Receipts({ words }: { words: readonly string[] }) {
  const { found: own, error } = useReceipts();
  const [named, setNamed] = useState<Loaded | null>(null);
  const [file, setFile] = useState<Loaded | null>(null);
  const [trouble, setTrouble] = useState<string | null>(null);
  const key = held.value?.publicKey;
  useEffect(() => {
    document.title = "Receipts · Solvent";
  }, []);
  const until = past.value;
  const found = file ?? (own && until !== null ? own.filter((each) => Number(each.receipt.time) <= until) : own);
  const chosen = (found ?? []).concat(named ?? []).find((each) => nameOf(each.receipt) === words[0]) ?? (file?.length === 1 ? file[0] : undefined);
  const isMissing = own !== null && file === null && !chosen && words[0] !== undefined;
  useEffect(() => {
    const name = words[0] ?? "";
    if (!isMissing || !key) return;
    if (NAMED.test(name)) loadNamed(name).then(setNamed, () => setNamed([]));
    else setNamed([]);
  }, [isMissing, key, words[0]]);
  const read = async (given: File | undefined) => {
    setTrouble(null);
    if (!given) return;
    try {
      setFile(parse(await given.text()));
    } catch {
      setTrouble(`${given.name} holds no receipts: give a receipts.jsonl, or one receipt as JSON on a line.`);
    }
  };
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Receipts</h1>
          <span class="totals">{file ? "of a file, read here and sent nowhere" : until === null ? "of settlements that your account was a party of" : "of settlements that your account had been a party of by then"}</span>
          <span class="grow" />
          <label class="button second">
            Verify a file
            <input class="unseen" type="file" accept=".jsonl,.json" onChange={(event) => void read(event.currentTarget.files?.[0])} />
          </label>
        </header>
        {trouble && (
          <p class="note failed" role="alert">
            {trouble}
          </p>
        )}
        {!found && !key && <NoKey to="Get a key" />}
        {!found && key && (error ? <Failed what="receipts" error={error} /> : <Loading what="receipts" />)}
        {found && !found.length && <p class="note">No settlement has touched this account: nothing of it was settled by a provider or by ADL{until === null ? "" : " until then"}.</p>}
        {found && found.length > 0 && <Table caption="Receipts" rows={found.map((each) => each.receipt)} columns={columns()} id={nameOf} chosen={chosen && nameOf(chosen.receipt)} fileName="receipts" />}
      </section>
      {isMissing && named && (
        <section class="panel">
          <p class="note">There is no receipt {words[0]} of a settlement that your account was a party of.</p>
        </section>
      )}
      {chosen && <Detail key={chosen.source} receipt={chosen.receipt} source={chosen.source} />}
    </>
  );
}

function columns(): Column<Receipt>[] {
  const isLocal = settings.value.zone === "local";
  const when = (receipt: Receipt) => clock(Number(BigInt(receipt.time) / 1000n), isLocal, "full");
  return [
    { name: "Receipt", isText: true, cell: (row) => <a href={`/receipts/${nameOf(row)}`}>{nameOf(row).replace("-", " ")}</a>, plain: nameOf },
    { name: "Time", isText: true, cell: when, plain: (row) => row.time },
    { name: "What", isText: true, cell: kindOf, plain: kindOf },
    { name: "Asset", isText: true, cell: assetOf, plain: assetOf },
    { name: "Value", cell: (row) => <span class="figure">{usdc(valueOf(row))}</span>, plain: (row) => String(valueOf(row)) },
  ];
}

function Detail({ receipt, source }: { receipt: Receipt; source: string }) {
  const checks = useMemo(() => verify(receipt), [receipt]);
  const isGood = checks.every((check) => !check.problems.length);
  return (
    <section class="panel receipt">
      <header class="title">
        <h2>{nameOf(receipt).replace("-", " ")}</h2>
        <State tone={isGood ? "good" : "bad"}>{isGood ? "verified in this page" : "refused: it is not what the market settled"}</State>
        <span class="grow" />
        <button type="button" class="button second" onClick={() => saveFile(`${nameOf(receipt)}.jsonl`, "application/x-ndjson", `${source}\n`)}>
          Download
        </button>
      </header>
      {isBooking(receipt) ? <Booked of={receipt} /> : <p class="why">{saidOf(receipt)}</p>}
      <Checks of={checks} />
      {!isBooking(receipt) && isGood && <Parts of={receipt} />}
    </section>
  );
}

function Booked({ of }: { of: Booking }) {
  return (
    <p class="why">
      Losses of {of.accounts.length} {of.accounts.length === 1 ? "account" : "accounts"} that were certain: {usdc(of.shortfall)} were lacking, of which the fund paid {usdc(of.paid)}; the rest fell on all lenders of the pools alike. <code>solvent verify</code> computes all of it again.
    </p>
  );
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function saidOf(receipt: Settled): string {
  const mark = shown({ units: BigInt(receipt.mark), scale: 10 });
  return `${kindOf(receipt)}, at the mark of ${mark} USDC for a ${receipt.asset}. ${sentence(causeOf(receipt))}${isRound(receipt) ? ` Policy: ${receipt.policy.toLowerCase().replaceAll("_", " ")}.` : ""}`;
}

const MOST_PARTS = 40;

interface Part {
  readonly name: string;
  readonly said: string;
  readonly left: readonly [string, string];
  readonly value: string;
  readonly legs: readonly Leg[];
  readonly before: readonly Party[];
  readonly after: readonly Party[];
}

/** What a standby paid for what it took over, and what it kept: together the value at the mark. */
function legsOf(receipt: Relief): Leg[] {
  const { standby, receiver, paid, premium } = receipt;
  const given = { giver: standby, receiver, asset: "USDC", form: "AVAILABLE", quantity: paid, value: paid };
  const kept = { giver: receiver, receiver: standby, asset: "USDC", form: "PREMIUM", quantity: premium, value: premium };
  return [given, kept];
}

function partsOf(receipt: Settled): Part[] {
  const decimals = receipt.assets.find((each) => each.symbol === receipt.asset)?.decimals ?? 0;
  const debt = (quantity: string) => `${atoms(quantity, decimals)} ${receipt.asset}`;
  if (isRelief(receipt)) {
    const what = debt(receipt.quantity);
    const said = `account ${receipt.standby} takes over ${what} that account ${receipt.receiver} was paid in kind`;
    return [{ ...receipt, name: "Swap", said, left: [what, receipt.form === "CLAIM" ? "claim goes on" : "goes on"], legs: legsOf(receipt) }];
  }
  if (isFill(receipt)) {
    const what = debt(receipt.quantity);
    const said = `account ${receipt.account} is rid of ${what} of debt, account ${receipt.provider} takes it over`;
    return [{ ...receipt, name: "Fill", said, left: [what, "of debt ends"] }];
  }
  return receipt.matches.map((match, at) => {
    const what = debt(match.quantity);
    const said = `account ${match.payer} is rid of ${what} of debt, account ${match.lender} is paid`;
    return { ...match, name: `Match ${at + 1}`, said, left: [what, "of debt ends"] };
  });
}

/** Each match, the fill or the swap, as two bars; a receipt that is refused is not drawn. */
function Parts({ of: receipt }: { of: Settled }) {
  const decimals = (asset: string) => receipt.assets.find((each) => each.symbol === asset)?.decimals ?? 0;
  const parts = partsOf(receipt);
  return (
    <>
      {parts.slice(0, MOST_PARTS).map((part) => (
        <article key={part.name} class="match">
          <h3>
            {part.name}: {part.said}
          </h3>
          <Bars value={BigInt(part.value)} legs={part.legs} decimals={decimals} left={part.left} />
          <Totals before={part.before} after={part.after} />
        </article>
      ))}
      {parts.length > MOST_PARTS && <p class="note">{parts.length - MOST_PARTS} more matches are in the file and were checked.</p>}
    </>
  );
}

function Checks({ of }: { of: readonly Check[] }) {
  return (
    <ul class="checks" aria-label="What was checked">
      {of.map((check) => (
        <li key={check.name} class={check.problems.length ? "bad" : "good"}>
          <span aria-hidden="true">{check.problems.length ? "✕" : "✓"}</span> {check.name}
          {check.problems.slice(0, 5).map((problem) => (
            <p key={problem} class="note failed">
              {problem}
            </p>
          ))}
        </li>
      ))}
    </ul>
  );
}

const TALL = 120;
const LEFT = 0;
const RIGHT = 360;
const THICK = 150;
const LEAST_NAMED = 14;

/** Two bars of one height: what ends or goes on, and what was handed over for it, leg by leg. */
function Bars({ value, legs, decimals, left }: { value: bigint; legs: readonly Leg[]; decimals: (asset: string) => number; left: readonly [string, string] }) {
  const counted = legs.filter((leg) => BigInt(leg.value) > 0n);
  const sum = counted.reduce((total, leg) => total + BigInt(leg.value), 0n);
  const residue = value - sum;
  let top = 0;
  const places = counted.map((leg) => {
    const tall = sum > 0n ? (Number((BigInt(leg.value) * 1_000_000n) / sum) / 1_000_000) * TALL : 0;
    const at = top;
    top += tall;
    return { leg, at, tall };
  });
  return (
    <figure class="bars">
      <svg viewBox={`0 0 ${RIGHT + THICK} ${TALL + 2}`} role="img" aria-label={`${left.join(" ")}, worth ${usdc(value)}, against ${counted.length} legs worth ${usdc(sum)}`}>
        <rect class="loan" x={LEFT} y="1" width={THICK} height={TALL} />
        <text x={LEFT + 8} y="18">
          {left[0]}
        </text>
        <text class="dim" x={LEFT + 8} y="33">
          {left[1]}
        </text>
        {places.map(({ leg, at, tall }, number) => (
          <g key={`${leg.asset} ${leg.giver} ${leg.form} ${number}`} class={`leg tone${number % 4}`}>
            <path d={`M${THICK} ${1 + at} H${RIGHT} v${tall} H${THICK} z`} class="ribbon" />
            <rect x={RIGHT} y={1 + at} width={THICK} height={tall} />
            {tall >= LEAST_NAMED && (
              <text x={RIGHT + 8} y={at + Math.min(18, tall / 2 + 5)}>
                {atoms(leg.quantity, decimals(leg.asset))} {leg.asset}
              </text>
            )}
          </g>
        ))}
      </svg>
      <figcaption>
        = {usdc(value)} on both sides, {residue === 0n ? "to the last digit" : `residue ${usdc(residue)}`}
      </figcaption>
      <ul class="legs">
        {counted.map((leg, number) => (
          <li key={number}>
            account {leg.giver} → {leg.receiver}: {atoms(leg.quantity, decimals(leg.asset))} {leg.asset} ({leg.form.toLowerCase()}), {usdc(leg.value)}
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Totals({ before, after }: { before: readonly Party[]; after: readonly Party[] }) {
  const rows = before.map((party) => ({ party, then: after.find((each) => each.account === party.account) }));
  const spare = (party: Party) => BigInt(party.net_equity) - BigInt(party.maintenance);
  type Row = (typeof rows)[number];
  const columns: Column<Row>[] = [
    { name: "Account", isText: true, cell: (row) => row.party.account },
    { name: "Value before", cell: (row) => <span class="figure">{usdc(row.party.total_value)}</span> },
    { name: "Value after", cell: (row) => <span class="figure">{row.then ? usdc(row.then.total_value) : "–"}</span> },
    {
      name: "Above maintenance",
      hint: "Net equity less maintenance margin: health",
      cell: (row) => (
        <span class="figure">
          {usdc(spare(row.party))} → {row.then ? usdc(spare(row.then)) : "–"}
        </span>
      ),
    },
  ];
  return <Table caption="Both accounts before and after" rows={rows} columns={columns} id={(row) => String(row.party.account)} />;
}

