/** What is asked of the market, and how each question stands: the types are those of its document. */

import { signal, type ReadonlySignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { components } from "./schema";
import { newPair, sha256, signature, signedText, type Fields, type KeyPair } from "../lib/signing.ts";
import { cluster, isOlder, knows, least, leave, turns, untilLeft, untilSilent } from "./nodes.ts";
import { keep, kept } from "./settings.ts";

export type Schemas = components["schemas"];
export type Pool = Schemas["BorrowLendMarket"];
export type PoolNow = Schemas["PoolNow"];

const WINDOW_MS = 30_000;
const KEY = "solvent-key";
const UNAVAILABLE = 503;
/** Another node leads after a second or two; what is asked again is signed for longer than this. */
const HAND_OVER_MS = 10_000;
const TURN_MS = 250;

/** Somebody's key, and for which account it acts where that is known. */
export interface Held extends KeyPair {
  readonly account: number | null;
  readonly role: string;
  readonly isDemo: boolean;
}

export const held = signal<Held | null>(kept<Held>(KEY));
export const identity = signal<Schemas["MarketIdentity"] | null>(null);
/** How far the market's clock is ahead of this machine's, milliseconds. */
export const ahead = signal(0);
/** When the market last answered, by this machine's clock. */
export const answered = signal(0);
/** How the wire is: no answer is a cut line, and status 429 asks to wait. */
export const wire = signal<"connecting" | "up" | "down" | "waiting">("connecting");

/** Questions that were to wait, until when at most: an answer to another says nothing of them. */
const waits = new Map<string, number>();
const WAIT_MS = 10_000;

function noteAnswer(path: string, isToWait: boolean): void {
  const now = Date.now();
  if (isToWait) waits.set(path, now + WAIT_MS);
  else waits.delete(path);
  for (const [each, until] of waits) if (until < now) waits.delete(each);
  wire.value = waits.size ? "waiting" : "up";
}

export function hold(key: Held | null, isKept = false): void {
  held.value = key;
  keep(KEY, isKept ? key : null);
}

export class Refused extends Error {
  readonly code: string;
  readonly status: number;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export interface Asked {
  readonly path: string;
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly instruction?: string;
  readonly fields?: Fields;
  readonly digest?: boolean;
}

function query(fields: Fields): string {
  return new URLSearchParams(
    Object.entries(fields).map(([name, value]) => [name, String(value)]),
  ).toString();
}

async function headers(asked: Asked, body: string | null): Promise<Record<string, string>> {
  const found: Record<string, string> = body === null ? {} : { "Content-Type": "application/json" };
  const pair = held.value;
  if (!asked.instruction || !pair) return found;
  const signed: Fields = asked.digest ? { sha256: await sha256(body ?? "") } : (asked.fields ?? {});
  const stamp = Math.round(Date.now() + ahead.value);
  const market = identity.value?.market ?? (await whichMarket()).market;
  const text = `${signedText(asked.instruction, signed)}&timestamp=${stamp}&window=${WINDOW_MS}`;
  return {
    ...found,
    "X-API-Key": pair.publicKey,
    "X-Signature": await signature(pair, `${text}&market=${market}`),
    "X-Timestamp": String(stamp),
    "X-Window": String(WINDOW_MS),
    "X-Market": market,
  };
}

/** The first node's answer that is one. Throws what the browser throws where none can be reached. */
async function answerOf(asked: Asked): Promise<Response> {
  const method = asked.method ?? "GET";
  const fields = asked.fields ?? {};
  const body = method === "GET" ? null : JSON.stringify(fields);
  const url = method === "GET" && Object.keys(fields).length ? `${asked.path}?${query(fields)}` : asked.path;
  const signed = await headers(asked, body);
  // What comes again signed as before is done once; what is not signed could be done twice.
  const isRepeatable = method === "GET" || asked.instruction !== undefined;
  const until = Date.now() + (method === "GET" ? 0 : HAND_OVER_MS);
  for (;;) {
    let failure: unknown = null;
    let unable: Response | null = null;
    for (const origin of turns(method !== "GET")) {
      const number = least();
      try {
        const signal = method === "GET" ? untilLeft(origin) : isRepeatable ? untilSilent() : null;
        const response = await fetch(origin + url, { method, body, signal, headers: number ? { ...signed, "X-Solvent-Min-Sequence": number } : signed });
        if (response.status !== UNAVAILABLE) return response;
        unable = response;
      } catch (error) {
        leave(origin);
        failure = error;
        if (!isRepeatable) throw error;
      }
    }
    if (!cluster.value || Date.now() >= until) {
      if (unable) return unable;
      throw failure;
    }
    await new Promise((done) => setTimeout(done, TURN_MS));
  }
}

/** The answer to a request, as it came. Throws Refused, and what the browser throws without a line. */
export async function send(asked: Asked): Promise<Response> {
  let response: Response;
  try {
    response = await answerOf(asked);
  } catch (error) {
    wire.value = "down";
    throw error;
  }
  noteAnswer(asked.path, response.status === 429);
  answered.value = Date.now();
  const sequence = sequenceOf(response);
  const told = Number(response.headers.get("x-market-time"));
  if (!response.ok) {
    const why = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
    throw new Refused(response.status, why.code ?? "", why.message ?? response.statusText);
  }
  if (sequence !== null) knows(sequence);
  // Nodes' clocks differ by a little: the later one is shown.
  if (told >= marketTime.value.told) marketTime.value = { told, heard: answered.value };
  return response;
}

/** Up to which frame, or record, an answer knows all. */
export function sequenceOf(response: Response): number | null {
  const said = response.headers.get("x-solvent-sequence");
  return said === null ? null : Number(said);
}

/** The market's time when it last spoke. */
export const marketTime = signal({ told: 0, heard: 0 });

export async function ask<T>(asked: Asked): Promise<T> {
  return said<T>(await send(asked));
}

async function said<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

export async function whichMarket(): Promise<Schemas["MarketIdentity"]> {
  const found = await ask<Schemas["MarketIdentity"]>({ path: "/solvent/v1/identity" });
  const before = Date.now();
  const now = Number(await (await send({ path: "/api/v1/time" })).text());
  ahead.value = now - (before + Date.now()) / 2;
  identity.value = found;
  return found;
}

/** A question that is asked again and again; what was last said stays while it is. */
export interface Standing<T> {
  readonly value: T | null;
  readonly error: Error | null;
  readonly at: number;
  /** Up to which frame it knows all. */
  readonly sequence: number | null;
}

const NOTHING: Standing<never> = { value: null, error: null, at: 0, sequence: null };

/** Ask while the page is looked at; `null` asks nothing. */
export function useAsked<T>(asked: Asked | null, everyMs = 2000): [ReadonlySignal<Standing<T>>, () => void] {
  const standing = useMemo(() => signal<Standing<T>>(NOTHING), []);
  const name = asked ? JSON.stringify([asked, held.value?.publicKey]) : "";
  const again = useMemo(() => ({ now: () => {} }), []);
  useEffect(() => {
    standing.value = NOTHING;
    if (!asked) return undefined;
    let isOver = false;
    let timer = 0;
    const look = async (): Promise<void> => {
      clearTimeout(timer);
      let wait = everyMs;
      try {
        const response = await send(asked);
        const sequence = sequenceOf(response);
        const value = await said<T>(response);
        // Two may be under way: what knows less than what is shown is not shown after it.
        if (!isOver && !isOlder(sequence, standing.value.sequence)) standing.value = { value, error: null, at: Date.now(), sequence };
      } catch (error) {
        if (!isOver) standing.value = { ...standing.value, error: error as Error };
        wait = Math.max(everyMs, 1000);
      }
      if (!isOver) timer = window.setTimeout(() => void look(), document.hidden ? wait * 5 : wait);
    };
    again.now = () => void look();
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [name, everyMs]);
  return [standing, () => again.now()];
}

/** A new key and an account for it, in a demo. */
export async function openDemoAccount(): Promise<Held> {
  const pair = await newPair();
  const market = identity.value ?? (await whichMarket());
  const text =
    `instruction=keyPossession&account=new&market=${market.market}` +
    `&publicKey=${pair.publicKey}&role=user`;
  const opened = await ask<Schemas["AccountOpened"]>({
    path: "/solvent/v1/demo/accounts",
    method: "POST",
    fields: { publicKey: pair.publicKey, proof: await signature(pair, text) },
  });
  return { ...pair, account: opened.account, role: "user", isDemo: true };
}
