/** The account: what it has and owes, how near it is to liquidation, what it may do, what it did. */

import { useEffect } from "preact/hooks";
import { held, type Standing } from "../data/api.ts";
import { past } from "../data/past.ts";
import { useCapital, useForecast, type Collateral, type Forecast, type Position } from "../data/account.ts";
import { compare, decimal, rough, text } from "../lib/decimal.ts";
import { Fact, Figure, Percent, State, type Tone } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { Loan, MOVES, MoveTabs, type Move } from "./loan.tsx";
import { StandbyForm } from "./standby.tsx";
import { Past } from "./past.tsx";
import { NoKey } from "./nokey.tsx";
import { SeenAccount } from "./seen.tsx";

interface Row {
  readonly symbol: string;
  readonly available: string;
  readonly locked: string;
  readonly net: string;
  readonly mark: string | null;
  readonly weight: string | null;
  readonly liquidation: string | null;
  readonly interest: string | null;
}

export function Account({ words }: { words: readonly string[] }) {
  if (!held.value) return <NoKey to="Get a key" />;
  const [verb, symbol] = words;
  if (verb === "of" && symbol && /^\d{1,12}$/.test(symbol)) return <SeenAccount key={symbol} account={symbol} />;
  const kind = verb === "history" ? symbol : undefined;
  if (past.value !== null) return <Then time={past.value} kind={kind} />;
  if (verb === "standby") return <Own move="lend" symbol="USDC" isStandby />;
  const move = MOVES.find((each) => each === verb) ?? "lend";
  return <Own move={move} symbol={(kind ? undefined : symbol) ?? "USDC"} kind={kind} />;
}

/** One's own account as it was, and what had come to it by then; nothing can be asked for. */
function Then({ time, kind }: { time: number; kind: string | undefined }) {
  const account = held.value?.account ?? null;
  useEffect(() => {
    document.title = "Account · Solvent";
  }, []);
  if (account === null) return <p class="note">The page does not know which account this key acts for: look at one by its number, at /account/of/NUMBER.</p>;
  return (
    <>
      <SeenAccount account={String(account)} />
      <Past until={time / 1000} of={kind} />
    </>
  );
}

function Own({ move, symbol, kind, isStandby = false }: { move: Move; symbol: string; kind?: string | undefined; isStandby?: boolean }) {
  const { balances, collateral, positions, account, again } = useCapital();
  const owed = positions.value.value?.find((each) => each.netQuantity.startsWith("-"));
  const [forecast] = useForecast(owed ? owed.symbol : null);
  useEffect(() => {
    document.title = "Account · Solvent";
  }, []);
  return (
    <>
      <div class="split wide">
        <section class="panel">
          <header class="title">
            <h1>{held.value?.account !== null && held.value ? `Account ${held.value.account}` : "Account"}</h1>
            {account.value.value?.liquidating && <State tone="bad">being liquidated</State>}
            <span class="grow" />
            <a class="quiet" href="/key">
              key
            </a>
          </header>
          <Answer of={collateral.value} what="margin">
            {(found) => <Health margin={found} forecast={forecast.value} owed={owed?.symbol ?? null} />}
          </Answer>
          <Assets balances={balances.value} collateral={collateral.value.value} positions={positions.value.value} />
        </section>
        {isStandby ? (
          <section class="panel standby">
            <header class="title">
              <h2>Stand by</h2>
            </header>
            <MoveTabs symbol={symbol} now="standby" />
            <StandbyForm free={balances.value.value?.USDC?.available ?? "0"} then={again} />
          </section>
        ) : (
          <Loan key={`${move} ${symbol}`} move={move} symbol={symbol.toUpperCase()} then={again} position={positions.value.value?.find((each) => each.symbol === symbol.toUpperCase())} />
        )}
      </div>
      <Past of={kind} />
    </>
  );
}

const NEAR = decimal("0.7");
const VERY_NEAR = decimal("0.9");

