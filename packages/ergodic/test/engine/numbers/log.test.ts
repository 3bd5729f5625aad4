import fc from "fast-check";
import { expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { log } from "../../../src/engine/numbers/log.ts";
import { power } from "../../power.ts";

const special = [
  0,
  -0,
  -1,
  -Infinity,
  Infinity,
  NaN,
  1,
  2,
  0.5,
  Math.SQRT2,
  Math.SQRT1_2,
  5e-324,
  2 ** -1040,
  2.2250738585072014e-308,
  Number.MAX_VALUE,
];
for (let k = -1074; k < 1024; k++) special.push(2 ** k, 2 ** k * (1 + 2 ** -52), 2 ** k * (2 - 2 ** -52));

it("stays within two units in the last place of Math.log", () => {
  const check = (x: number) => {
    const wanted = Math.log(x);
    const given = log(x);
    if (!Number.isFinite(wanted)) expect(given).toBe(wanted);
    else expect(Math.abs(given - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 2 ** -51);
  };
  special.forEach(check);
  fc.assert(fc.property(fc.double({ min: 0, noNaN: true }), check), { seed: 1, numRuns: power(1000, 5000) });
  fc.assert(fc.property(fc.double({ min: 0.5, max: 2, noNaN: true }), check), { seed: 2, numRuns: power(1000, 5000) });
});

// mpmath 1.3 at 50 digits: float(mp.log(mp.mpf(x)))
it.each([
  [0.2, -1.6094379124341003],
  [0.9999999999999999, -1.1102230246251565e-16],
  [1.4, 0.3364722366212129],
  [3, 1.0986122886681098],
  [1e-300, -690.7755278982137],
])("computes ln %d", (x, wanted) => {
  expect(Math.abs(log(x) - wanted)).toBeLessThanOrEqual(Math.abs(wanted) * 2 ** -52);
});

it.each([true, false])("has a WebAssembly twin with the same bits (deterministic: %s)", async (deterministic) => {
  const kernel = (await openEngine()).kernel("log", deterministic);
  for (const x of special) expect(kernel(x)).toBe(log(x));
  fc.assert(
    fc.property(fc.double(), (x) => {
      expect(kernel(x)).toBe(log(x));
    }),
    { seed: 3, numRuns: power(3000, 20_000) },
  );
});
