/** A rehearsal: what a change was found to do on a copy of the book, and then what it did. */

import type { Schemas } from "../data/api.ts";
import { decimal, shown } from "../lib/decimal.ts";
import { Fact, Figure, State, Time } from "../parts/figures.tsx";
import { Table, type Column } from "../parts/table.tsx";

type Found = Schemas["Rehearsal"];
type Path = Schemas["PathPlayed"];
type Standing = Schemas["BookStanding"];

function trapped(standing: Standing): string {
  return standing.trapped.map((each) => `${each.symbol} ${each.lenders}`).join(", ") || "none";
}

/** What each stage would settle, where it is something; cut to cents, and whole in what is saved. */
function stages(hours: Schemas["HoursPlayed"], digits?: number): string {
  const some = hours.stages.map((each) => ({ name: each.stage.replaceAll("_", " "), value: decimal(each.value) })).filter((each) => each.value.units > 0n);
  return some.map((each) => `${each.name} ${shown(each.value, digits)}`).join("; ") || "nothing";
}

const CENTS = 2;

const PATHS: Column<Path>[] = [
  { name: "Path", isText: true, cell: (row) => row.path, plain: (row) => row.path },
  { name: "Liquidated without", cell: (row) => row.without.liquidated, plain: (row) => String(row.without.liquidated) },
  { name: "with", cell: (row) => row.withChange.liquidated, plain: (row) => String(row.withChange.liquidated) },
  { name: "Settled without", isText: true, isMinor: true, cell: (row) => stages(row.without, CENTS), plain: (row) => stages(row.without) },
  { name: "Settled with", isText: true, isMinor: true, cell: (row) => stages(row.withChange, CENTS), plain: (row) => stages(row.withChange) },
  { name: "Throttled then", isText: true, cell: (row) => row.withChange.end.throttled.join(", ") || "none", plain: (row) => row.withChange.end.throttled.join(" ") },
];

export function Rehearsed({ of }: { of: Found }) {
  const { without, withChange, accountIds, time } = of.atOnce;
  return (
    <>
      <p class="why">
        Tried on a copy of the book of <Time of={time / 1000} form="full" />, with and without it.
      </p>
      <dl class="facts">
        <Fact name="In the waterfall at once">
          <span class="figure">
            {without.liquidating} → <strong data-value={withChange.liquidating}>{withChange.liquidating}</strong>
          </span>
        </Fact>
        <Fact name="Accounts that it puts there">
          <State tone={accountIds.length ? "bad" : "good"}>{accountIds.length ? accountIds.slice(0, 10).join(", ") : "none"}</State>
        </Fact>
        <Fact name="Throttled at once">
          {without.throttled.join(", ") || "none"} → <strong>{withChange.throttled.join(", ") || "none"}</strong>
        </Fact>
        <Fact name="Lenders who cannot leave">
          {trapped(without)} → <strong>{trapped(withChange)}</strong>
        </Fact>
      </dl>
      <Table caption={`In the next ${of.hours} hours`} rows={of.paths} columns={PATHS} id={(row) => row.path} fileName="rehearsal" />
    </>
  );
}

export function Effect({ of }: { of: Schemas["ChangeEffect"] }) {
  return (
    <dl class="facts">
      <Fact name="When it was made, as rehearsed">
        <span class="figure">{of.asRehearsed}</span>
      </Fact>
      <Fact name="Not foreseen">
        <State tone={of.unforeseen.length ? "warn" : "good"}>{of.unforeseen.length ? of.unforeseen.slice(0, 10).join(", ") : "nobody"}</State>
      </Fact>
      <Fact name="Spared">{of.spared.length ? of.spared.slice(0, 10).join(", ") : "nobody"}</Fact>
      {of.marks.map((each) => (
        <Fact key={each.symbol} name={`${each.symbol}: mark at the rehearsal → when made`}>
          <Figure of={each.rehearsed} digits={4} /> → <Figure of={each.actual} digits={4} />
        </Fact>
      ))}
    </dl>
  );
}
