/** A pool's utilization against its marks: optimal, threshold, bound and 100 %. */

import { decimal, percent, rough } from "../lib/decimal.ts";
import type { Pool, PoolNow } from "../data/api.ts";

const FULL = 100;

function place(ratio: string): number {
  return Math.min(FULL, Math.max(0, rough(decimal(ratio)) * FULL));
}

export function Meter({ pool, now }: { pool: Pool; now: PoolNow | undefined }) {
  const utilization = now?.utilization ?? pool.utilization;
  const marks = [
    ["optimal", pool.optimalUtilization],
    ["threshold", pool.throttleUtilizationThreshold],
    ["bound", pool.throttleUtilizationBound],
    ["most", pool.maxUtilization],
  ] as const;
  const said = marks.map(([name, at]) => `${name} ${percent(decimal(at), 0)}`).join(", ");
  const isTight = rough(decimal(utilization)) >= rough(decimal(pool.throttleUtilizationBound));
  return (
    <svg
      class={`meter ${isTight ? "tight" : ""}`}
      viewBox="0 0 100 14"
      preserveAspectRatio="none"
      role="img"
      aria-label={`Utilization ${percent(decimal(utilization))}; ${said}`}
    >
      <title>{`${percent(decimal(utilization), 4)} of 100 %; ${said}`}</title>
      <rect class="track" x="0" y="3" width="100" height="8" />
      <rect class="fill" x="0" y="3" width={place(utilization)} height="8" />
      {marks.map(([name, at]) => (
        <line key={name} class={`mark ${name}`} x1={place(at)} x2={place(at)} y1={name === "bound" ? 3 : 0} y2={name === "threshold" ? 3 : 14} />
      ))}
    </svg>
  );
}
