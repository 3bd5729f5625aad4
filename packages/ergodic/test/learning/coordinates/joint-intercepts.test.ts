/** Joint steps of several intercepts, on known slopes. */
import { describe, expect, it } from "vitest";
import { JointIntercepts } from "../../../src/learning/coordinates/joint-intercepts.ts";

/** Slopes of ½ xᵀHx at x. */
const times = (h: readonly (readonly number[])[], x: ArrayLike<number>): Float64Array =>
  Float64Array.from(h, (row) => row.reduce((sum, v, j) => sum + v * x[j], 0));

describe("the first step", () => {
  it.each([2, 3, 10])("equals Newton's for a softmax of %i outputs with equal rows", (outputs) => {
    const p = 1 / outputs;
    const slopes = Float64Array.from({ length: outputs }, (_, k) => (k === 0 ? outputs - 1 : -1) / 100);
    const direction = new JointIntercepts().direction(slopes, new Float64Array(outputs).fill(p * (1 - p)));
    // H = diag p − p pᵀ, which a common shift does not change: H d = −g.
    const h = Array.from({ length: outputs }, (_, k) => Array.from({ length: outputs }, (_, j) => (j === k ? p : 0) - p * p));
    for (const [k, there] of times(h, direction).entries()) expect(there).toBeCloseTo(-slopes[k], 14);
  });
});

describe("learning from steps", () => {
  const h = [
    [2, 0.5, 0.1],
    [0.5, 1, 0.3],
    [0.1, 0.3, 3],
  ];
  const slopes = Float64Array.of(0.3, -0.2, 0.7);
  const curvatures = Float64Array.of(2, 1, 3);

  it("reaches the minimum of a quadratic from conjugate steps", () => {
    const search = new JointIntercepts();
    const steps: Float64Array[] = [];
    for (let k = 0; k < 3; k++) {
      const step = Float64Array.from({ length: 3 }, (_, j) => (j === k ? 1 : 0));
      for (const before of steps) {
        const along = times(h, before);
        const share = along[k] / along.reduce((sum, v, j) => sum + v * before[j], 0);
        for (let j = 0; j < 3; j++) step[j] -= share * before[j];
      }
      steps.push(step);
      search.learn(step, times(h, step));
    }
    const there = times(h, search.direction(slopes, curvatures));
    for (const [k, v] of there.entries()) expect(v).toBeCloseTo(-slopes[k], 12);
  });

  it("learns nothing from a step along which slopes stayed or fell", () => {
    const untaught = new JointIntercepts().direction(slopes, curvatures);
    const search = new JointIntercepts();
    search.learn(Float64Array.of(1, 2, 3), new Float64Array(3));
    search.learn(Float64Array.of(1, 2, 3), Float64Array.of(-1, -2, -3));
    expect(search.direction(slopes, curvatures)).toEqual(untaught);
  });
});
