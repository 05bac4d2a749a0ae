/**
 * Nodes: where the page asks, who leads, and up to which frame of the log the page has seen.
 *
 * A market on one node has no others: the page asks where it came from. In a cluster it asks one node
 * after the other, names what it has seen, so that none tells less, and keeps what it learned of who
 * leads. Whoever opened the page at an address that is no node's (a proxy, say) stays there.
 */

import { signal } from "@preact/signals";
import type { components } from "./schema";

export type Seen = components["schemas"]["ClusterSeen"];

/** A node began to lead: after whom, in which epoch, and when this page was told, milliseconds. */
export interface HandOver {
  readonly from: number | null;
  readonly to: number;
  readonly epoch: number;
  readonly at: number;
}

const LOOK_MS = 1000;
/** A node that says nothing for so long is left, also where its line is not cut. */
const SILENT_MS = 4000;
/** A leader is heard four times a second: a node that carried out nothing for so long is cut off, or nobody leads. */
export const QUIET_MS = 2000;
const KEPT = 20;
const OWN = typeof location === "undefined" ? "" : location.origin;

/** Where the page asks now, by its origin, and where it may. */
export const at = signal(OWN);
export const addresses = signal<readonly string[]>([OWN]);
/** What was said last of the cluster; null of a market on one node, and before the first answer. */
export const cluster = signal<Seen | null>(null);
/** Whether the market said that it is on one node. */
export const alone = signal(false);
/** The latest first. */
export const handOvers = signal<readonly HandOver[]>([]);

let known = 0;

/** The least that a node must know to be asked; null where there is one node alone. */
export function least(): string | null {
  return cluster.value && known ? String(known) : null;
}

/** An answer that knows all up to there has been shown. */
export function knows(sequence: number): void {
  if (sequence > known) known = sequence;
}

/** Whether an answer tells less than was shown: only nodes of a cluster know less than another. */
export function isOlder(sequence: number | null, shown: number | null): boolean {
  return cluster.value !== null && (sequence ?? 0) < (shown ?? 0);
}

/** The origin of a node, by its number. */
export function originOf(number: number | null): string | null {
  const found = cluster.value?.nodes.find((each) => each.node === number);
  return found ? new URL(found.url).origin : null;
}

/** The number of the node that is asked; null where that is not known. */
export function asked(): number | null {
  return cluster.value?.nodes.find((each) => new URL(each.url).origin === at.value)?.node ?? null;
}

/** Where to ask, in turn: what changes something is taken in by the node that leads. */
export function turns(isChange: boolean): readonly string[] {
  const all = addresses.value;
  const leader = isChange ? originOf(cluster.value?.leader ?? null) : null;
  const first = Math.max(0, all.indexOf(leader && all.includes(leader) ? leader : at.value));
  return [...all.slice(first), ...all.slice(0, first)];
}

const asking = new Map<string, AbortController>();

/** Ends what a node is still asked when the page leaves it; null where it is never left. */
export function untilLeft(origin: string): AbortSignal | null {
  if (addresses.value.length < 2) return null;
  const found = asking.get(origin) ?? new AbortController();
  asking.set(origin, found);
  return found.signal;
}

/** For how long whoever leads may take to answer; null of a market on one node. */
export function untilSilent(): AbortSignal | null {
  return addresses.value.length < 2 ? null : AbortSignal.timeout(SILENT_MS);
}

/** Go on with the next node, if the page still asks this one. */
export function leave(origin: string): void {
  const all = addresses.value;
  if (at.value !== origin || all.length < 2) return;
  asking.get(origin)?.abort();
  asking.delete(origin);
  at.value = all[(all.indexOf(origin) + 1) % all.length] ?? origin;
}

type Row = Seen["nodes"][number];

/** A node as it was told last; what another node remembers of it may be older. */
function newer(before: Row | undefined, now: Row): Row {
  if (!before || before.sequence === null || now.sequence === null) return now;
  return before.sequence > now.sequence && (before.epoch ?? 0) >= (now.epoch ?? 0) ? before : now;
}

/** What is known after an answer; null where the answer is older than that. */
export function after(before: Seen | null, said: Seen): Seen | null {
  if (!before) return said;
  if (said.epoch < before.epoch || said.sequence < before.sequence) return null;
  return { ...said, nodes: said.nodes.map((row) => newer(before.nodes.find((each) => each.node === row.node), row)) };
}

/** Whether a node has seen a later epoch begin, and who leads in it. */
export function change(before: Seen | null, said: Seen, now: number): HandOver | null {
  if (!before || said.leader === null || said.epoch <= before.epoch) return null;
  return { from: before.leader, to: said.leader, epoch: said.epoch, at: now };
}

/** Whether another node has carried out what this one has not: it is cut off from the log. */
function isCutOff(said: Seen): boolean {
  return said.quietMs > QUIET_MS && said.nodes.some((each) => (each.sequence ?? 0) > said.sequence);
}

function take(said: Seen): boolean {
  const found = after(cluster.value, said);
  if (!found) return false;
  const changed = change(cluster.value, found, Date.now());
  if (changed) handOvers.value = [changed, ...handOvers.value].slice(0, KEPT);
  const origins = found.nodes.map((each) => new URL(each.url).origin);
  // Pages of other origins are not answered by the nodes: such a page stays where it is.
  if (origins.includes(OWN)) addresses.value = origins;
  cluster.value = found;
  return true;
}

/** Look after the cluster for as long as the page is there; of a market on one node, until it says so. */
export async function watch(): Promise<void> {
  let good = Date.now();
  while (!alone.value) {
    const origin = at.value;
    try {
      const response = await fetch(`${origin}/solvent/v1/cluster`, { signal: AbortSignal.timeout(SILENT_MS) });
      if (response.ok) {
        const said = (await response.json()) as Seen;
        alone.value = said.part === "alone";
        if (alone.value) return;
        if (take(said) && !isCutOff(said)) good = Date.now();
        if (Date.now() - good > SILENT_MS) leave(origin);
      }
    } catch {
      leave(origin);
    }
    await new Promise((done) => setTimeout(done, document.hidden ? LOOK_MS * 5 : LOOK_MS));
  }
}
