import { describe, expect, test } from "vitest";
import { nelderMead } from "../../../src/search/algorithms/nelder-mead.ts";
import type { SearchState } from "../../../src/search/algorithms/search.ts";
import { simplexGradient } from "../../../src/search/algorithms/simplex-gradient.ts";
import { drive, open, turn, type Value } from "./drive.ts";

/** Passes these values to the search for the next batch, and returns the batch. */
function answer(state: SearchState, ...values: number[]): number[][] {
  const points = state.propose();
  expect(points.length).toBe(values.length);
  state.update(points, Float64Array.from(values));
  return points.map((x) => [...x]);
}

const next = (state: SearchState) => state.propose().map((x) => [...x]);
const rosenbrock: Value = ([x, y]) => 100 * (y - x * x) ** 2 + (1 - x) ** 2;

describe("one iteration by hand: values 1, 2, 3 at (0, 0), (1, 0), (0, 1), so that c = (½, 0)", () => {
  function begun(): SearchState {
    const state = open(nelderMead(), [0, 0]);
    expect(answer(state, 1, 2, 3)).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
    ]);
    expect(next(state)).toEqual([[1, -1]]);
    return state;
  }

  test("accepts a reflection between the best and the second worst", () => {
    const state = begun();
    answer(state, 1.5);
    expect(next(state)).toEqual([[0, -1]]);
  });

  test("accepts an expansion that is still lower", () => {
    const state = begun();
    answer(state, 0.5);
    expect(answer(state, 0.2)).toEqual([[1.5, -2]]);
    expect(next(state)).toEqual([[0.5, -2]]);
  });

  test("prefers the reflection to an expansion that is not lower", () => {
    const state = begun();
    answer(state, 0.5);
    answer(state, 0.5);
    expect(next(state)).toEqual([[0, -1]]);
  });

  test("contracts outside if the reflection is better than the worst alone", () => {
    const state = begun();
    answer(state, 2.5);
    expect(answer(state, 2.5)).toEqual([[0.75, -0.5]]);
    expect(next(state)).toEqual([[0.25, 0.5]]);
  });

  test("contracts if the reflection equals the second worst", () => {
    const state = begun();
    answer(state, 2);
    expect(next(state)).toEqual([[0.75, -0.5]]);
  });

  test("contracts inside if the reflection is no better than the worst", () => {
    const state = begun();
    answer(state, 3);
    expect(answer(state, 2.9)).toEqual([[0.25, 0.5]]);
    expect(next(state)).toEqual([[0.75, -0.5]]);
  });

  test.each([
    ["outside", 2.5, 2.6],
    ["inside", 3, 3],
    ["inside, of values that failed", Number.NaN, Number.NaN],
  ])("shrinks towards the best in one batch after a failed contraction %s", (_, reflected, contracted) => {
    const state = begun();
    answer(state, reflected);
    answer(state, contracted);
    expect(answer(state, 4, 0.5)).toEqual([
      [0.5, 0],
      [0, 0.5],
    ]);
    // Sorted: (0, ½), (0, 0), (½, 0).
    expect(next(state)).toEqual([[-0.5, 0.5]]);
  });

  test("ranks a new vertex after vertices of the same value", () => {
    const state = begun();
    answer(state, 1);
    // (0, 0), (1, −1), (1, 0): the first remains the best.
    expect(next(state)).toEqual([[0, -1]]);
    answer(state, 9);
    answer(state, 9);
    expect(next(state)).toEqual([
      [0.5, -0.5],
      [0.5, 0],
    ]);
  });
});

describe("coefficients", () => {
  test("are adaptive: in 4 dimensions β = 1.5, γ = 0.625, δ = 0.75", () => {
    const state = open(nelderMead({ adaptive: true }), [0, 0, 0, 0]);
    answer(state, 1, 2, 3, 4, 9);
    expect(answer(state, 0)).toEqual([[0.5, 0.5, 0.5, -1]]);
    expect(answer(state, 0)).toEqual([[0.625, 0.625, 0.625, -1.5]]);
    const other = open(nelderMead(), [0, 0, 0, 0]);
    answer(other, 1, 2, 3, 4, 9);
    answer(other, 9);
    expect(answer(other, 9)).toEqual([[0.25 - 0.15625, 0.25 - 0.15625, 0.25 - 0.15625, 0.625]]);
    expect(next(other)).toEqual([
      [0.75, 0, 0, 0],
      [0, 0.75, 0, 0],
      [0, 0, 0.75, 0],
      [0, 0, 0, 0.75],
    ]);
  });

  test("are classic: 2, ½, ½ in any dimension", () => {
    const state = open(nelderMead({ adaptive: false }), [0, 0, 0, 0]);
    answer(state, 1, 2, 3, 4, 9);
    answer(state, 0);
    expect(answer(state, 0)).toEqual([[0.75, 0.75, 0.75, -2]]);
  });
});

describe("the first simplex", () => {
  const box = (start: number[], low: number, high: number) => next(open(nelderMead(), start, [low, high])).slice(1);

  test("turns away from a near side, and is shortened in a narrow box", () => {
    expect(box([0.5, 0], -5, 0.9)).toEqual([
      [-0.5, 0],
      [0.5, -1],
    ]);
    expect(box([0.1], -0.25, 0.3)[0][0]).toBeCloseTo(-0.25, 15);
  });
});

/**
 * McKinnon 1998: from this simplex every step is an inside contraction. It collapses at 0, where the slope is nonzero.
 */
