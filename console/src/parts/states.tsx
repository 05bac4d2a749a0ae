/** States of a question: waiting, failed, empty, old; each says what it is and what helps. */

import type { ComponentChildren } from "preact";
import { Refused, type Standing } from "../data/api.ts";

interface Given<T> {
  readonly of: Standing<T>;
  readonly what: string;
  readonly empty?: string;
  readonly children: (value: T) => ComponentChildren;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** What was said, or why there is nothing yet; a failure beside what was said before it. */
export function Answer<T>({ of, what, empty, children }: Given<T>) {
  const { value, error } = of;
  if (value === null) {
    if (!error) return <Loading what={what} />;
    return <Failed what={what} error={error} />;
  }
  return (
    <>
      {error && <Failed what={`newer ${what}`} error={error} />}
      {isEmpty(value) && empty ? <p class="note">{empty}</p> : children(value)}
    </>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p class="note loading" role="status">
      Loading {what}…
    </p>
  );
}

export function Failed({ what, error }: { what: string; error: Error }) {
  const isRefused = error instanceof Refused;
  return (
    <p class="note failed" role="status">
      <span aria-hidden="true">▲</span> No {what}:{" "}
      {isRefused ? said(error) : "the market does not answer; this page asks again by itself."}
    </p>
  );
}

function said(error: Refused): string {
  if (error.status === 429) return "the market asks to wait; this page asks again by itself.";
  return `${error.message} (${error.code || error.status}).`;
}
