/** The audit log: who asked for what, and what became of it, each entry chained to the one before. */

import { useAsked, type Schemas } from "../data/api.ts";
import { milliseconds } from "../lib/time.ts";
import { Time } from "../parts/figures.tsx";
import { Answer } from "../parts/states.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Row = Schemas["AuditRow"];

const COLUMNS: Column<Row>[] = [
  { name: "No.", cell: (row) => row.number, plain: (row) => String(row.number) },
  { name: "Time", isText: true, cell: (row) => <Time of={milliseconds(row.time)} form="full" />, plain: (row) => row.time },
  { name: "Who", isText: true, cell: (row) => (row.actor > 0 ? `${row.role}, key ${row.actor}` : row.role), plain: (row) => `${row.role} ${row.actor}` },
  { name: "Act", isText: true, cell: (row) => row.act.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase(), plain: (row) => row.act },
  { name: "About", isText: true, cell: (row) => <code>{row.subject}</code>, plain: (row) => row.subject },
  { name: "Outcome", isText: true, cell: (row) => row.outcome, plain: (row) => row.outcome },
  { name: "Proposal", isMinor: true, cell: (row) => row.proposal || "–", plain: (row) => String(row.proposal) },
  { name: "Hash", isText: true, isMinor: true, cell: (row) => <code title={row.hash}>{row.hash.slice(0, 10)}</code>, plain: (row) => row.hash },
];

export function Audit() {
  const [rows] = useAsked<Row[]>({ path: "/solvent/v1/audit", instruction: "auditQuery", fields: { limit: "200" } }, 5000);
  return (
    <section class="panel">
      <header class="title">
        <h1>Audit log</h1>
        <span class="totals">the latest entries; each has a hash over itself and the one before</span>
      </header>
      <Answer of={rows.value} what="audit log" empty="No act was asked for yet.">
        {(found) => <Table caption="Audit log" rows={[...found].reverse()} columns={COLUMNS} id={(row) => String(row.number)} fileName="audit" />}
      </Answer>
    </section>
  );
}
