/** Live streams: one socket for the page, which comes back by itself and says while it is away. */

import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { addresses, at, leave } from "./nodes.ts";

type Hear = (data: unknown) => void;

export const line = signal<"off" | "connecting" | "on" | "lost">("off");
/** How often the line came back; whoever put a picture together from a stream begins anew. */
export const comebacks = signal(0);

const FIRST_MS = 500;
const MOST_MS = 8000;
const hearers = new Map<string, Set<Hear>>();
let socket: WebSocket | null = null;
let from = "";
let wait = FIRST_MS;

function say(method: "SUBSCRIBE" | "UNSUBSCRIBE", params: string[]): void {
  if (params.length && socket?.readyState === WebSocket.OPEN) {
    socket.send(JSON.stringify({ method, params }));
  }
}

function connect(): void {
  if (socket || !hearers.size) return;
  line.value = line.value === "lost" ? "lost" : "connecting";
  const origin = at.value;
  const opening = new WebSocket(`${origin.replace(/^http/, "ws")}/`);
  from = origin;
  socket = opening;
  opening.onopen = () => {
    wait = FIRST_MS;
    if (line.value === "lost") comebacks.value += 1;
    line.value = "on";
    say("SUBSCRIBE", [...hearers.keys()]);
  };
  opening.onmessage = (message) => {
    const { stream, data } = JSON.parse(String(message.data)) as { stream?: string; data: unknown };
    if (stream) for (const hear of hearers.get(stream) ?? []) hear(data);
  };
  opening.onclose = () => {
    socket = null;
    if (!hearers.size) {
      line.value = "off";
      return;
    }
    line.value = "lost";
    leave(origin);
    setTimeout(connect, at.value === origin ? wait : 0);
    wait = Math.min(MOST_MS, wait * 2);
  };
}

export function listen(stream: string, hear: Hear): () => void {
  const found = hearers.get(stream) ?? new Set<Hear>();
  found.add(hear);
  if (!hearers.has(stream)) {
    hearers.set(stream, found);
    say("SUBSCRIBE", [stream]);
  }
  connect();
  return () => {
    found.delete(hear);
    if (found.size) return;
    hearers.delete(stream);
    say("UNSUBSCRIBE", [stream]);
  };
}

/** Hear a stream; `again` is called when the line is back, for what was missed meanwhile. */
export function useStream<T>(stream: string, hear: (data: T) => void, again: () => void): void {
  const came = comebacks.value;
  useEffect(() => listen(stream, (data) => hear(data as T)), [stream]);
  useEffect(() => {
    if (came) again();
  }, [came]);
}

/** A node that is asked no more is listened to no more, though its line be open. */
effect(() => {
  if (at.value !== from && addresses.value.length > 1) socket?.close();
});
