/** Whose key signs: a new one in a demo, or one's own by paste or file; it never leaves the page. */

import { useState } from "preact/hooks";
import { ask, held, hold, identity, openDemoAccount, Refused, type Held } from "../data/api.ts";
import { go } from "../data/router.ts";
import { pairOf } from "../lib/signing.ts";

export const GIFT = { symbol: "USDC", quantity: "100000" } as const;

function sentence(error: unknown): string {
  if (error instanceof Refused) return error.message;
  return error instanceof RangeError ? error.message : "The market does not answer; try again.";
}

export function Key() {
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isKept, setKept] = useState(false);
  const act = async (work: () => Promise<void>) => {
    setBusy(true);
    setTrouble(null);
    try {
      await work();
    } catch (error) {
      setTrouble(sentence(error));
    }
    setBusy(false);
  };
  const found = held.value;
  return (
    <div class="split">
      {identity.value?.demo && (
        <section class="panel">
          <header class="title">
            <h1>Try it</h1>
            <span class="badge demo">demo money</span>
          </header>
          <p class="why">
            A key pair is made in this browser, and an account is opened for it. The market is a demo: nothing
            in it is worth anything.
          </p>
          <p class="row">
            <button type="button" class="button" disabled={isBusy || found?.isDemo} onClick={() => act(async () => hold(await openDemoAccount(), isKept))}>
              Make a demo key
            </button>
            <button type="button" class="button second" disabled={isBusy || !found?.isDemo} title={found?.isDemo ? undefined : "Make a demo key first"} onClick={() => act(deposit)}>
              Deposit 100,000 USDC of demo money
            </button>
          </p>
          {found?.isDemo && found.account !== null && <p class="note">Account {found.account} is open.</p>}
        </section>
      )}
      <section class="panel">
        <header class="title">
          <h2>A key of your own</h2>
        </header>
        <p class="why">
          The secret stays in this page: requests are signed here, and the market gets signatures alone. Never
          use a key that another exchange knows.
        </p>
        <Own act={act} isKept={isKept} />
        <p>
          <label>
            <input type="checkbox" checked={isKept} onChange={(event) => keepIt(event.currentTarget.checked, setKept)} /> keep the
            key in this browser, where whoever uses it can read it
          </label>
        </p>
        {found && (
          <p class="row">
            <span>
              Key <code>{found.publicKey}</code>
            </span>
            <button type="button" class="button second" onClick={() => hold(null)}>
              Forget it
            </button>
          </p>
        )}
      </section>
      {trouble && (
        <p class="note failed" role="alert">
          <span aria-hidden="true">▲</span> {trouble}
        </p>
      )}
    </div>
  );
}

function keepIt(isKept: boolean, set: (isKept: boolean) => void): void {
  set(isKept);
  if (held.value) hold(held.value, isKept);
}

async function deposit(): Promise<void> {
  await ask({ path: "/solvent/v1/demo/deposits", method: "POST", instruction: "demoDeposit", fields: GIFT });
  go("/account");
}

type Staff = Record<string, { publicKey: string; secret: string }>;

/** A pasted secret, or a file of several with names, as a demo writes for its staff. */
function Own({ act, isKept }: { act: (work: () => Promise<void>) => Promise<void>; isKept: boolean }) {
  const [secret, setSecret] = useState("");
  const [staff, setStaff] = useState<Staff | null>(null);
  const take = async (text: string, role: string) => {
    const pair = await pairOf(text);
    const mine: Held = { ...pair, account: null, role, isDemo: false };
    hold(mine, isKept);
    setSecret("");
  };
  const read = async (file: File | undefined) => {
    if (!file) return;
    const text = await file.text();
    try {
      setStaff(JSON.parse(text) as Staff);
    } catch {
      await take(text, "key");
    }
  };
  return (
    <>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void act(() => take(secret, "key"));
        }}
      >
        <label class="amount grow">
          <span class="unseen">Secret key, base64</span>
          <input type="password" name="secret" autocomplete="off" placeholder="secret key, base64" value={secret} onInput={(event) => setSecret(event.currentTarget.value)} />
        </label>
        <button class="button" disabled={!secret.trim()}>
          Use it
        </button>
        <label class="button second">
          From a file
          <input class="unseen" type="file" onChange={(event) => void act(() => read(event.currentTarget.files?.[0]))} />
        </label>
      </form>
      {staff && (
        <p class="row" role="group" aria-label="Keys of the file">
          {Object.entries(staff).map(([name, pair]) => (
            <button key={name} type="button" class="button second" onClick={() => void act(() => take(pair.secret, name))}>
              {name}
            </button>
          ))}
        </p>
      )}
    </>
  );
}
