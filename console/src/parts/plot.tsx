/** Charts over time, by uPlot, which is loaded when the first one is shown; one crosshair for all. */

import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { later } from "../lib/later.ts";
import { clock } from "../lib/time.ts";
import { settings } from "../data/settings.ts";

export interface Line {
  readonly name: string;
  readonly values: readonly (number | null)[];
  readonly color: string;
  readonly show: (value: number | null) => string;
  readonly scale?: string;
  readonly fill?: string;
}

interface Given {
  readonly name: string;
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly height: number;
  readonly axis: (value: number) => string;
  readonly range?: [number, number];
  readonly candles?: boolean;
  /** How far back the axis goes from now, seconds; without it, as far as the rows. */
  readonly span?: number;
  readonly summary: string;
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function Plot(given: Given) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const { up, down, theme, zone } = settings.value;
  const shape = `${given.lines.map((line) => line.name).join()} ${given.span} ${up} ${down} ${theme} ${zone}`;

  useEffect(() => {
    let isOver = false;
    let watcher: ResizeObserver | null = null;
    void later(() => import("./plotting.ts")).then(({ draw }) => {
      if (isOver || !place.current) return;
      chart.current = draw(place.current, given, {
        ink: color("--mute"),
        grid: color("--edge"),
        up,
        down,
        time: (seconds, form) => clock(seconds * 1000, zone === "local", form),
      });
      watcher = new ResizeObserver(([entry]) => {
        if (entry) chart.current?.setSize({ width: Math.floor(entry.contentRect.width), height: given.height });
      });
      watcher.observe(place.current);
    });
    return () => {
      isOver = true;
      watcher?.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, [shape]);

  useEffect(() => {
    chart.current?.setData([given.times, ...given.lines.map((line) => line.values)] as uPlot.AlignedData);
  }, [given.times, given.lines]);

  return (
    <figure class="plot" aria-label={`${given.name}: ${given.summary}`}>
      <div ref={place} style={{ minHeight: `${given.height}px` }} />
    </figure>
  );
}

export type PlotGiven = Given;
