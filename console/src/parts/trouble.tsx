/** What is wrong with the wire, and what changed behind it, over the page, in words. */

import { useState } from "preact/hooks";
import { wire } from "../data/api.ts";
import { asked, cluster, handOvers, QUIET_MS } from "../data/nodes.ts";
import { past, READ_ONLY } from "../data/past.ts";
import { line } from "../data/streams.ts";
import { Time } from "./figures.tsx";
import { useSecond } from "./second.ts";

/** For how long a hand-over is news. */
const NEWS_MS = 60_000;

export function Trouble() {
  return (
    <div aria-live="assertive">
      <Past />
      <Wire />
      <HandedOver />
    </div>
  );
}

function Past() {
  const at = past.value;
  if (at === null) return null;
  return (
    <p class="trouble past" role="status">
      <span aria-hidden="true">◷</span> The past, <Time of={at / 1000} form="full" /> of the market's time: {READ_ONLY.slice(READ_ONLY.indexOf(":") + 2)}{" "}
      <button type="button" class="quiet" onClick={() => (past.value = null)}>
        back to now
      </button>
    </p>
  );
}

function Wire() {
  const said = cluster.value;
  const node = asked();
  if (wire.value === "down" || (line.value === "lost" && node === null)) {
    return (
      <p class="trouble" role="alert">
        <span aria-hidden="true">■</span> {node === null ? "The market cannot be reached." : "No node of the market can be reached."} What is shown is what it last said; orders are not taken. This page comes back by itself.
      </p>
    );
  }
  if (line.value === "lost") {
    return (
      <p class="trouble mild" role="alert">
        <span aria-hidden="true">▲</span> The line to a node was cut; this page goes on with node {node}. Streams begin anew there, from what was shown last.
      </p>
    );
  }
  if (said && said.quietMs > QUIET_MS && !said.nodes.some((each) => each.part === "leads")) {
    return (
      <p class="trouble mild" role="alert">
        <span aria-hidden="true">▲</span> No node leads: the market stands still until one does. What is shown is true of then; orders wait.
      </p>
    );
  }
  if (wire.value === "waiting") {
    return (
      <p class="trouble mild" role="alert">
        <span aria-hidden="true">▲</span> The market asks to wait: too many requests. This page asks again by itself.
      </p>
    );
  }
  return null;
}

/** Who leads now and since when; the reader puts it away, or time does. */
function HandedOver() {
  const now = useSecond();
  const [read, setRead] = useState(0);
  const latest = handOvers.value[0];
  if (!latest || latest.epoch <= read || now - latest.at > NEWS_MS) return null;
  const before = latest.from === null ? "" : latest.from === latest.to ? " It led before, too." : ` Before it was node ${latest.from}.`;
  return (
    <p class="trouble news" role="status" data-epoch={latest.epoch}>
      <span aria-hidden="true">⇄</span> Leadership changed: <a href="/cluster">node {latest.to} leads</a> since <Time of={latest.at} /> (epoch {latest.epoch}).{before} What was confirmed stays confirmed, and trading goes on.{" "}
      <button type="button" class="quiet" onClick={() => setRead(latest.epoch)}>
        understood
      </button>
    </p>
  );
}