describe("McKinnon's function, whose minimum is −¼ at (0, −½)", () => {
  const f: Value = ([x, y]) => (x <= 0 ? 360 : 6) * x * x + y + y * y;
  const root = Math.sqrt(33);
  function begun(restarts: string): SearchState {
    const state = open(nelderMead({ restarts }), [0, 0]);
    const kept = state.snapshot();
    kept.tensors.vertices = Float64Array.of(0, 0, (1 + root) / 8, (1 - root) / 8, 1, 1);
    state.restore(kept);
    return state;
  }

  test("none: collapses at a point where the gradient is not 0", () => {
    const { best, state } = drive(begun("none"), f);
    expect(state.stopped).toBe("the simplex has collapsed");
    expect(best.value).toBeGreaterThan(-1e-12);
  });

  test("oriented: escapes before the collapse", () => {
    const driven = drive(begun("oriented"), f, 150);
    expect(driven.best.value).toBeLessThan(-0.2499);
    const end = drive(driven.state, f);
    expect(end.best.value).toBeCloseTo(-0.25, 10);
    expect(end.state.stopped).toBe("the simplex has collapsed, and a new one gains nothing");
  });

  test("repeat: escapes after the collapse with a simplex of full size", () => {
    const { best, state } = drive(begun("repeat"), f);
    expect(best.value).toBeCloseTo(-0.25, 10);
    expect(state.report().restarts).toBe(2);
  });
});

describe("termination", () => {
  test("stops on a flat function after the first simplex, a reflection, a contraction and a shrink", () => {
    const { state, values } = drive(open(nelderMead({ restarts: "none" }), [1, 2, 3]), () => 7);
    expect(state.stopped).toBe("the simplex has collapsed");
    expect(values.length).toBe(4 + 1 + 1 + 3);
  });

  test("stops on a function without values", () => {
    const { state, values } = drive(open(nelderMead(), [1, 2, 3]), () => Number.NaN);
    expect(state.stopped).not.toBe(null);
    expect(values.length).toBeLessThan(50);
  });

  test("does not treat equal values at the first vertices as a plateau", () => {
    const { best } = drive(open(nelderMead({ restarts: "none" }), [-0.5, -0.5]), ([x, y]) => x * x + y * y);
    expect(best.value).toBeLessThan(1e-10);
  });

  test("works in one dimension", () => {
    const { best, state } = drive(open(nelderMead(), [10]), ([x]) => Math.cosh(x - 0.3));
    expect(state.stopped).not.toBe(null);
    expect(best.point[0]).toBeCloseTo(0.3, 6);
  });

  test("avoids a half-plane without values", () => {
    const { best } = drive(open(nelderMead(), [2, 2]), (x) => (x[0] + x[1] < 1 ? Number.NaN : rosenbrock(x)));
    expect(best.value).toBeLessThan(1e-9);
  });

  test("fresh: never stops, begins within the box, and finds the better of two valleys", () => {
    const f: Value = ([x]) => Math.min((x + 3) ** 2 + 1, 50 * (x - 4) ** 2);
    const { best, state, points } = drive(open(nelderMead({ restarts: "fresh" }), [-3], [-5, 5]), f, 3000);
    expect(state.stopped).toBe(null);
    expect(best.value).toBeLessThan(1e-9);
    expect(state.report().restarts).toBeGreaterThan(3);
    expect(points.length).toBe(3000);
  });
});

describe("snapshots", () => {
  test.each(["none", "repeat", "oriented", "fresh"])(
    "%s: resumes after every batch with the same result as an uninterrupted run",
    (restarts) => {
      const algorithm = nelderMead({ restarts });
      // A rough function, so that the simplex shrinks too.
      const f: Value = (x) => rosenbrock(x) + Math.abs(Math.sin(1e4 * x[2] + 1e3 * x[1])) + (x[0] > 1.5 ? Number.NaN : 0);
      const start = [-1.2, 1, 0.7];
      const alone = drive(open(algorithm, start, [-5, 5]), f, 1500);
      let state = open(algorithm, start, [-5, 5]);
      const handed: number[] = [];
      const sizes = new Set<number>();
      while (state.stopped === null && handed.length < 1500) {
        const other = open(algorithm, start, [-5, 5]);
        other.restore(structuredClone(state.snapshot()));
        expect(other.propose()).toEqual(state.propose());
        state = other;
        const { points } = turn(state, f);
        sizes.add(points.length);
        for (const x of points) handed.push(...x);
      }
      expect(handed.slice(0, 4500)).toEqual(alone.points.flatMap((x) => [...x]).slice(0, handed.length));
      expect([...sizes].sort()).toEqual([1, 3, 4]);
    },
  );

  test("are copies", () => {
    const state = open(nelderMead(), [1, 2]);
    const before = state.snapshot();
    const copy = structuredClone(before);
    turn(state, rosenbrock);
    expect(before).toEqual(copy);
  });
});

test("the simplex gradient of a linear function is its slope", () => {
  const slope = [2, -3, 0.5];
  const vertices = Float64Array.of(1, 2, 3, 1, 2, 4, -1, 0, 0, 5, 1, 2);
  const values = Float64Array.from({ length: 4 }, (_, i) => slope.reduce((sum, s, j) => sum + s * vertices[3 * i + j], 7));
  for (const [j, v] of simplexGradient(vertices, values, 3).entries()) expect(v).toBeCloseTo(slope[j], 13);
});

test.each([
  [{ restarts: "often" }, "OPTION_RANGE"],
  [{ pointTolerance: -1 }, "OPTION_RANGE"],
  [{ adaptative: true }, "OPTION_UNKNOWN"],
])("refuses %o", (options, code) => {
  expect(() => nelderMead(options as object)).toThrow(code);
});
