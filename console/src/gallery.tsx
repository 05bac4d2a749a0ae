/** The gallery: every state of the page beside each other, with data that is made up; a build apart. */

import { render } from "preact";
import { useState } from "preact/hooks";
import { answered, identity, marketTime, Refused, wire, type Pool, type PoolNow, type Standing } from "./data/api.ts";
import { addresses, alone, at, cluster, handOvers, type Seen } from "./data/nodes.ts";
import { past } from "./data/past.ts";
import { followLinks } from "./data/router.ts";
import { line } from "./data/streams.ts";
import { Shell } from "./parts/shell.tsx";
import { Figure, State } from "./parts/figures.tsx";
import { Meter } from "./parts/meter.tsx";
import { Answer, Failed, Loading } from "./parts/states.tsx";
import { CurveChart } from "./parts/curve.tsx";
import { Cluster } from "./pages/cluster.tsx";
import { CONDITIONS } from "./pages/markets.tsx";
import { Table, type Column } from "./parts/table.tsx";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

const TIME = Date.UTC(2025, 9, 10, 21, 15);

const POOL: Pool = {
  state: "Open",
  assetMarkPrice: "190",
  borrowInterestRate: "0.07",
  borrowedQuantity: "600",
  fee: "0.1",
  lendInterestRate: "0.04",
  lentQuantity: "1000",
  maxUtilization: "0.95",
  openBorrowLendLimit: "100000",
  optimalUtilization: "0.8",
  symbol: "SOL",
  timestamp: "2025-10-10T21:15:00Z",
  throttleUtilizationThreshold: "0.85",
  throttleUtilizationBound: "0.85",
  throttleUpdateFraction: "0",
  utilization: "0.6",
  stepSize: "0.000000001",
};

const NOW: PoolNow = {
  symbol: "SOL",
  condition: "Open",
  utilization: "0.6",
  cash: "400",
  redeemable: "294",
  borrowable: "250",
  deficit: "0",
  stale: false,
  halted: false,
  gated: false,
  curve: [
    ["0", "0.01"],
    ["0.8", "0.1"],
    ["1", "0.8"],
  ],
};

/** What each state makes of the pool: utilization by condition. */
const FILLED: Record<PoolNow["condition"], string> = { Open: "0.6", Throttled: "0.87", Full: "1", RepayOnly: "0.6", Stale: "0.6", Impaired: "0.99", Closed: "0" };

const COLUMNS: Column<Pool>[] = [
  { name: "Pool", isText: true, cell: (row) => <span class="asset">{row.symbol}</span>, plain: (row) => row.symbol },
  { name: "Lent", cell: (row) => <Figure of={row.lentQuantity} digits={2} />, plain: (row) => row.lentQuantity },
  { name: "Unknown", cell: () => <Figure of={null} /> },
];

function standing(value: Pool[] | null, error: Error | null = null): Standing<Pool[]> {
  return { value, error, at: TIME, sequence: null };
}

const ANSWERS: readonly (readonly [string, Standing<Pool[]>])[] = [
  ["Empty", standing([])],
  ["Loading", standing(null)],
  ["Shown", standing([POOL])],
  ["Error, nothing known", standing(null, new Refused(400, "INVALID_ASSET", "Invalid asset symbol"))],
  ["Error, something known", standing([POOL], new Error("cut"))],
  ["Asked to wait", standing([POOL], new Refused(429, "TOO_MANY_REQUESTS", "too many requests"))],
  ["Not for this key", standing(null, new Refused(403, "FORBIDDEN", "the key's role may not do this"))],
];

type Row = Seen["nodes"][number];

function row(node: number, part: Row["part"], sequence: number | null): Row {
  const said = sequence === null ? { epoch: null, lag: null, version: null } : { epoch: 4, lag: node, version: "1.0" };
  return { node, url: `http://node-${node}:8620`, part, sequence, ...said };
}

/** Three nodes, of which the first died: the page asks the second. */
function after(leader: number | null, quietMs: number): void {
  const nodes = [row(0, "silent", null), row(1, leader === 1 ? "leads" : "follows", 41_207), row(2, "follows", 41_206)];
  alone.value = false;
  cluster.value = { node: 1, part: leader === 1 ? "leads" : "follows", sequence: 41_207, epoch: 4, leader, quietMs, nodes };
  addresses.value = nodes.map((each) => each.url);
  at.value = addresses.value[1] ?? "";
}

