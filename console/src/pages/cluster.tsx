/** The nodes of a cluster: who leads, where each stands, and every hand-over that this page has seen. */

import { useEffect } from "preact/hooks";
import { addresses, alone, asked, cluster, handOvers, QUIET_MS, type Seen } from "../data/nodes.ts";
import { Fact, Figure, State, Time, type Tone } from "../parts/figures.tsx";
import { Data } from "../parts/data.tsx";
import { Loading } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Row = Seen["nodes"][number];

const PARTS: Record<Row["part"], readonly [Tone, string]> = {
  leads: ["good", "takes in what changes something"],
  follows: ["good", "has what is carried out, and answers what only reads"],
  silent: ["bad", "does not answer the node that is asked"],
};

function whole(of: number | null): string | null {
  return of === null ? null : String(of);
}

const COLUMNS: Column<Row>[] = [
  { name: "Node", isText: true, cell: (row) => <span class="asset">node {row.node}</span>, plain: (row) => String(row.node) },
  {
    name: "Part",
    isText: true,
    cell: (row) => (
      <State tone={PARTS[row.part][0]} why={PARTS[row.part][1]}>
        {row.part}
      </State>
    ),
    plain: (row) => row.part,
  },
  { name: "Frame", cell: (row) => <Figure of={whole(row.sequence)} />, plain: (row) => whole(row.sequence) ?? "" },
  { name: "Behind", cell: (row) => <Figure of={whole(row.lag)} />, plain: (row) => whole(row.lag) ?? "" },
  { name: "Epoch", cell: (row) => <Figure of={whole(row.epoch)} />, plain: (row) => whole(row.epoch) ?? "" },
  { name: "Version", isText: true, isMinor: true, cell: (row) => row.version ?? "–", plain: (row) => row.version ?? "" },
  { name: "Address", isText: true, cell: (row) => <code>{row.url}</code>, plain: (row) => row.url },
];

export function Cluster() {
  useEffect(() => {
    document.title = "Nodes · Solvent";
  }, []);
  const said = cluster.value;
  if (said) return <Nodes said={said} />;
  return (
    <section class="panel narrow">
      <h1>Nodes</h1>
      {alone.value ? <p>This market is on one node, with no other that could lead in its place.</p> : <Loading what="nodes" />}
    </section>
  );
}

function Nodes({ said }: { said: Seen }) {
  const leader = said.nodes.find((each) => each.part === "leads");
  const here = asked();
  return (
    <>
      <section class="panel">
        <header class="title">
          <h1>Nodes</h1>
          <State tone={leader ? "good" : "bad"}>{leader ? `node ${leader.node} leads` : "no node leads now"}</State>
          <span class="grow" />
          <Data of="/cluster" />
        </header>
        <dl class="facts">
          <Fact name="Epoch" hint="How often a node has begun to lead">
            <Figure of={whole(said.epoch)} />
          </Fact>
          <Fact name="Latest frame" hint="The latest of the log that this page has been told of">
            <Figure of={whole(said.sequence)} />
          </Fact>
          <Fact name="This page asks">{here === null ? "an address that is no node's" : `node ${here}`}</Fact>
          <Fact name="Last carried out" hint="By the node that is asked">
            {said.quietMs > QUIET_MS ? <State tone="bad">{Math.floor(said.quietMs / 1000)} s ago</State> : <State tone="good">just now</State>}
          </Fact>
        </dl>
        <Table caption="Nodes" rows={said.nodes} columns={COLUMNS} id={(row) => String(row.node)} fileName="nodes" />
        <p class="why">
          {addresses.value.length > 1
            ? "Where the node that is asked does not answer, this page goes on with the next. It names the frame that it has seen, and shows nothing from a node that knows less."
            : "This page was opened at an address that is none of the nodes', so it asks there alone: whoever answers there chooses the node."}
        </p>
      </section>
      <HandOvers />
    </>
  );
}

function HandOvers() {
  const found = handOvers.value;
  return (
    <section class="panel">
      <header class="title">
        <h2>Hand-overs</h2>
        <span class="totals">since this page was opened</span>
      </header>
      {found.length ? (
        <ol class="handovers">
          {found.map((each) => (
            <li key={each.epoch}>
              <Time of={each.at} /> node {each.to} leads in epoch {each.epoch}
              {each.from === each.to ? ", as before" : each.from !== null && <>, after node {each.from}</>}
            </li>
          ))}
        </ol>
      ) : (
        <p class="note">None: the same node has led all the while.</p>
      )}
    </section>
  );
}
