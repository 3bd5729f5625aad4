import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { risingOrder } from "../../../src/engine/statistics/order.ts";
import { autoregressive } from "./draws.ts";

function check(x: Float64Array): void {
  const { order, sorted } = risingOrder(x);
  const wanted = Array.from(x, (_, i) => i).sort((a, b) => (x[a] < x[b] ? -1 : x[a] > x[b] ? 1 : a - b));
  expect([...order]).toEqual(wanted);
  expect([...sorted]).toEqual(wanted.map((i) => x[i]));
}

const kinds: Record<string, (x: number) => number> = {
  usual: (x) => x,
  "heavy tails": (x) => x ** -9,
  "a range that overflows": (x) => Math.sign(x) * 10 ** (308 * Math.min(1, Math.abs(x))),
  "far from 0": (x) => 1000 + 1e-9 * x,
  subnormal: (x) => 5e-324 * Math.round(9 * x),
  ties: (x) => Math.round(3 * x),
  "many sizes": (x) => 10 ** (100 * x),
  constant: () => 7,
};

describe("sorting order", () => {
  it.each(Object.entries(kinds))("sorts numbers: %s", (_, of) => {
    for (const n of [0, 1, 2, 3, 23, 24, 25, 26, 100, 3000]) check(autoregressive(1, n, 0, n).map(of));
  });

  it("sorts any finite numbers", () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(fc.property(fc.array(finite, { maxLength: 200 }), (x) => check(Float64Array.from(x))));
  });
});
