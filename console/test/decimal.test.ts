/** Decimals: exact, and cut, never rounded. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as d from "../src/lib/decimal.ts";
import { rateAt, utilizationOf } from "../src/lib/curve.ts";

const { decimal, text } = d;

test("what is written is what was read, without zeros at the end", () => {
  for (const [said, written] of [
    ["0", "0"],
    ["12.50", "12.5"],
    ["-0.000000001", "-0.000000001"],
    ["123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789"],
  ] as const) {
    assert.equal(text(decimal(said)), written);
  }
  for (const none of ["", ".", "1.", ".5", "1e3", "NaN", "1,000"]) {
    assert.throws(() => decimal(none), RangeError);
  }
});

test("sums and products have every digit", () => {
  assert.equal(text(d.add(decimal("0.1"), decimal("0.2"))), "0.3");
  assert.equal(text(d.subtract(decimal("1"), decimal("1.000000001"))), "-0.000000001");
  assert.equal(text(d.multiply(decimal("179.9999937374"), decimal("5982.37450181"))), "1076827.372860581444964694");
});

test("a quotient is cut toward zero", () => {
  assert.equal(text(d.divide(decimal("2"), decimal("3"), 4)), "0.6666");
  assert.equal(text(d.divide(decimal("-2"), decimal("3"), 4)), "-0.6666");
  assert.equal(text(d.divide(decimal("0.5"), decimal("0.025"), 2)), "20");
});

test("what is shown is cut, grouped, and never says nothing of something", () => {
  assert.equal(d.shown(decimal("1234567.899"), 2), "1,234,567.89");
  assert.equal(d.shown(decimal("999.999"), 0), "999");
  assert.equal(d.shown(decimal("-1234.5")), "−1,234.5");
  assert.equal(d.shown(decimal("0.0004"), 2), "<0.01");
  assert.equal(d.shown(decimal("0"), 2), "0.00");
  assert.equal(d.percent(decimal("0.750000002")), "75.00 %");
});

test("what is typed is an amount above zero or nothing", () => {
  assert.equal(text(d.typed(" 1,000.50 ") ?? d.ZERO), "1000.5");
  assert.equal(text(d.typed(".5") ?? d.ZERO), "0.5");
  for (const none of ["", "0", "0.0", "-1", "1e5", "abc", "1.2.3", ".", "1.1234567890123456789"]) {
    assert.equal(d.typed(none), null, none);
  }
});

test("a curve is read on its lines", () => {
  const points = [
    ["0", "0"],
    ["0.8", "0.08"],
    ["1", "1.5"],
  ] as const;
  assert.equal(text(rateAt(points, decimal("0.6"))), "0.06");
  assert.equal(text(rateAt(points, decimal("0.9"))), "0.79");
  assert.equal(text(rateAt(points, decimal("1.2"))), "1.5");
  assert.equal(text(utilizationOf(decimal("1"), decimal("3"))), "0.333333333");
  assert.equal(text(utilizationOf(decimal("1"), decimal("0"))), "0");
});
