/** An account by its number, now or in the past: one's own, and every one for a key that may see it. */

import { useEffect } from "preact/hooks";
import { useAsked, type Schemas } from "../data/api.ts";
import { past } from "../data/past.ts";
import { Fact, Figure, Percent, State, Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Seen = Schemas["SeenAccount"];
type Row = Schemas["SeenBalance"];

const COLUMNS: Column<Row>[] = [
  { name: "Asset", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Available", cell: (row) => <Figure of={row.available} digits={6} />, plain: (row) => row.available },
  { name: "In orders", isMinor: true, cell: (row) => <Figure of={row.locked} digits={6} />, plain: (row) => row.locked },
  { name: "Lent", cell: (row) => <Figure of={row.lent} digits={6} />, plain: (row) => row.lent },
  { name: "Owed", cell: (row) => <Figure of={row.owed} digits={6} />, plain: (row) => row.owed },
  { name: "Mark", cell: (row) => <Figure of={row.markPrice} digits={4} />, plain: (row) => row.markPrice },
  { name: "Liquidated at", hint: "The nearest mark of this asset at which the account is liquidated, all else equal", cell: (row) => <Figure of={row.liquidationPrice} digits={4} />, plain: (row) => row.liquidationPrice ?? "" },
];

/** What is asked of an account: as it is, again and again, or as it was at a time, once. */
function useSeen(account: string) {
  const time = past.value;
  const now = { path: "/solvent/v1/watch/account", instruction: "watchAccountQuery", fields: { account } };
  const then = { path: "/solvent/v1/replay/past/account", instruction: "replayPastAccountQuery", fields: { account, time: String(time) } };
  return useAsked<Seen>(time === null ? now : then, time === null ? 2000 : 3_600_000);
}

export function SeenAccount({ account }: { account: string }) {
  const [seen] = useSeen(account);
  useEffect(() => {
    document.title = `Account ${account} · Solvent`;
  }, [account]);
  const found = seen.value.value;
  return (
    <section class="panel">
      <header class="title">
        <h1>Account {account}</h1>
        {found?.liquidating && <State tone="bad">being liquidated</State>}
        <span class="totals">
          {past.value === null ? "looked at, not acted for" : "as it was then"}
          {found && (
            <>
              ; of <Time of={found.time / 1000} form="full" />
            </>
          )}
        </span>
      </header>
      <Answer of={seen.value} what="account">
        {(of) => (
          <>
            <dl class="facts">
              <Fact name="Of the way to liquidation">{of.marginRatio === null ? <span class="figure none">no debts</span> : <Percent of={of.marginRatio} />}</Fact>
              <Fact name="Net equity">
                <Figure of={of.netEquity} digits={2} unit="USDC" />
              </Fact>
              <Fact name="Maintenance">
                <Figure of={of.maintenance} digits={2} unit="USDC" />
              </Fact>
              <Fact name="Initial">
                <Figure of={of.initial} digits={2} unit="USDC" />
              </Fact>
              <Fact name="Assets">
                <Figure of={of.assets} digits={2} unit="USDC" />
              </Fact>
              <Fact name="Debts">
                <Figure of={of.debts} digits={2} unit="USDC" />
              </Fact>
            </dl>
            {of.balances.length ? <Table caption="Assets and debts" rows={of.balances} columns={COLUMNS} id={(row) => row.symbol} fileName={`account-${account}`} /> : <p class="note">It has nothing and owes nothing.</p>}
          </>
        )}
      </Answer>
    </section>
  );
}
