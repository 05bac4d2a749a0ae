/** The console: one page that shows what its address says. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ComponentType } from "preact";
import { whichMarket } from "./data/api.ts";
import { cluster, watch } from "./data/nodes.ts";
import { past } from "./data/past.ts";
import { followLinks, place } from "./data/router.ts";
import { later } from "./lib/later.ts";
import { Loading } from "./parts/states.tsx";
import { Shell } from "./parts/shell.tsx";
import { Markets } from "./pages/markets.tsx";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

export interface Words {
  readonly words: readonly string[];
}

type Page = ComponentType<Words>;

const LATER: Record<string, () => Promise<Page>> = {
  risk: async () => (await import("./pages/risk.tsx")).Risk,
  account: async () => (await import("./pages/account.tsx")).Account,
  receipts: async () => (await import("./pages/receipts.tsx")).Receipts,
  waterfall: async () => (await import("./pages/waterfall.tsx")).Waterfall,
  trade: async () => (await import("./pages/trade.tsx")).Trade,
  key: async () => (await import("./pages/key.tsx")).Key,
  ask: async () => (await import("./pages/ask.tsx")).Ask,
  replay: async () => (await import("./pages/replay.tsx")).Replay,
  cluster: async () => (await import("./pages/cluster.tsx")).Cluster,
  settings: async () => (await import("./pages/choices.tsx")).Choices,
};

const READY = new Map<string, Page>([
  ["", Markets],
  ["markets", Markets],
]);

function Missing() {
  return (
    <section class="panel">
      <h1>No such page</h1>
      <p>
        Nothing is at this address. The <a href="/markets">markets</a> are a place to begin.
      </p>
    </section>
  );
}

/** Pages that show the past, or nothing of the market. */
const TIMELESS = new Set(["", "markets", "trade", "account", "waterfall", "receipts", "replay", "ask", "key", "settings", "cluster"]);

function NotThen() {
  return (
    <section class="panel narrow">
      <h1>Not in the past</h1>
      <p>
        The risk desk asks the live book what would hold at other prices and parameters. Of the past there is no book to ask: what is kept are snapshots and the journal, and each question would play a market from there.
      </p>
      <p>
        How an account stood then is shown by its number, at <a href="/account">account</a>; the <a href="/markets">markets</a>, their <a href="/trade">books and trades</a>, the <a href="/waterfall">waterfall</a>'s steps and your <a href="/receipts">receipts</a> are shown until then. Nothing can be asked for in the past.
      </p>
    </section>
  );
}

function View() {
  const [name = "", ...words] = place.value.path.split("/").filter(Boolean);
  const [, loaded] = useState(0);
  const page = READY.get(name);
  useEffect(() => {
    const load = LATER[name];
    if (!page && load) {
      void later(load).then((found) => {
        READY.set(name, found);
        loaded((count) => count + 1);
      });
    }
  }, [name]);
  const Found = past.value !== null && !TIMELESS.has(name) ? NotThen : page ?? (LATER[name] ? () => <Loading what="the page" /> : Missing);
  return (
    <Shell>
      <Found words={words} />
    </Shell>
  );
}

/** Where the node that the page came from may end before the page does, its code is there beforehand. */
function loadAll(): void {
  for (const [name, load] of Object.entries(LATER)) void later(load).then((found) => READY.set(name, found));
  void later(() => import("./parts/plotting.ts"));
  void later(() => import("@noble/ed25519"));
}

const root = document.getElementById("app");
if (root) {
  followLinks();
  render(<View />, root);
  void whichMarket().catch(() => undefined);
  void watch();
  let isLoaded = false;
  effect(() => {
    if (isLoaded || !cluster.value) return;
    isLoaded = true;
    loadAll();
  });
}
