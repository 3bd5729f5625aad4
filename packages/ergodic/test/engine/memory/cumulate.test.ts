/**
 * kernels/engine/arrays/cumulate.ts agrees with its plain twin bit for bit: both types, lengths 0 … 17 on each axis,
 * special values, in place.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { isSlow } from "../../power.ts";
import { cumulativeSum } from "../../reference/cumulate.ts";
import { floatTypes, Guarded, rounded } from "./guarded.ts";

const engine = await openEngine();
const cases = floatTypes.flatMap((type) => [true, false].map((deterministic) => ({ type, deterministic })));

describe.each(cases)("$type, deterministic: $deterministic", ({ type, deterministic }) => {
  const draws = stream(6, "cumulate", type).at(0);

  function summed(outer: number, n: number, inner: number, x: number[], reverse: boolean, inPlace: boolean): number[] {
    using memory = new Guarded(engine);
    const from = memory.put(type, x);
    const to = inPlace ? from : memory.room(type, x.length);
    engine.kernel(`cumulativeSum${type.toUpperCase()}`, deterministic)(outer, n, inner, from, to, reverse ? 1 : 0);
    return memory.read(type, to, x.length);
  }

  function check(outer: number, n: number, inner: number, x: number[]): void {
    for (const reverse of [false, true]) {
      const wanted = rounded(type, cumulativeSum(outer, n, inner, x, reverse));
      for (const inPlace of [false, true]) expect(summed(outer, n, inner, x, reverse, inPlace)).toEqual(wanted);
    }
  }

  it("agrees with the twin", () => {
    for (let n = 0; n <= 17; n++) {
      for (const outer of isSlow ? [0, 1, 2, 4, 5, 9] : [0, 1, 2, 5]) {
        for (const inner of isSlow ? [0, 1, 2, 3, 4, 5, 9, 17] : [0, 1, 2, 3, 4, 5, 17]) {
          const count = outer * n * inner;
          check(
            outer,
            n,
            inner,
            rounded(
              type,
              Array.from({ length: count }, () => draws.normal()),
            ),
          );
        }
      }
    }
  });

  it("agrees on NaN, ±Inf, ±0 and subnormal numbers, and on the elements after them", () => {
    for (const special of [Number.NaN, Infinity, -Infinity, -0, 1e-45, -1e-40]) {
      for (const inner of [1, 5]) {
        const count = 5 * 6 * inner;
        check(
          5,
          6,
          inner,
          rounded(
            type,
            Array.from({ length: count }, (_, i) => (i % 7 === 3 ? special : i % 3)),
          ),
        );
      }
    }
  });
});

it("the float32 form sums in float64, so that 2²⁴ + 1 + 1 is exact in between", () => {
  using memory = new Guarded(engine);
  const at = memory.put("f32", [2 ** 24, 1, 1]);
  engine.kernel("cumulativeSumF32", true)(1, 3, 1, at, at, 0);
  expect(memory.read("f32", at, 3)).toEqual([2 ** 24, 2 ** 24, 2 ** 24 + 2]);
});
