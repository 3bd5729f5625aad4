import fc from "fast-check";
import { expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { drawRows, type ShuffleKind, shuffle } from "../../reference/shuffle.ts";

const codes: Record<ShuffleKind, number> = { "in order": 0, shuffled: 1, blocks: 2 };
const engine = await openEngine();

function run(n: number, ...args: number[]): number[] {
  using piece = engine.memory.allocate(4 * (n + 1), "order");
  engine.memory.u32(piece.pointer, n + 1)[n] = 77;
  engine.kernel("shuffle", true)(piece.pointer, ...args);
  const order = [...engine.memory.u32(piece.pointer, n + 1)];
  expect(order.pop()).toBe(77);
  return order;
}

it.each(["in order", "shuffled", "blocks"] as const)("agrees with the plain twin and is a permutation: %s", (kind) => {
  const check = (n: number, first: number, blockRows: number, seed: number, epoch: number) => {
    const named = stream(seed, "order");
    const order = run(n, first, n, codes[kind], blockRows, ...named.key, epoch);
    expect(order).toEqual(shuffle(first, n, kind, blockRows, named, epoch));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => first + i));
  };
  for (let n = 0; n <= 17; n++) for (const blockRows of [1, 2, 3, 16, 17, 18]) check(n, 0, blockRows, 1, n);
  fc.assert(fc.property(fc.nat(500), fc.nat(2 ** 30), fc.integer({ min: 1, max: 600 }), fc.integer(), fc.nat(2 ** 40), check), {
    seed: 1,
  });
});

it("orders each epoch differently", () => {
  const { key } = stream(1, "order");
  const orders = [0, 1, 2].map((epoch) => run(50, 0, 50, 1, 1, ...key, epoch).join());
  expect(new Set(orders).size).toBe(3);
});

it("draws rows with replacement like the plain twin, with words rejected early, late or never", () => {
  const check = (count: number, rowCount: number, seed: number) => {
    const named = stream(seed, "rows");
    using piece = engine.memory.allocate(4 * (count + 1), "rows");
    engine.kernel("drawRows", true)(piece.pointer, count, 1000, rowCount, ...named.key, 5);
    const wanted = drawRows(count, 1000, rowCount, named, 5).map((row) => row >>> 0);
    expect([...engine.memory.u32(piece.pointer, count + 1)]).toEqual([...wanted, 0]);
  };
  for (let count = 0; count <= 40; count++)
    for (const rowCount of [1, 37, 2 ** 31 + 1, 3 * 2 ** 30, 2 ** 32 - 1]) check(count, rowCount, count);
  fc.assert(fc.property(fc.nat(300), fc.integer({ min: 1, max: 2 ** 32 - 1 }), fc.integer(), check), { seed: 2 });
});
