/** BLAKE2b with 32 bytes, as RFC 7693 has it: the digest of receipts, which browsers do not have. */

const WORD = (1n << 64n) - 1n;
const START = [
  0x6a09e667f3bcc908n, 0xbb67ae8584caa73bn, 0x3c6ef372fe94f82bn, 0xa54ff53a5f1d36f1n,
  0x510e527fade682d1n, 0x9b05688c2b3e6c1fn, 0x1f83d9abfb41bd6bn, 0x5be0cd19137e2179n,
] as const;
const ORDER = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
] as const;
const LANES = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;
const BYTES = 32;
const BLOCK = 128;
const ROUNDS = 12;

function turned(word: bigint, by: bigint): bigint {
  return ((word >> by) | (word << (64n - by))) & WORD;
}

/** The digest in hexadecimal. */
export function blake2b(data: Uint8Array): string {
  const state: bigint[] = [...START];
  state[0] = (state[0] as bigint) ^ BigInt(0x01010000 | BYTES);
  const blocks = Math.max(1, Math.ceil(data.length / BLOCK));
  const padded = new Uint8Array(blocks * BLOCK);
  padded.set(data);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < blocks; block++) {
    const isLast = block === blocks - 1;
    const words = Array.from({ length: 16 }, (_, at) => view.getBigUint64(block * BLOCK + at * 8, true));
    const count = BigInt(isLast ? data.length : (block + 1) * BLOCK);
    const v: bigint[] = [...state, ...START];
    v[12] = (v[12] as bigint) ^ count;
    if (isLast) v[14] = (v[14] as bigint) ^ WORD;
    for (let round = 0; round < ROUNDS; round++) {
      const order = ORDER[round % ORDER.length] as readonly number[];
      LANES.forEach(([a, b, c, d], lane) => {
        const first = words[order[lane * 2] as number] as bigint;
        const second = words[order[lane * 2 + 1] as number] as bigint;
        v[a] = ((v[a] as bigint) + (v[b] as bigint) + first) & WORD;
        v[d] = turned((v[d] as bigint) ^ (v[a] as bigint), 32n);
        v[c] = ((v[c] as bigint) + (v[d] as bigint)) & WORD;
        v[b] = turned((v[b] as bigint) ^ (v[c] as bigint), 24n);
        v[a] = ((v[a] as bigint) + (v[b] as bigint) + second) & WORD;
        v[d] = turned((v[d] as bigint) ^ (v[a] as bigint), 16n);
        v[c] = ((v[c] as bigint) + (v[d] as bigint)) & WORD;
        v[b] = turned((v[b] as bigint) ^ (v[c] as bigint), 63n);
      });
    }
    state.forEach((word, at) => {
      state[at] = word ^ (v[at] as bigint) ^ (v[at + 8] as bigint);
    });
  }
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, at) => out.setBigUint64(at * 8, word, true));
  return Array.from(new Uint8Array(out.buffer).slice(0, BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
