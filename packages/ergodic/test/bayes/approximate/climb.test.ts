/**
 * Parts of a climb to a minimum: Newton steps by conjugate gradients on functions with known curvature, and detection
 * of unbounded descent.
 */
import { describe, expect, test } from "vitest";
import { fallsWithoutEnd } from "../../../src/bayes/approximate/border.ts";
import { Climb } from "../../../src/bayes/approximate/climb.ts";
import { InverseCurvature } from "../../../src/bayes/approximate/inverse-curvature.ts";
import { newtonStep } from "../../../src/bayes/approximate/newton-step.ts";
import type { Minimised } from "../../../src/bayes/approximate/quasi-newton.ts";

/** ½ Σ hᵢ xᵢ² */
const bowl =
  (h: readonly number[]): Minimised =>
  (x, gradient) => {
    if (gradient) for (let i = 0; i < h.length; i++) gradient[i] = h[i] * x[i];
    return h.reduce((sum, hi, i) => sum + 0.5 * hi * x[i] * x[i], 0);
  };
const unit = (count: number) => new InverseCurvature(new Float64Array(count).fill(1), [], []);
const slopes = (f: Minimised, x: Float64Array): Float64Array => {
  const gradient = new Float64Array(x.length);
  f(x, gradient);
  return gradient;
};

describe("the Newton step", () => {
  // The walls are 10^6 times steeper than the floor, along which most of the decrease lies. A preconditioner without
  // information therefore follows only the walls.
  const h = [1, 1e3, 1e6, 3, 50];
  const x = Float64Array.of(100, 0.1, 1e-3, -2, 0.5);

  test.each([
    ["one that knows nothing", unit(5)],
    ["one that is wrong by 10^4 along the floor", new InverseCurvature(Float64Array.of(1e-4, 1e-3, 1e-6, 1, 1), [], [])],
  ])("has the step and predicted decrease of the Hessian, preconditioned by %s", (_, estimate) => {
    const f = bowl(h);
    const { step, promise, definite } = newtonStep(f, x, slopes(f, x), estimate, 50);
    expect(definite).toBe(true);
    expect(promise / f(x, null)).toBeCloseTo(1, 8);
    for (const [i, v] of step.entries()) expect(v / -x[i]).toBeCloseTo(1, 5);
  });

  test("reports negative curvature and still descends", () => {
    const f = bowl([1, -0.5, 3]);
    for (const at of [Float64Array.of(1, 0.2, 1), Float64Array.of(0, 0, 0)]) {
      const gradient = slopes(f, at);
      const { step, definite, promise } = newtonStep(f, at, gradient, unit(3), 12);
      expect([definite, promise]).toEqual([false, Infinity]);
      expect(gradient.reduce((sum, g, i) => sum + g * step[i], 0)).toBeLessThanOrEqual(0);
    }
  });

  test("predicts no decrease at a minimum, and NaN if nearby slopes are not finite", () => {
    const f = bowl([1, 2]);
    expect(newtonStep(f, Float64Array.of(0, 0), Float64Array.of(0, 0), unit(2), 8)).toMatchObject({ promise: 0, definite: true });
    const flat = bowl([0, 2]);
    expect(newtonStep(flat, Float64Array.of(5, 0), Float64Array.of(0, 0), unit(2), 8)).toMatchObject({
      promise: 0,
      definite: true,
    });
    const edge: Minimised = (x, gradient) => {
      gradient?.fill(1);
      return x[0] === 1 ? 0 : Infinity;
    };
    expect(newtonStep(edge, Float64Array.of(1), Float64Array.of(1), unit(1), 8)).toMatchObject({
      promise: Number.NaN,
      definite: false,
    });
  });
});

describe("unbounded descent", () => {
  /** A function of the depth −x[0]. */
  const along =
    (value: (depth: number) => number): Minimised =>
    (x, gradient) => {
      const size = 1e-6;
      const [d, other] = [-x[0], x[1]];
      if (gradient) gradient[0] = -(value(d + size) - value(d - size)) / (2 * size);
      if (gradient) gradient[1] = other;
      return value(d) + 0.5 * other * other;
    };
  const at = (depth: number) => Float64Array.of(-depth, 0.3);

  test.each<[string, (depth: number) => number, number, boolean]>([
    ["as fast as ever", (d) => -8 * d, 6, true],
    ["slowly, but without end", (d) => -0.1 * d, 6, true],
    ["from where rounding has the word", (d) => (d > 100 ? Number.NaN : -8 * d), 99, true],
    ["to a limit", (d) => Math.exp(-d), 6, false],
    ["to a limit that is far below", (d) => 1e5 * Math.exp(-d / 2), 6, false],
    ["until the scale of the data is reached", (d) => 8 * Math.abs(d - 20), 6, false],
    ["too little to speak of", (d) => -0.01 * d, 6, false],
    ["not at all", () => 0, 6, false],
    ["but not close to the border", (d) => -8 * d, 3, false],
    ["but on the other side", (d) => -8 * d, -6, false],
  ])("%s", (_, value, depth, wanted) => {
    expect(fallsWithoutEnd(along(value), at(depth), { at: 0, side: -1 })).toBe(wanted);
  });

  test("ends a climb and names the border", () => {
    const f: Minimised = ([u, other], gradient) => {
      gradient?.set([2, other]);
      return 2 * u + 0.5 * other * other;
    };
    const climb = new Climb(f, at(1), [{ at: 0, side: -1 }]);
    for (let k = 0; k < 200 && !climb.end; k++) climb.step();
    expect([climb.end, climb.unbounded]).toEqual(["unbounded", [{ at: 0, side: -1 }]]);
  });
});
