// The report's own script: a crosshair over all charts, zoom and scrubbing; sort, search and filter
// of tables. Without it the page reads the same. It has no ampersand and no less-than sign, so that
// the page stays well-formed XML.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const make = (name, content, attributes) => {
    const found = document.createElement(name);
    found.textContent = content || "";
    for (const key of Object.keys(attributes || {})) found.setAttribute(key, attributes[key]);
    return found;
  };
  const drawn = (name, attributes) => {
    const found = document.createElementNS(SVG, name);
    for (const key of Object.keys(attributes)) found.setAttribute(key, attributes[key]);
    return found;
  };
  const two = (value) => String(value).padStart(2, "0");
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
  const clock = (time, isShort) => {
    const at = new Date(time * 1000);
    const day = at.getUTCDate() + " " + MONTHS[at.getUTCMonth()];
    const hour = two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
    if (isShort) return hour === "00:00" ? day : hour;
    return day + " " + at.getUTCFullYear() + " " + hour + ":" + two(at.getUTCSeconds()) + " UTC";
  };
  const places = (value, count) =>
    value.toLocaleString("en-US", { minimumFractionDigits: count, maximumFractionDigits: count });
  const FORMS = {
    percent: (value) => places(value * 100, 2) + " %",
    money: (value) => places(value, 2),
    price: (value) => String(Number(value.toPrecision(9))),
    count: (value) => places(value, 0),
  };

  // ---- charts ----
  const setUpCharts = (data) => {
    const { times, geometry } = data;
    const isTime = data.across === "time";
    const shareOf = (time) => places((time / 86400) * 100, 0) + " %";
    const told = (time) => (isTime ? clock(time) : shareOf(time) + " of paths");
    const mark = (time, isLong) => {
      if (!isTime) return shareOf(time);
      return isLong ? clock(time).slice(0, 6) : clock(time, true);
    };
    const { width, height, left, right, top, bottom } = geometry;
    const inner = width - left - right;
    const last = times.length - 1;
    let from = times[0];
    let to = times[last];
    const x = (time) => left + ((time - from) / (to - from || 1)) * inner;
    const placeOf = (time) => {
      let low = 0;
      let high = last;
      while (high > low) {
        const middle = Math.ceil((low + high) / 2);
        if (times[middle] > time) high = middle - 1;
        else low = middle;
      }
      return low;
    };

    const charts = [];
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      const chart = data.charts[figure.dataset.chart];
      const svg = figure.querySelector("svg");
      if (!chart) continue;
      const cross = drawn("line", { class: "cross", y1: top, y2: height - bottom });
      const band = drawn("rect", { class: "band", y: top, height: height - top - bottom });
      svg.append(band, cross);
      const outputs = [...figure.querySelectorAll(".legend li")].map((item) => {
        const output = make("output");
        item.append(output);
        return output;
      });
      const y = (value) => {
        const held = Math.min(Math.max(value, chart.low), chart.high);
        const share = (held - chart.low) / (chart.high - chart.low);
        return height - bottom - share * (height - top - bottom);
      };
      const edges = chart.stacked
        ? chart.lines.map((_, line) =>
            times.map((__, at) =>
              chart.lines.slice(0, line + 1).reduce((sum, row) => sum + row[at], 0)))
        : chart.lines;
      const paths = [...svg.querySelectorAll("path.line, path.area")];
      if (chart.stacked) paths.reverse();
      charts.push({ figure, svg, chart, cross, band, outputs, y, edges, paths });
    }
    if (charts.length === 0) return;

    const bar = make("div", "", { class: "toolbar", role: "group", "aria-label": "Time" });
    const scrub = make("input", "", {
      type: "range", min: 0, max: last, value: last, "aria-label": isTime ? "Moment of the run" : "Share of the paths",
    });
    const said = make("output", told(times[last]), { class: "moment" });
    const nearer = make("button", "Zoom in", { type: "button" });
    const whole = make("button", isTime ? "Whole run" : "All paths", { type: "button" });
    bar.append(scrub, said, nearer, whole);
    document.querySelector(".charts").before(bar);

    const show = (at) => {
      scrub.value = at;
      said.textContent = told(times[at]);
      scrub.setAttribute("aria-valuetext", said.textContent);
      for (const each of charts) {
        const isIn = [times[at] >= from, to >= times[at]].every(Boolean);
        each.cross.setAttribute("visibility", isIn ? "visible" : "hidden");
        each.cross.setAttribute("x1", x(times[at]));
        each.cross.setAttribute("x2", x(times[at]));
        each.outputs.forEach((output, line) => {
          output.textContent = FORMS[each.chart.form](each.chart.lines[line][at]);
        });
      }
    };
    const draw = () => {
      const first = Math.max(0, placeOf(from) - 1);
      const end = Math.min(last, placeOf(to) + 1);
      for (const { svg, chart, y, edges, paths } of charts) {
        paths.forEach((path, line) => {
          const points = [];
          for (let at = first; end >= at; at += 1) {
            const across = Math.min(Math.max(x(times[at]), left), width - right);
            points.push(across.toFixed(1) + " " + y(edges[line][at]).toFixed(1));
          }
          const foot = height - bottom;
          const area = "L" + (width - right) + " " + foot + "L" + left + " " + foot + "Z";
          path.setAttribute("d", "M" + points.join("L") + (chart.stacked ? area : ""));
        });
        for (const old of svg.querySelectorAll(".tick, .time")) old.remove();
        for (let tick = 0; 4 >= tick; tick += 1) {
          const time = from + ((to - from) * tick) / 4;
          const minor = tick % 2 ? "time minor" : "time";
          const text = drawn("text", { class: minor, x: x(time), y: height - bottom + 20 });
          text.textContent = mark(time, to - from > 172800);
          svg.append(text);
        }
      }
      show(Number(scrub.value));
    };
    const zoom = (since, until) => {
      if (until - since > 0) {
        from = Math.max(since, times[0]);
        to = Math.min(until, times[last]);
        document.documentElement.classList.toggle("zoomed", to - from !== times[last] - times[0]);
        draw();
      }
    };
    scrub.addEventListener("input", () => show(Number(scrub.value)));
    whole.addEventListener("click", () => zoom(times[0], times[last]));
    nearer.addEventListener("click", () => {
      const middle = times[Number(scrub.value)];
      const reach = (to - from) / 4;
      zoom(middle - reach, middle + reach);
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") zoom(times[0], times[last]);
    });

    let held = null;
    for (const { svg } of charts) {
      const timeAt = (event) => {
        const box = svg.getBoundingClientRect();
        const across = ((event.clientX - box.left) / box.width) * width;
        const share = Math.min(Math.max((across - left) / inner, 0), 1);
        return from + share * (to - from);
      };
      svg.addEventListener("pointerdown", (event) => {
        held = timeAt(event);
        if (event.pointerType === "mouse") svg.setPointerCapture(event.pointerId);
      });
      svg.addEventListener("pointermove", (event) => {
        const time = timeAt(event);
        show(placeOf(time));
        if (held === null) return;
        for (const { band } of charts) {
          band.setAttribute("x", x(Math.min(held, time)));
          band.setAttribute("width", Math.abs(x(time) - x(held)));
        }
      });
      svg.addEventListener("pointerup", (event) => {
        const [since, until] = [held, timeAt(event)].sort((one, other) => one - other);
        held = null;
        for (const { band } of charts) band.setAttribute("width", 0);
        if (x(until) - x(since) > 8) zoom(since, until);
      });
      svg.addEventListener("pointercancel", () => {
        held = null;
      });
    }
    show(last);
  };

  // ---- tables ----
  const number = (text) => {
    const plain = text.replace(/[,\s%]/g, "").replace("\u2212", "-");
    return plain === "" ? NaN : Number(plain);
  };
  const compared = (one, other) => {
    const [left, right] = [number(one), number(other)];
    const isText = [left, right].some(Number.isNaN);
    return isText ? one.localeCompare(other, "en") : left - right;
  };
  const setUpTable = (region) => {
    const table = region.querySelector("table");
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const text = (row, column) => row.cells[column].textContent;
    const bar = make("div", "", { class: "toolbar", role: "search" });
    const name = table.caption.textContent;
    const search = make("input", "", {
      type: "search", placeholder: "Search", "aria-label": "Search in: " + name,
    });
    const count = make("output", rows.length + " rows");
    bar.append(search);
    const chosen = [];
    heads.forEach((head, column) => {
      if (!head.classList.contains("filter")) return;
      const select = make("select", "", { "aria-label": head.textContent });
      select.append(make("option", head.textContent + ": all", { value: "" }));
      const values = new Set(rows.flatMap((row) => text(row, column).split(", ")));
      for (const value of [...values].sort()) select.append(make("option", value, { value }));
      chosen.push([column, select]);
      bar.append(select);
    });
    bar.append(count);
    region.before(bar);
    const sift = () => {
      const wanted = search.value.trim().toLowerCase();
      let shown = 0;
      for (const row of rows) {
        const isFound = [
          row.textContent.toLowerCase().includes(wanted),
          ...chosen.map(([column, select]) =>
            select.value === "" ? true : text(row, column).split(", ").includes(select.value)),
        ].every(Boolean);
        row.hidden = !isFound;
        shown += isFound ? 1 : 0;
      }
      count.textContent = shown + " of " + rows.length + " rows";
    };
    search.addEventListener("input", sift);
    for (const [, select] of chosen) select.addEventListener("change", sift);
    heads.forEach((head, column) => {
      const button = make("button", head.textContent, { type: "button" });
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const isDown = head.getAttribute("aria-sort") === "descending";
        for (const each of heads) each.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", isDown ? "ascending" : "descending");
        const sign = isDown ? 1 : -1;
        rows.sort((one, other) => sign * compared(text(one, column), text(other, column)));
        body.append(...rows);
      });
    });
  };

  document.documentElement.classList.add("scripted");
  const data = document.getElementById("chart-data");
  if (data) setUpCharts(JSON.parse(data.textContent));
  for (const region of document.querySelectorAll(".live .scroll")) {
    if (region.querySelector("tbody th")) setUpTable(region);
  }
})();
