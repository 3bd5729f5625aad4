import fc from "fast-check";
import { expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { normalQuantile } from "../../../src/engine/numbers/normal-quantile.ts";

// mpmath 1.3 at 50 digits: Halley's method on erfc(-z/sqrt(2))/2 = u, printed by mp.nstr(z, 20)
it.each([
  [2 ** -53, -8.209536151601387],
  [1e-300, -37.0470962993612],
  [1e-100, -21.273453560965326],
  [1e-20, -9.262340089798407],
  [1e-10, -6.361340902404057],
  [1e-5, -4.264890793922825],
  [0.01, -2.326347874040841],
  [0.074, -1.4466320671589785],
  [0.076, -1.4325027208258116],
  [0.1, -1.2815515655446004],
  [0.25, -0.6744897501960817],
  [0.4, -0.2533471031357997],
  [0.499, -0.002506630899571766],
  [0.6, 0.2533471031357997],
  [0.9, 1.2815515655446006],
  [0.924, 1.4325027208258119],
  [0.926, 1.4466320671589787],
  [0.99, 2.3263478740408408],
  [0.999999, 4.753424308817087],
])("computes the quantile of %d within 1e-15 relative", (u, wanted) => {
  // Above one half, 1 − u is exact, but the condition number of the quantile amplifies the final rounding errors.
  expect(Math.abs(normalQuantile(u) - wanted)).toBeLessThanOrEqual(1e-15 * Math.abs(wanted));
});

it("the quantile is odd about one half and infinite at the ends", () => {
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0)).toBe(-Infinity);
  expect(normalQuantile(1)).toBe(Infinity);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), (k) => {
      const u = (k + 0.5) * 2 ** -31;
      expect(normalQuantile(1 - u)).toBe(0 - normalQuantile(u));
    }),
    { seed: 1 },
  );
});

it.each([true, false])("has a WebAssembly twin with the same bits (deterministic: %s)", async (deterministic) => {
  const kernel = (await openEngine()).kernel("normalQuantile", deterministic);
  for (const u of [0, 1, 0.5, 0.074, 0.075, 0.925, 0.9250000001, 2 ** -53, 5e-324]) expect(kernel(u)).toBe(normalQuantile(u));
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (u) => {
      expect(kernel(u)).toBe(normalQuantile(u));
    }),
    { seed: 2, numRuns: 5000 },
  );
});
