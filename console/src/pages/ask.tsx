/** Ask: try a request that only reads, with the key that the page holds, as the document says it. */

import { useEffect, useState } from "preact/hooks";
import { held, hold, identity, openDemoAccount, Refused, send, useAsked } from "../data/api.ts";
import { go, place } from "../data/router.ts";
import { Answer } from "../parts/states.tsx";

interface Parameter {
  readonly name?: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: { readonly examples?: readonly unknown[] };
}

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly Parameter[];
}

interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: Operation }>>;
}

const INSTRUCTION = /instruction `(\w+)`/;
const LONGEST = 200_000;

export function Ask() {
  const [asked] = useAsked<Document>({ path: "/openapi.json" }, 3_600_000);
  useEffect(() => {
    document.title = "Try a request · Solvent";
  }, []);
  return (
    <Answer of={asked.value} what="requests">
      {(found) => <Form of={found} path={place.value.query.get("path") ?? "/solvent/v1/pools"} />}
    </Answer>
  );
}

function Form({ of, path }: { of: Document; path: string }) {
  const paths = Object.keys(of.paths).filter((each) => of.paths[each]?.get);
  const operation = of.paths[path]?.get;
  return (
    <section class="panel">
      <header class="title">
        <h1>Try a request</h1>
        <span class="totals">of those that only read; nothing here changes anything</span>
        <span class="grow" />
        <a class="quiet" href="/docs" data-outside>
          all of them, described
        </a>
      </header>
      <label class="amount">
        <span class="name">Request</span>
        <select aria-label="Request" value={path} onChange={(event) => go(`/ask?path=${event.currentTarget.value}`, true)}>
          {paths.map((each) => (
            <option key={each} value={each}>
              GET {each}
            </option>
          ))}
        </select>
      </label>
      {operation ? <Fields key={path} path={path} operation={operation} /> : <p class="note">There is no request {path} that only reads.</p>}
    </section>
  );
}

function Fields({ path, operation }: { path: string; operation: Operation }) {
  const named = operation.parameters.filter((each) => each.name);
  const [fields, setFields] = useState<Record<string, string>>(Object.fromEntries(named.filter((each) => each.required).map((each) => [each.name ?? "", String(each.schema?.examples?.[0] ?? "")])));
  const [said, setSaid] = useState<{ status: string; text: string } | null>(null);
  const instruction = INSTRUCTION.exec(operation.description)?.[1];
  const why = instruction && !held.value ? "This one is signed: it takes a key." : null;
  const ask = async (event: Event) => {
    event.preventDefault();
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim()));
    try {
      const response = await send({ path, fields: given, ...(instruction ? { instruction } : {}) });
      setSaid({ status: String(response.status), text: pretty(await response.text()) });
    } catch (error) {
      setSaid(error instanceof Refused ? { status: String(error.status), text: `${error.code}: ${error.message}` } : { status: "no answer", text: "The market does not answer." });
    }
  };
  return (
    <form class="stack" onSubmit={(event) => void ask(event)}>
      <p class="why">
        {operation.summary}. {operation.description.replaceAll("`", "")}
      </p>
      {named.map((each) => (
        <label key={each.name} class="amount">
          <span class="name">
            {each.name}
            {each.required ? "" : " (may be left out)"}
          </span>
          <input name={each.name} autocomplete="off" value={fields[each.name ?? ""] ?? ""} title={each.description} onInput={(event) => setFields({ ...fields, [each.name ?? ""]: event.currentTarget.value })} />
          <span class="note">{each.description}</span>
        </label>
      ))}
      <p class="row">
        <button class="button" disabled={why !== null}>
          Send
        </button>{" "}
        {why && <span class="note">{why}</span>} {why && <Signer />}
      </p>
      {said && (
        <div role="status" aria-live="polite">
          <p class="note">Status {said.status}</p>
          <pre class="told" tabIndex={0}>
            {said.text}
          </pre>
        </div>
      )}
    </form>
  );
}

/** How to come by a key: in a demo here and at once, elsewhere on the page for that. */
function Signer() {
  const [isBusy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  if (!identity.value?.demo) return <a href="/key">Use a key</a>;
  const open = async () => {
    setBusy(true);
    try {
      hold(await openDemoAccount());
    } catch (error) {
      setTrouble(error instanceof Refused ? error.message : "The market does not answer; try again.");
      setBusy(false);
    }
  };
  return (
    <>
      <button type="button" class="button second" disabled={isBusy} onClick={() => void open()}>
        Make a demo key and use it
      </button>{" "}
      <a href="/key">or a key of your own</a>
      {trouble && (
        <span class="note failed" role="alert">
          {trouble}
        </span>
      )}
    </>
  );
}

/** JSON on lines of its own, its numbers as they came: nothing is read that is not written the same. */
function pretty(text: string): string {
  const kept = text.slice(0, LONGEST);
  if (!/^[[{]/.test(kept) || text.length > LONGEST) return kept;
  return JSON.stringify(JSON.parse(kept), null, 1);
}
