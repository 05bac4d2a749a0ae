/** Judges receipts, a line each, as the page does: a line of problems for each, empty where none. */

import { readFileSync } from "node:fs";
import type { Receipt } from "../src/lib/receipts/form.ts";
import { verify } from "../src/lib/receipts/verify.ts";

for (const line of readFileSync(0, "utf8").split("\n")) {
  if (!line) continue;
  const problems = verify(JSON.parse(line) as Receipt).flatMap((check) => check.problems);
  process.stdout.write(`${problems.join("; ")}\n`);
}
