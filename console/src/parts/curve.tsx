/** A pool's rate curve, with where it is and where a typed amount would take it. */

import { decimal, percent, rough } from "../lib/decimal.ts";
import { rateAt } from "../lib/curve.ts";
import type { Pool, PoolNow } from "../data/api.ts";

const WIDTH = 520;
const HEIGHT = 220;
const LEFT = 46;
const BOTTOM = 24;
const TOP = 12;
const RIGHT = 22;

interface Given {
  readonly pool: Pool;
  readonly now: PoolNow;
  readonly then: string | null;
}

export function CurveChart({ pool, now, then }: Given) {
  const most = Math.max(...now.curve.map(([, rate]) => rough(decimal(rate))), 0.01);
  const x = (ratio: number): number => LEFT + Math.min(1, ratio) * (WIDTH - LEFT - RIGHT);
  const y = (rate: number): number => HEIGHT - BOTTOM - (rate / most) * (HEIGHT - BOTTOM - TOP);
  const line = now.curve.map(([at, rate]) => `${x(rough(decimal(at)))},${y(rough(decimal(rate)))}`);
  const dot = (ratio: string, name: string) => {
    const rate = rateAt(now.curve, decimal(ratio));
    return (
      <g class={name}>
        <line class="drop" x1={x(rough(decimal(ratio)))} x2={x(rough(decimal(ratio)))} y1={y(rough(rate))} y2={HEIGHT - BOTTOM} />
        <circle cx={x(rough(decimal(ratio)))} cy={y(rough(rate))} r={name === "now" ? 4.5 : 5.5} />
      </g>
    );
  };
  const marks = [
    ["optimal", pool.optimalUtilization],
    ["threshold", pool.throttleUtilizationThreshold],
    ["bound", pool.throttleUtilizationBound],
  ] as const;
  const rate = percent(rateAt(now.curve, decimal(now.utilization)));
  return (
    <svg class="curve" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`Borrow rate by utilization; now ${percent(decimal(now.utilization))} and ${rate} a year`}>
      {[0, 0.25, 0.5, 0.75, 1].map((part) => (
        <g key={part} class="grid">
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(part * most)} y2={y(part * most)} />
          <text x={LEFT - 6} y={y(part * most) + 3.5} class="end">{`${Math.round(part * most * 1000) / 10} %`}</text>
          <text x={x(part)} y={HEIGHT - 7} class="middle">{`${part * 100} %`}</text>
        </g>
      ))}
      {marks.map(([name, at]) => (
        <line key={name} class={`mark ${name}`} x1={x(rough(decimal(at)))} x2={x(rough(decimal(at)))} y1={TOP} y2={HEIGHT - BOTTOM} />
      ))}
      <polyline class="line" points={line.join(" ")} />
      {dot(now.utilization, "now")}
      {then !== null && dot(then, "then")}
    </svg>
  );
}