const WIRES = {
  connected: () => {
    wire.value = "up";
    line.value = "on";
  },
  connecting: () => {
    wire.value = "connecting";
    line.value = "connecting";
  },
  disconnected: () => {
    wire.value = "down";
    line.value = "lost";
  },
  reconnecting: () => {
    wire.value = "up";
    line.value = "lost";
  },
  "asked to wait": () => {
    wire.value = "waiting";
    line.value = "on";
  },
  "handed over": () => {
    wire.value = "up";
    line.value = "on";
    after(1, 90);
    handOvers.value = [{ from: 0, to: 1, epoch: 4, at: Date.now() }];
  },
  "going on elsewhere": () => {
    wire.value = "up";
    line.value = "lost";
    after(null, 600);
  },
  "no leader": () => {
    wire.value = "up";
    line.value = "on";
    after(null, 5000);
  },
  "no node": () => {
    after(null, 600);
    wire.value = "down";
    line.value = "lost";
  },
  replaying: () => {
    wire.value = "up";
    line.value = "on";
    identity.value = { market: "0".repeat(32), demo: true, scenario: "crash-2025-10-10", speed: "60" };
  },
  "in the past": () => {
    WIRES.replaying();
    past.value = TIME * 1000;
  },
} as const;

type WireName = keyof typeof WIRES;

function show(name: WireName): void {
  past.value = null;
  cluster.value = null;
  alone.value = true;
  handOvers.value = [];
  identity.value = { market: "0".repeat(32), demo: false, scenario: "", speed: "1" };
  marketTime.value = { told: TIME, heard: Date.now() };
  answered.value = Date.now();
  WIRES[name]();
}

function Gallery() {
  const [chosen, choose] = useState<WireName>("connected");
  return (
    <Shell>
      <section class="panel">
        <header class="title">
          <h1>Gallery</h1>
          <span class="badge demo">made up</span>
        </header>
        <p class="why">Every state of the page. The wire's are chosen here and shown where they always are: over the page and under it.</p>
        <div class="tabs" role="group" aria-label="State of the wire">
          {(Object.keys(WIRES) as WireName[]).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={chosen === name}
              onClick={() => {
                show(name);
                choose(name);
              }}
            >
              {name}
            </button>
          ))}
        </div>
      </section>
      <div class="split">
        {ANSWERS.map(([name, of]) => (
          <section key={name} class="panel" data-state={name}>
            <header class="title">
              <h2>{name}</h2>
            </header>
            <Answer of={of} what="pools" empty="This market lends nothing yet.">
              {(found) => <Table caption={`${name}: pools`} rows={found} columns={COLUMNS} id={(row) => row.symbol} />}
            </Answer>
          </section>
        ))}
        {(Object.keys(CONDITIONS) as PoolNow["condition"][]).map((condition) => {
          const [tone, word, why] = CONDITIONS[condition];
          const utilization = FILLED[condition];
          const pool = { ...POOL, utilization };
          const now = { ...NOW, condition, utilization };
          return (
            <section key={condition} class="panel" data-state={condition}>
              <header class="title">
                <h2>{word}</h2>
                <State tone={tone} why={why}>
                  {word}
                </State>
              </header>
              <p class="why">{why}</p>
              <Meter pool={pool} now={now} />
              <CurveChart pool={pool} now={now} then={condition === "Open" ? "0.7" : null} />
            </section>
          );
        })}
        <div data-state="Nodes">
          <Cluster />
        </div>
        <section class="panel" data-state="Parts">
          <header class="title">
            <h2>Parts</h2>
          </header>
          <Loading what="the book" />
          <Failed what="book" error={new Error("cut")} />
          <p>
            <button type="button" class="button">Done</button> <button type="button" class="button" disabled>Refused</button>
          </p>
        </section>
      </div>
    </Shell>
  );
}

const root = document.getElementById("app");
if (root) {
  followLinks();
  show("connected");
  render(<Gallery />, root);
}
