/** Drawing with uPlot: lines, or candles by a path of our own. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { PlotGiven } from "./plot.tsx";

interface Look {
  readonly ink: string;
  readonly grid: string;
  readonly up: string;
  readonly down: string;
  readonly time: (seconds: number, form: "time" | "minute" | "day" | "full") => string;
}

const DAY = 86_400;
const HOUR = 3600;
const FONT = '11px ui-sans-serif, system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const MARGIN = 60;
const NARROWEST = 1;
const WIDEST = 11;

/** Open, high, low and close are the first four series. */
function candles(look: Look): uPlot.Plugin {
  return {
    hooks: {
      draw: (chart) => {
        const { ctx, data, bbox } = chart;
        const [times = [], open = [], high = [], low = [], close = []] = data;
        const first = chart.valToPos(times[0] ?? 0, "x", true);
        const second = chart.valToPos(times[1] ?? (times[0] ?? 0) + 60, "x", true);
        const ratio = devicePixelRatio;
        const width = Math.max(NARROWEST, Math.min(WIDEST * ratio, Math.floor((second - first) * 0.66)));
        ctx.save();
        ctx.beginPath();
        ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
        ctx.clip();
        for (let at = 0; at < times.length; at++) {
          const [o, h, l, c] = [open[at], high[at], low[at], close[at]];
          if (o == null || h == null || l == null || c == null) continue;
          const x = Math.round(chart.valToPos(times[at] ?? 0, "x", true));
          const y = (value: number): number => chart.valToPos(value, "y", true);
          ctx.fillStyle = c >= o ? look.up : look.down;
          ctx.strokeStyle = ctx.fillStyle;
          ctx.lineWidth = Math.max(1, ratio);
          ctx.beginPath();
          ctx.moveTo(x, y(h));
          ctx.lineTo(x, y(l));
          ctx.stroke();
          const top = Math.min(y(o), y(c));
          const tall = Math.max(ratio, Math.abs(y(o) - y(c)));
          if (c >= o) ctx.strokeRect(x - width / 2, top, width, tall);
          ctx.fillRect(x - width / 2, top, width, tall);
        }
        ctx.restore();
      },
    },
  };
}

/** From when to when the axis goes: as asked, or as far as there are rows, but never no time. */
function along(given: PlotGiven, least: number, most: number): [number, number] {
  const last = given.times.at(-1) ?? most;
  if (given.span) return [last - given.span, last + given.span / MARGIN];
  return most > least ? [least, most] : [least - HOUR, least + HOUR];
}

export function draw(place: HTMLElement, given: PlotGiven, look: Look): uPlot {
  const axis = { stroke: look.ink, font: FONT, grid: { stroke: look.grid, width: 1 }, ticks: { show: false } };
  const range = given.range;
  return new uPlot(
    {
      width: Math.max(1, Math.floor(place.clientWidth)),
      height: given.height,
      padding: [8, 4, 0, 0],
      cursor: { sync: { key: "time" }, points: { size: 6 }, drag: { x: true, y: false } },
      legend: { show: true, live: true },
      scales: {
        x: { range: (_, least, most) => along(given, least, most) },
        y: range ? { range: () => range } : {},
      },
      axes: [
        {
          ...axis,
          space: 70,
          values: (_, splits, __, ___, step) =>
            splits.map((at) => look.time(at, step >= DAY ? "day" : "minute")),
        },
        { ...axis, size: 58, values: (_, splits) => splits.map(given.axis) },
      ],
      series: [
        { label: "Time", value: (_, at) => (at === null ? "–" : look.time(at, "full")) },
        ...given.lines.map((line) => ({
          label: line.name,
          stroke: given.candles ? "transparent" : line.color,
          width: 1.5,
          ...(line.fill ? { fill: line.fill } : {}),
          points: { show: !given.candles && given.times.length < 3 },
          value: (_: uPlot, value: number | null) => line.show(value),
        })),
      ],
      plugins: given.candles ? [candles(look)] : [],
    },
    [given.times, ...given.lines.map((line) => line.values)] as uPlot.AlignedData,
    place,
  );
}
