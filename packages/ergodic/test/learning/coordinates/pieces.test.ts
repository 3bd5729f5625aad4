/** The parts of coordinate descent: the line search by slopes, extrapolation, and user-defined targets. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extrapolate } from "../../../src/engine/optimise/coordinates/anderson.ts";
import type { CoordinateTargetOptions } from "../../../src/engine/optimise/coordinates/coordinate-target.ts";
import { lineNewton } from "../../../src/engine/optimise/coordinates/line-newton.ts";
import { coordinateProblem, coordinateTarget } from "../../../src/engine/optimise/coordinates/target.ts";
import { leastSquares, solve } from "../../reference/coordinate.ts";
import { begin, byMatrix, byRows, distance, run } from "./targets.ts";

describe("lineNewton", () => {
  const search = (slope: (t: number) => number, limit = Infinity, guess = 1e-3, curvature?: (t: number) => number) => {
    let calls = 0;
    const counted = (t: number) => {
      calls++;
      return slope(t);
    };
    const t = lineNewton({ slope: counted, curvature, slopeAtZero: slope(0), guess, limit, resolution: 1e-16 });
    return { t, calls };
  };

  it("finds where the slope changes sign, from any guess", () => {
    const cases: [(t: number) => number, number][] = [
      [(t) => 3 * t - 6, 2],
      [(t) => Math.exp(t) - 5, Math.log(5)],
      [(t) => Math.atan(t - 40), 40],
      [(t) => (t - 0.01) ** 3, 0.01],
      [(t) => (t < 3 ? -1 : 1), 3],
      [(t) => 2 - 1 / (t + 0.1), 0.4],
      [(t) => (t / 7) ** 30 - 1, 7],
    ];
    for (const [slope, wanted] of cases) {
      for (const guess of [1e-8, 1, 1e4]) {
        const { t, calls } = search(slope, Infinity, guess);
        expect(Math.abs(t - wanted)).toBeLessThan(1e-9 * Math.max(1, wanted));
        expect(calls).toBeLessThan(170);
      }
    }
  });

  it("needs two slopes of a quadratic, or one if the curvature is known, for full precision", () => {
    const { t, calls } = search((t) => 3 * t - 6, Infinity, 1);
    expect(Math.abs(t - 2)).toBeLessThan(1e-15);
    expect(calls).toBeLessThanOrEqual(3);
    const known = search(
      (t) => 3 * t - 6,
      Infinity,
      1,
      () => 3,
    );
    expect(known.t).toBe(2);
    expect(known.calls).toBeLessThanOrEqual(2);
  });

  it("stops at the limit, retreats from NaN, and reports an unbounded line", () => {
    expect(search((t) => t - 6, 4).t).toBe(4);
    expect(search((t) => t - 6, 6).t).toBe(6);
    expect(search((t) => (t > 5 ? Number.NaN : t - 2), Infinity, 50).t).toBeCloseTo(2, 12);
    expect(search(() => -1).t).toBe(Infinity);
  });

  it("brackets the root of any increasing slope", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
        (root, power, guess) => {
          const slope = (t: number) => Math.sign(t - root) * (Math.abs(t - root) / root) ** power;
          const { t } = search(slope, Infinity, guess);
          // It ends at a distance d from the root with a secant step of at most 1e-10 root. From a distance D <= 2 root
          // the secant step is (d/D)^p D.
          expect(Math.abs(t - root) / root).toBeLessThan(power <= 1 ? 1e-9 : 3 * 1e-10 ** (1 / power));
        },
      ),
      { numRuns: 300, seed: 1 },
    );
  });
});

describe("extrapolate", () => {
  const points = (dimension: number) => {
    const { A, b } = leastSquares(50, dimension);
    const shrink = 1 / A.reduce((s, row, i) => s + row[i], 0);
    const list = [new Float64Array(dimension)];
    for (let k = 0; k < 5; k++) {
      const x = list[k];
      list.push(x.map((v, i) => v - shrink * A[i].reduce((s, a, j) => s + a * x[j], -b[i])));
    }
    return { list, fixed: solve(A, b) };
  };

  it("finds the fixed point of a linear map in fewer dimensions than differences", () => {
    for (const dimension of [2, 3]) {
      const { list, fixed } = points(dimension);
      expect(distance(extrapolate(list)!, fixed)).toBeLessThan(1e-6 * distance(list[5], fixed));
    }
    const { list, fixed } = points(4);
    expect(distance(extrapolate(list)!, fixed)).toBeLessThan(1e-3 * distance(list[5], fixed));
  });

  it("keeps constant coordinates exactly, and returns nothing if nothing moves", () => {
    const { list } = points(4);
    const pinned = list.map((x) => Float64Array.of(...x, 0.1, 0));
    expect(Array.from(extrapolate(pinned)!.slice(4))).toEqual([0.1, 0]);
    expect(extrapolate(Array.from({ length: 6 }, () => new Float64Array(3)))).toBeNull();
    expect(extrapolate([...list.slice(0, 5), list[5].map(() => Number.NaN)])).toBeNull();
  });
});

describe("targets", () => {
  const problem = leastSquares(60, 6);
  const optimum = solve(problem.A, problem.b);

  it("are minimised in every form of definition", async () => {
    const ways: Partial<CoordinateTargetOptions>[] = [
      {},
      { quadratic: true },
      { secondPartial: (_, j) => problem.A[j][j] },
      { curvature: undefined },
      { minimiser: (x, j) => x[j] - problem.A[j].reduce((s, a, k) => s + a * x[k], -problem.b[j]) / problem.A[j][j] },
    ];
    for (const way of ways) {
      for (const target of [byMatrix(problem, way), byRows(problem, way)]) {
        const found = await run(target, { tolerance: 1e-12 });
        expect(distance(found.x, optimum)).toBeLessThan(1e-10);
      }
    }
  });

  it("are minimised to √ε, the precision of values, if they are plain functions", async () => {
    const rosenbrock = (x: Float64Array) => (1 - x[0]) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2;
    const found = await run(rosenbrock, { tolerance: 1e-7 }, { x0: [-1, 1] });
    expect(found.converged).toBe(true);
    expect(distance(found.x, [1, 1])).toBeLessThan(1e-5);
    const squares = await run(
      (x) => x.reduce((s, v, j) => s + (j + 1) * (v - j) ** 2, 0),
      { tolerance: 1e-6 },
      { x0: [5, 5, 5] },
    );
    expect(distance(squares.x, [0, 1, 2])).toBeLessThan(1e-6);
  });

  it("respect penalties and bounds with values alone", async () => {
    const value = (x: Float64Array) => 0.5 * ((x[0] - 3) ** 2 + (x[1] - 0.5) ** 2 + (x[2] + 4) ** 2);
    const target = coordinateTarget({ dimension: 3, value, l1: 1, lower: [-9, -9, -2] });
    const found = await run(target, {}, { x0: [1, 1, 1] });
    expect(distance(found.x, [2, 0, -2])).toBeLessThan(1e-6);
    expect([found.x[1], found.x[2]]).toEqual([0, -2]);
  });

  it("agree with Newton without a quadratic: logistic loss with a penalty", async () => {
    const { X, y, rows, columns } = problem;
    const margin = (x: Float64Array, i: number) => Math.sign(y[i]) * X[i].reduce((s, v, j) => s + v * x[j], 0);
    const target = (l1: number) =>
      coordinateTarget({
        dimension: columns,
        value: (x) => X.reduce((s, _, i) => s + Math.log1p(Math.exp(-margin(x, i))), 0) / rows,
        partial: (x, j) => X.reduce((s, row, i) => s - (Math.sign(y[i]) * row[j]) / (1 + Math.exp(margin(x, i))), 0) / rows,
        l1,
        l2: 0.01,
      });
    for (const l1 of [0, 0.05]) {
      const { x } = await run(target(l1), { pick: "cyclic", tolerance: 1e-12 });
      // Optimality, from the definition of the subdifferential.
      for (let j = 0; j < columns; j++) {
        const g = target(l1).partial(x, j, new Float64Array(0)) + 0.01 * x[j];
        if (x[j] === 0) expect(Math.abs(g)).toBeLessThanOrEqual(l1);
        else expect(Math.abs(g + l1 * Math.sign(x[j]))).toBeLessThan(1e-11);
      }
    }
  });

  const good: CoordinateTargetOptions = { dimension: 2, value: (x) => x[0] ** 2 + x[1] ** 2, partial: (x, j) => 2 * x[j] };
  const wrong: [string, Partial<CoordinateTargetOptions>, RegExp][] = [
    ["dimension", { dimension: 0 }, /dimension is 0.*\[OPTION_RANGE\]/],
    ["value", { value: undefined as never }, /value is undefined.*\[OPTION_TYPE\]/],
    ["unknown", { gradient: 1 } as object, /unknown option "gradient".*\[OPTION_UNKNOWN\]/],
    ["lengths", { l1: [1, 2, 3] }, /l1 has 3 numbers, but the target has dimension 2 \[TARGET_DIMENSION\]/],
    ["negative curvature", { curvature: (j) => 1 - 2 * j }, /curvature of coordinate 1 is -1.*\[TARGET_CURVATURE\]/],
    ["negative penalty", { l2: [0, -1] }, /l2\[1\] is -1.*\[OPTION_RANGE\]/],
    ["crossed bounds", { lower: 1, upper: [2, 0] }, /lower\[1\] is 1 and upper\[1\] is 0.*\[OPTION_RANGE\]/],
    ["half a residual", { moved: () => {} }, /moved is given without residual.*\[OPTION_MISSING\]/],
    ["half of rows", { rows: 3 }, /rows is given without rowPartial.*\[OPTION_MISSING\]/],
    ["quadratic alone", { quadratic: true }, /quadratic.*\[OPTION_MISSING\]/],
  ];
  it.each(wrong)("refuses a target: %s", (_, changes, message) => {
    expect(() => coordinateTarget({ ...good, ...changes })).toThrow(message);
  });

  it("refuse a start that does not fit", () => {
    expect(() => coordinateProblem(coordinateTarget(good), [1])).toThrow(/x0 has 1 numbers.*\[TARGET_DIMENSION\]/);
    expect(() => coordinateProblem(coordinateTarget({ ...good, lower: 2 }), [3, 1])).toThrow(/x0\[1\] is 1.*\[OPTION_RANGE\]/);
    expect(() => coordinateProblem(coordinateTarget(good), [1, Number.NaN])).toThrow(/x0\[1\] is NaN.*\[OPTION_RANGE\]/);
    expect(() =>
      begin(
        coordinateProblem(() => Number.NaN, [1]),
        {},
      ),
    ).toThrow(/NaN at the start.*\[TARGET_VALUE\]/);
  });

  it("name a coordinate that is not a number or has no minimum", async () => {
    const holed = coordinateTarget({ ...good, partial: (x, j) => (j === 1 && x[0] < 0.5 ? Number.NaN : 2 * x[j]) });
    await expect(run(holed, {}, { x0: [1, 0.25] })).rejects.toThrow(
      /partial\(x, 1\) is NaN at x\[1\] = 0.25.*\[TARGET_PARTIAL\]/,
    );
    const endless = coordinateTarget({
      dimension: 2,
      value: (x) => x[0] ** 2 - x[1],
      partial: (x, j) => (j === 0 ? 2 * x[0] : -1),
    });
    await expect(run(endless, {})).rejects.toThrow(/along coordinate 1.*\[TARGET_UNBOUNDED\]/);
  });
});
