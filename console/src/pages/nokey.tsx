/** What an account's pages say without a key. */

import { identity } from "../data/api.ts";

export function NoKey({ to }: { to: string }) {
  return (
    <section class="panel narrow">
      <header class="title">
        <h2>No key yet</h2>
      </header>
      <p class="why">
        A key says whose account this is. {identity.value?.demo ? "In a demo a new one takes two clicks." : ""} Without one the{" "}
        <a href="/markets">markets</a> and the <a href="/waterfall">waterfall</a> are open to everybody.
      </p>
      <p>
        <a class="button" href="/key">
          {to}
        </a>
      </p>
    </section>
  );
}
