/**
 * Centred RMSProp with large constant gradients. The variance is 0, and its rounding error must not enter the root as a
 * negative number.
 */
import { expect, it } from "vitest";
import { RuleRunner, rmsprop } from "../../../src/engine/optimise/index.ts";

it.each([true, false])("a constant gradient keeps every parameter finite, epsilon inside the root: %s", async (epsilonInside) => {
  const count = 48;
  using runner = await RuleRunner.open(rmsprop({ rho: 0.7, centred: true, epsilonInside, epsilon: 1e-12 }), {
    count,
    start: new Array(count).fill(0),
    interpret: true,
  });
  // Gradients of every size, because only some of them round below 0.
  const gradient = Array.from({ length: count }, (_, i) => 10 ** (i / 9) * Math.SQRT2);
  for (let t = 0; t < 250; t++) {
    runner.gradient().set(gradient);
    runner.step(1, { epochUpdates: 5 });
  }
  expect([...runner.parameters()].every(Number.isFinite)).toBe(true);
});
