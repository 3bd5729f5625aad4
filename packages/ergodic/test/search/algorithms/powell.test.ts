import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beginLine, learnLine, newLine, Stage } from "../../../src/search/algorithms/line-search.ts";
import { powell } from "../../../src/search/algorithms/powell.ts";
import { drive, open, turn, type Value } from "./drive.ts";

function search(phi: (t: number) => number, firstStep: number, tolerance = 1e-6) {
  const line = newLine();
  const asked: number[] = [];
  beginLine(line, phi(0), firstStep);
  while (line.stage !== Stage.done) {
    asked.push(line.at);
    learnLine(line, phi(line.at), tolerance);
  }
  return { line, asked };
}

describe("line searches", () => {
  const golden = (1 + Math.sqrt(5)) / 2;

  test("solve a parabola by golden growth to a bracket and its vertex", () => {
    const { line, asked } = search((t) => (t - 3) ** 2, 1);
    expect(asked.length).toBe(4);
    for (const [i, t] of [1, 1 + golden, 1 + golden + golden ** 2, 3].entries()) expect(asked[i]).toBeCloseTo(t, 13);
    expect(line.best).toBeCloseTo(3, 13);
  });

  test("turn around if the first step climbs", () => {
    const { line, asked } = search((t) => (t + 0.5) ** 2, 1);
    expect(asked[1]).toBeCloseTo(-golden, 13);
    expect(line.best).toBeCloseTo(-0.5, 12);
  });

  test("end after two values on a flat line, and after a hundred on a line that falls for ever", () => {
    expect(search(() => 1, 1).asked.length).toBe(2);
    const { line, asked } = search((t) => -t, 1);
    expect(asked.length).toBe(100);
    expect(line.best).toBe(asked[99]);
  });

  test("treat failed values as too high", () => {
    const { line } = search((t) => (t > 2 || t < -1 ? Infinity : (t - 1.9) ** 2), 1);
    expect(line.best).toBeCloseTo(1.9, 4);
  });

  test("find the minimum of any |t − a|^p to the tolerance, never above φ(0)", () => {
    const shapes = fc.tuple(fc.double({ min: -50, max: 50, noNaN: true }), fc.double({ min: 0.5, max: 4, noNaN: true }));
    fc.assert(
      fc.property(shapes, fc.constantFrom(-1, 0.01, 1, 30), ([a, p], step) => {
        const phi = (t: number) => Math.abs(t - a) ** p;
        const { line } = search(phi, step, 1e-6);
        expect(line.bestValue).toBe(phi(line.best));
        expect(line.bestValue).toBeLessThanOrEqual(phi(0));
        // A flat power hides a: within ε^(1/p) its values are equal up to rounding.
        const hidden = 1e-15 ** (1 / Math.max(p, 1)) * Math.max(1, Math.abs(a));
        expect(Math.abs(line.best - a)).toBeLessThan(4e-6 * Math.max(Math.abs(a), Math.abs(step)) + 20 * hidden);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

const coupled =
  (d: number): Value =>
  (x) => {
    let sum = 0;
    for (let i = 0; i < d; i++) sum += (i + 1) * (x[i] - 1) ** 2 + (i > 0 ? 0.9 * (x[i] - 1) * (x[i - 1] - 1) : 0);
    return sum;
  };

describe("quadratics", () => {
  test.each([1, 2, 5, 10, 20])("minimises a separable one in %i dimensions by one line each, with four or five values", (d) => {
    const f: Value = (x) => x.reduce((sum, v, i) => sum + (i + 1) * (v - 1.5) ** 2, 0);
    const { best } = drive(open(powell(), new Float64Array(d)), f, 1 + 5 * d);
    expect(best.value).toBeLessThan(1e-20);
  });

  test.each([2, 3, 5, 8])("minimises a coupled one in %i dimensions by conjugate directions, within 2d iterations", (d) => {
    const state = open(powell({ lineTolerance: 1e-8 }), new Float64Array(d));
    let least = Infinity;
    while (state.report().iterations < 2 * d) least = Math.min(least, ...turn(state, coupled(d)).values);
    expect(least).toBeLessThan(1e-15);
  });

  test("beats a search along the axes alone if the axes are unsuitable", () => {
    const f: Value = ([x, y]) => (x + y - 2) ** 2 + 1e-4 * (x - y) ** 2;
    const { values } = drive(open(powell(), [5, -3]), f, 100);
    expect(Math.min(...values)).toBeLessThan(1e-12);
  });
});

describe("termination", () => {
  test("stops on a flat function", () => {
    const { state, values } = drive(open(powell(), [1, 2]), () => 7);
    expect(state.stopped).toBe("an iteration along the axes gained nothing");
    expect(values.length).toBeLessThan(50);
  });

  test("stops on a function without values", () => {
    const { state, values } = drive(open(powell({ restarts: "none" }), [1, 2]), () => Number.NaN);
    expect(state.stopped).toBe("an iteration gained nothing");
    expect(values.length).toBeLessThan(50);
  });

  test("finds the minimum next to a half-plane without values", () => {
    const { best } = drive(open(powell(), [2, 2]), ([x, y]) =>
      x + y < 0.5 ? Number.NaN : (x - 1) ** 2 + (y - 0.2) ** 2 + 0.3 * x * y,
    );
    // ∇ = (2(x − 1) + 0.3y, 2(y − 0.2) + 0.3x) = 0
    const y = (0.4 - 0.3) / (2 - 0.045);
    expect(best.point[0]).toBeCloseTo(1 - 0.15 * y, 5);
    expect(best.point[1]).toBeCloseTo(y, 5);
  });

  test("works in one dimension", () => {
    const { best, state } = drive(open(powell(), [10]), ([x]) => Math.cosh(x - 0.3));
    expect(state.stopped).not.toBe(null);
    expect(best.point[0]).toBeCloseTo(0.3, 6);
  });

  test("searches the lines more finely at kinks before it stops", () => {
    const { best } = drive(open(powell({ restarts: "none" }), [1, 2, -1]), (x) =>
      x.reduce((sum, v) => sum + Math.abs(v - 0.3), 0),
    );
    expect(best.value).toBeLessThan(1e-8);
  });

  test("repeat: escapes a small dent by full steps along the axes", () => {
    const f: Value = ([x]) => x * x - 0.02 * Math.cos(40 * x);
    const start = [(2 * Math.PI) / 40];
    const once = drive(open(powell({ restarts: "none" }), start), f);
    const again = drive(open(powell({ restarts: "repeat" }), start), f);
    expect(again.best.value).toBeLessThanOrEqual(once.best.value);
    expect(again.state.report().restarts).toBeGreaterThan(0);
  });

  test("fresh: never stops, and finds the better of two valleys", () => {
    const f: Value = ([x]) => Math.min((x + 3) ** 2 + 1, 50 * (x - 4) ** 2);
    const { best, state } = drive(open(powell({ restarts: "fresh" }), [-3], [-5, 5]), f, 3000);
    expect(state.stopped).toBe(null);
    expect(best.value).toBeLessThan(1e-9);
  });
});

test.each(["none", "repeat", "fresh"])("%s: resumes after every value like an uninterrupted run", (restarts) => {
  const algorithm = powell({ restarts });
  const f: Value = ([x, y, z]) => 100 * (y - x * x) ** 2 + (1 - x) ** 2 + Math.abs(z) + (x > 1.5 ? Number.NaN : 0);
  const start = [-1.2, 1, 0.7];
  const alone = drive(open(algorithm, start, [-5, 5]), f, 2500);
  let state = open(algorithm, start, [-5, 5]);
  const handed: Float64Array[] = [];
  while (state.stopped === null && handed.length < 2500) {
    const other = open(algorithm, start, [-5, 5]);
    other.restore(structuredClone(state.snapshot()));
    expect(other.propose()).toEqual(state.propose());
    state = other;
    handed.push(...turn(state, f).points);
  }
  expect(handed).toEqual(alone.points);
  expect(state.stopped).toBe(alone.state.stopped);
  if (restarts !== "none") expect(state.report().restarts).toBeGreaterThan(0);
});

test.each([
  [{ restarts: "oriented" }, "OPTION_RANGE"],
  [{ lineTolerance: 0 }, "OPTION_RANGE"],
  [{ tolerance: 1 }, "OPTION_UNKNOWN"],
])("refuses %o", (options, code) => {
  expect(() => powell(options as object)).toThrow(code);
});
