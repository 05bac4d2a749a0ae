import assert from "node:assert/strict";
import { test } from "node:test";
import { after, change, type Seen } from "../src/data/nodes.ts";

type Row = Seen["nodes"][number];

function row(node: number, sequence: number | null, epoch = 3): Row {
  const part: Row["part"] = sequence === null ? "silent" : "follows";
  return { node, url: `http://node-${node}:8620`, part, sequence, epoch: sequence === null ? null : epoch, lag: null, version: null };
}

function seen(sequence: number, epoch: number, leader: number | null, rows: Row[] = []): Seen {
  return { node: 0, part: "follows", sequence, epoch, leader, quietMs: 0, nodes: rows };
}

test("what another node knows less of is not shown after it", () => {
  const before = seen(40, 3, 0);
  assert.equal(after(before, seen(39, 3, 0)), null);
  assert.equal(after(before, seen(41, 2, 0)), null);
  assert.equal(after(before, seen(40, 3, 0))?.sequence, 40);
  assert.equal(after(null, seen(0, 0, null))?.sequence, 0);
});

test("a node's own number goes back only once it was silent, or an epoch later", () => {
  const rows = (sequence: number | null, epoch = 3) => after(seen(40, 3, 0, [row(1, 40)]), seen(41, 3, 0, [row(1, sequence, epoch)]))?.nodes[0]?.sequence;
  assert.equal(rows(39), 40);
  assert.equal(rows(41), 41);
  assert.equal(rows(null), null);
  assert.equal(rows(2, 4), 2);
  assert.equal(after(seen(40, 3, 0, [row(1, null)]), seen(41, 3, 0, [row(1, 2)]))?.nodes[0]?.sequence, 2);
});

test("leadership changed when another epoch has begun, and only then", () => {
  assert.equal(change(null, seen(40, 3, 0), 7), null);
  assert.equal(change(seen(40, 3, 0), seen(41, 3, 0), 7), null);
  assert.equal(change(seen(40, 3, 0), seen(41, 4, null), 7), null);
  assert.deepEqual(change(seen(40, 3, 0), seen(41, 4, 1), 7), { from: 0, to: 1, epoch: 4, at: 7 });
  assert.deepEqual(change(seen(40, 3, 0), seen(41, 5, 0), 7), { from: 0, to: 0, epoch: 5, at: 7 });
});
