import fc from "fast-check";
import { expect, it } from "vitest";
import { cosineSine } from "../../../src/engine/numbers/cosine-sine.ts";
import { power } from "../../power.ts";

const both = (x: number, factor = 1): [number, number] => {
  const out = new Float64Array(3);
  cosineSine(x, factor, out, 1);
  return [out[1], out[2]];
};

it("agrees with the host's functions within 2.3e-16 for |x| < 1.6e6, and 1e-15·|x| beyond", () => {
  fc.assert(
    fc.property(fc.double({ min: -1.6e6, max: 1.6e6, noNaN: true }), (x) => {
      const [cosine, sine] = both(x);
      expect(Math.abs(cosine - Math.cos(x))).toBeLessThanOrEqual(2.3e-16);
      expect(Math.abs(sine - Math.sin(x))).toBeLessThanOrEqual(2.3e-16);
    }),
    {
      seed: 5,
      numRuns: power(4000, 20_000),
      examples: [[Math.PI / 2], [Math.PI], [1e6 * Math.PI], [-0.75 * Math.PI], [1e-310]].map(([x]) => [x] as [number]),
    },
  );
  for (const x of [1e8, -3e9]) expect(Math.abs(both(x)[1] - Math.sin(x))).toBeLessThan(1e-15 * Math.abs(x));
});

it("is exact at 0, and returns NaN for NaN and infinities", () => {
  expect(both(0)).toEqual([1, 0]);
  expect(both(0, 0.5)).toEqual([0.5, 0]);
  for (const x of [NaN, Infinity, -Infinity]) expect(both(x)).toEqual([NaN, NaN]);
});
