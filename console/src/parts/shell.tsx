/** The frame of every page: where one can go, whose key acts, and how the wire is. */

import type { ComponentChildren } from "preact";
import { held, identity, marketTime, wire } from "../data/api.ts";
import { asked, cluster } from "../data/nodes.ts";
import { line } from "../data/streams.ts";
import { place } from "../data/router.ts";
import { settings, choose } from "../data/settings.ts";
import { span } from "../lib/time.ts";
import { Figure, State, Time, type Tone } from "./figures.tsx";
import { useSecond } from "./second.ts";
import { Trouble } from "./trouble.tsx";

const PAGES = [
  ["/markets", "Markets"],
  ["/trade", "Trade"],
  ["/account", "Account"],
  ["/waterfall", "Waterfall"],
  ["/risk", "Risk"],
] as const;

const WIRES: Record<string, readonly [Tone, string]> = {
  connecting: ["mute", "connecting"],
  up: ["good", "connected"],
  down: ["bad", "no connection, trying again"],
  waiting: ["warn", "asked to wait"],
};

const QUIET_MS = 15_000;

export function Shell({ children }: { children: ComponentChildren }) {
  const path = place.value.path === "/" ? "/markets" : place.value.path;
  const market = identity.value;
  return (
    <>
      <a class="skip" href="#main" data-outside>
        To the content
      </a>
      <header class="bar">
        <a class="mark" href="/markets" aria-label="Solvent, to the markets">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path class="first" d="M5 8h22v4H5z" />
            <path class="first dim" d="M5 15h16v4H5z" />
            <path class="second" d="M5 22h8v4H5z" />
          </svg>
          Solvent
        </a>
        <nav aria-label="Pages">
          {PAGES.map(([to, name]) => (
            <a key={to} href={to} aria-current={path.startsWith(to) ? "page" : undefined}>
              {name}
            </a>
          ))}
        </nav>
        <div class="who">
          {market?.scenario && (
            <a class="badge replay" href="/replay">
              replay {market.scenario}
            </a>
          )}
          {market?.demo && <span class="badge demo" title="Nothing here is worth anything">demo money</span>}
          <a class="badge key" href="/key" title="Whose key signs">
            {held.value ? (held.value.account !== null ? `account ${held.value.account}` : held.value.role || "key") : "no key"}
          </a>
          <a class="badge" href="/settings" aria-label="Settings">
            ⚙
          </a>
        </div>
      </header>
      <Trouble />
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Foot />
    </>
  );
}

function Foot() {
  const now = useSecond();
  const [tone, said] = WIRES[wire.value] ?? ["mute", wire.value];
  const { told, heard } = marketTime.value;
  const { zone, theme } = settings.value;
  const isLight = theme === "light" || (theme === "auto" && matchMedia("(prefers-color-scheme: light)").matches);
  const age = heard ? now - heard : 0;
  const market = identity.value;
  return (
    <footer class="foot">
      <State tone={tone}>{said}</State>
      {line.value !== "off" && (
        <State tone={line.value === "on" ? "good" : line.value === "lost" ? "bad" : "mute"}>
          streams {line.value === "on" ? "live" : line.value === "lost" ? "lost, trying again" : "connecting"}
        </State>
      )}
      <Leader />
      {told > 0 && (
        <span>
          {market?.scenario ? "market time" : "time"} <Time of={told + (wire.value === "up" ? age : 0)} form="full" />{" "}
          <button type="button" class="quiet" onClick={() => choose({ zone: zone === "utc" ? "local" : "utc" })}>
            {zone === "utc" ? "UTC" : "local"}
          </button>
          {age > QUIET_MS && <> said {span(age)} ago</>}
        </span>
      )}
      <span class="grow" />
      {market && <span class="identity" title="The market's identity, in all that is signed here">{market.market.slice(0, 12)}</span>}
      <a href="/docs" data-outside>API</a>
      <button type="button" class="quiet" onClick={() => choose({ theme: isLight ? "dark" : "light" })}>
        {isLight ? "dark" : "light"}
      </button>
    </footer>
  );
}

/** Who leads a cluster and how far it is; nothing of a market on one node. */
function Leader() {
  const said = cluster.value;
  if (!said) return null;
  const leader = said.nodes.find((each) => each.part === "leads");
  const here = asked();
  return (
    <a class="leader" href="/cluster" title={here === null ? undefined : `This page asks node ${here}`}>
      <State tone={leader ? "good" : "warn"}>
        {leader ? `node ${leader.node} leads` : "no node leads"}, epoch {said.epoch}, frame <Figure of={String(said.sequence)} />
      </State>
    </a>
  );
}