/** Maintenance over net equity: at 100 % the account is liquidated. */
function Health({ margin, forecast, owed }: { margin: Collateral; forecast: Standing<Forecast>; owed: string | null }) {
  const ratio = owed ? (forecast.value?.marginRatio ?? null) : null;
  const isUnder = owed !== null && margin.netEquity.startsWith("-");
  const tone: Tone = isUnder ? "bad" : !ratio ? "good" : compare(decimal(ratio), VERY_NEAR) >= 0 ? "bad" : compare(decimal(ratio), NEAR) >= 0 ? "warn" : "good";
  const word = owed === null ? "no debts" : tone === "good" ? "healthy" : tone === "warn" ? "near liquidation" : "at liquidation";
  const place = ratio ? Math.min(100, rough(decimal(ratio)) * 100) : isUnder ? 100 : 0;
  const seen = forecast.value;
  return (
    <>
      <div class="health">
        <div>
          <State tone={tone}>{word}</State>
          {ratio && (
            <span class="of">
              {" "}
              <Percent of={ratio} /> of the way to liquidation
            </span>
          )}
        </div>
        <svg class={`gauge ${tone}`} viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={ratio ? `Maintenance margin is ${text(decimal(ratio))} of net equity; at 1 the account is liquidated` : "No debts, no liquidation"}>
          <rect class="track" width="100" height="8" />
          <rect class="fill" width={place} height="8" />
          <line x1="70" x2="70" y1="0" y2="8" />
          <line x1="90" x2="90" y1="0" y2="8" />
        </svg>
      </div>
      <dl class="facts">
        <Fact name="Net equity" hint="What collateral counts for, less debts">
          <Figure of={margin.netEquity} digits={2} unit="USDC" />
        </Fact>
        <Fact name="Free for new risk" hint="Net equity beyond the initial margin">
          <Figure of={margin.netEquityAvailable} digits={2} unit="USDC" />
        </Fact>
        <Fact name="Assets">
          <Figure of={margin.assetsValue} digits={2} unit="USDC" />
        </Fact>
        <Fact name="Debts">
          <Figure of={margin.liabilitiesValue} digits={2} unit="USDC" />
        </Fact>
        {owed && (
          <Fact name="Margin fraction → liquidated at" hint="Net equity over debts; liquidated where it falls to the maintenance fraction">
            <Percent of={margin.marginFraction} /> → <Percent of={margin.mmf} />
          </Fact>
        )}
        {seen?.distance && (
          <Fact name={`${owed} until liquidation`} hint="All else equal">
            <Percent of={seen.distance} />{" "}
            {seen.liquidatedAbove && (
              <>
                to <Figure of={seen.liquidatedAbove} />
              </>
            )}
            {seen.liquidatedBelow && (
              <>
                {seen.liquidatedAbove ? " or " : "to "}
                <Figure of={seen.liquidatedBelow} />
              </>
            )}
          </Fact>
        )}
        {seen?.candidate && (
          <Fact name={`If lenders of ${owed} were stuck now`} hint="An ADL round over all that is lent: the account's place among those who would be asked, and the part of its debt that would be settled at the mark">
            place {seen.rank} of {seen.candidates}, <Percent of={seen.share} digits={1} /> of the debt
          </Fact>
        )}
      </dl>
    </>
  );
}

function isNothing(row: Row): boolean {
  return [row.available, row.locked, row.net].every((each) => decimal(each).units === 0n);
}

function Assets({ balances, collateral, positions }: { balances: Standing<Record<string, { available: string; locked: string }>>; collateral: Collateral | null; positions: readonly Position[] | null }) {
  return (
    <Answer of={balances} what="balances">
      {(found) => {
        const symbols = new Set([...Object.keys(found), ...(positions ?? []).map((each) => each.symbol)]);
        const rows = [...symbols]
          .map((symbol): Row => {
            const position = positions?.find((each) => each.symbol === symbol);
            const weighed = collateral?.collateral.find((each) => each.symbol === symbol);
            return {
              symbol,
              available: found[symbol]?.available ?? "0",
              locked: found[symbol]?.locked ?? "0",
              net: position?.netQuantity ?? "0",
              mark: position?.markPrice ?? weighed?.assetMarkPrice ?? null,
              weight: weighed?.collateralWeight ?? null,
              liquidation: position?.estLiquidationPrice ?? null,
              interest: position?.cumulativeInterest ?? null,
            };
          })
          .filter((row) => !isNothing(row));
        if (!rows.length) {
          return (
            <p class="note">
              Nothing yet. <a href="/key">Deposit</a> something to begin.
            </p>
          );
        }
        return <Table caption="Assets and debts" rows={rows} columns={COLUMNS} id={(row) => row.symbol} fileName="account" />;
      }}
    </Answer>
  );
}

const COLUMNS: Column<Row>[] = [
  { name: "Asset", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Available", cell: (row) => <Figure of={row.available} digits={6} />, plain: (row) => row.available },
  { name: "In orders", isMinor: true, cell: (row) => <Figure of={row.locked} digits={6} />, plain: (row) => row.locked },
  { name: "Lent or owed", hint: "Above zero lent, below zero owed", cell: (row) => <Figure of={row.net} digits={6} sign />, plain: (row) => row.net },
  { name: "Interest", hint: "So far, in tokens", isMinor: true, cell: (row) => <Figure of={row.interest} digits={6} sign />, plain: (row) => row.interest ?? "" },
  { name: "Weight", hint: "The part of its value that counts as collateral", isMinor: true, cell: (row) => <Percent of={row.weight} digits={1} />, plain: (row) => row.weight ?? "" },
  { name: "Mark", cell: (row) => <Figure of={row.mark} digits={4} />, plain: (row) => row.mark ?? "" },
  {
    name: "Liquidated at",
    hint: "The mark of this asset at which the account is liquidated, all else equal",
    cell: (row) => (row.liquidation && decimal(row.liquidation).units > 0n ? <Figure of={row.liquidation} digits={4} /> : <span class="figure none">none</span>),
    plain: (row) => row.liquidation ?? "",
  },
  {
    name: "",
    cell: (row) => {
      const moves: Move[] = row.net.startsWith("-") ? ["repay", "borrow"] : decimal(row.net).units > 0n ? ["redeem", "lend"] : ["lend", "borrow"];
      return (
        <span class="moves">
          {moves.map((move) => (
            <a key={move} href={`/account/${move}/${row.symbol}`}>
              {move}
            </a>
          ))}
        </span>
      );
    },
  },
];
