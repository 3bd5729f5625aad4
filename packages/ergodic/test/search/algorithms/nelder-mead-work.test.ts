/** Nelder–Mead: the rows that an evaluation reads, and the updated centroid compared with one that is summed again. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { search } from "../../../src/search/algorithms/ask-tell.ts";
import { searchRegistry } from "../../../src/search/algorithms/index.ts";
import { nelderMead } from "../../../src/search/algorithms/nelder-mead.ts";
import { drive, open, turn, type Value } from "./drive.ts";

/** Σ (1 + j mod 7) x_j². */
const bowl: Value = (x) => x.reduce((sum, v, j) => sum + (1 + (j % 7)) * v * v, 0);
/** A curved valley. */
const valley: Value = (x) => x.reduce((sum, v, j) => sum + (v - (j > 0 ? x[j - 1] ** 2 : 1)) ** 2, 0);

afterEach(() => vi.restoreAllMocks());

/**
 * The plain algorithm with adaptive coefficients, sorted lists of vertices and centroids summed each time, until it
 * would restart.
 */
function plainPoints(start: readonly number[], f: Value, most: number): number[][] {
  const d = start.length;
  const n = Math.max(d, 2);
  const points: number[][] = [];
  const valued = (x: number[]) => {
    points.push(x);
    return { x, f: f(Float64Array.from(x)) };
  };
  let simplex = [start, ...start.map((_, j) => start.map((v, i) => v + Number(i === j)))].map((x) => valued([...x]));
  const sort = () => {
    simplex = simplex.map((v, i) => ({ ...v, i })).sort((a, b) => a.f - b.f || a.i - b.i);
  };
  sort();
  while (points.length < most) {
    const centroid = start.map((_, j) => simplex.slice(0, d).reduce((sum, { x }) => sum + x[j] / d, 0));
    const worst = simplex[d];
    const along = (t: number) => centroid.map((c, j) => c + t * (c - worst.x[j]));
    const take = (v: { x: number[]; f: number }) => {
      simplex[d] = v;
      sort();
    };
    const one = valued(along(1));
    if (one.f < simplex[0].f) {
      const far = valued(along(1 + 2 / n));
      take(far.f < one.f ? far : one);
    } else if (one.f < simplex[d - 1].f) take(one);
    else {
      const outside = one.f < worst.f;
      const near = valued(along((outside ? 1 : -1) * (0.75 - 0.5 / n)));
      if (outside ? near.f <= one.f : near.f < worst.f) take(near);
      else {
        const [best, ...others] = simplex;
        simplex = [best, ...others.map(({ x }) => valued(x.map((v, j) => best.x[j] + (1 - 1 / n) * (v - best.x[j]))))];
        sort();
      }
    }
  }
  return points.slice(0, most);
}

describe.each([1, 2, 3, 5, 9, 17])("%i coordinates", (d) => {
  test.each([
    ["bowl", bowl],
    ["valley", valley],
  ])("%s: proposes the points of the plain algorithm, up to rounding", (_, f) => {
    const start = Array.from({ length: d }, (_, j) => Math.sin(3 * j) - 1.3);
    // After this many points in a few coordinates the simplex has collapsed.
    const most = d < 3 ? 30 * d : 200;
    const points = drive(open(nelderMead({ restarts: "none" }), start), f, most).points.slice(0, most);
    const plain = plainPoints(start, f, most);
    expect(points.length).toBe(most);
    for (const [i, x] of points.entries())
      for (const [j, v] of x.entries()) expect(Math.abs(v - plain[i][j]), `${i}`).toBeLessThan(1e-8 * (1 + Math.abs(v)));
  });
});

/**
 * The reads of a run with this many single-point updates: rows of the simplex, centroids summed again, and moved
 * numbers.
 */
function work(d: number) {
  const state = open(nelderMead({ restarts: "none" }), new Array<number>(d).fill(1));
  turn(state, bowl);
  const simplex = Object.getPrototypeOf(state) as { vertex(i: number): Float64Array; sumCentre(): void };
  const rows = vi.spyOn(simplex, "vertex");
  const sums = vi.spyOn(simplex, "sumCentre");
  const moved = vi.spyOn(Float64Array.prototype, "copyWithin");
  for (let update = 0; update < 3 * d; update++) expect(turn(state, bowl).points.length).toBe(1);
  const numbers = moved.mock.calls.reduce((sum, [, from, to]) => sum + (to as number) - from, 0);
  const counted = { rows: rows.mock.calls.length / (3 * d), sums: sums.mock.calls.length, numbers: numbers / (3 * d) };
  vi.restoreAllMocks();
  return counted;
}

test.each([20, 100, 400])(
  "an update of %i coordinates reads only a few rows, and sums a centroid once in as many updates",
  (d) => {
    const { rows, sums, numbers } = work(d);
    expect(rows).toBeLessThan(6);
    expect(sums).toBe(3);
    // Only values move.
    expect(numbers).toBeLessThanOrEqual(d);
  },
);

test("forgets the rounding of vertices that were far away", () => {
  const d = 6;
  const far = open(nelderMead({ restarts: "none" }), new Array<number>(d).fill(1e9));
  const { state } = drive(far, (x) => Math.log(1e-12 + bowl(x)), 20_000);
  const { centre, vertices } = state.snapshot().tensors as Record<string, Float64Array>;
  for (let j = 0; j < d; j++) {
    let mean = 0;
    for (let i = 0; i < d; i++) mean += vertices[i * d + j] / d;
    expect(Math.abs(centre[j] - mean)).toBeLessThan(1e-12);
  }
});

test("a wide simplex with nearly equal values is not measured completely at every step", () => {
  const d = 50;
  const state = open(nelderMead({ restarts: "none" }), new Array<number>(d).fill(1));
  const flat: Value = (x) => 1e-13 * bowl(x);
  turn(state, flat);
  const rows = vi.spyOn(Object.getPrototypeOf(state), "vertex");
  for (let update = 0; update < 100; update++) turn(state, flat);
  expect(rows.mock.calls.length).toBeLessThan(1000);
});

test("a snapshot contains the vertices by rank", () => {
  const state = drive(open(nelderMead(), [3, -2, 1, 0.5]), bowl, 60).state;
  while (state.propose().length > 1) turn(state, bowl);
  const { vertices, values } = state.snapshot().tensors as Record<string, Float64Array>;
  expect([...values]).toEqual([...values].sort((a, b) => a - b));
  for (const [i, value] of values.entries()) expect(bowl(vertices.subarray(4 * i, 4 * i + 4))).toBe(value);
});

const pure = Object.entries(searchRegistry)
  .map(([name, { make }]) => ({ name, algorithm: make({}) }))
  .filter(({ algorithm }) => open(algorithm, [1, 2]).proposesPurely);

describe("searches that propose without side effects", () => {
  test("are the listed ones", () => {
    expect(pure.map(({ name }) => name).sort()).toEqual(["nelderMead", "powell"]);
  });

  test.each(pure)("$name proposes without changing its snapshot", ({ algorithm }) => {
    const state = open(algorithm, [-1.2, 1, 0.7]);
    for (let batch = 0; batch < 300 && state.stopped === null; batch++) {
      const before = state.snapshot();
      const points = state.propose();
      expect(state.snapshot()).toEqual(before);
      state.update(points, Float64Array.from(points, valley));
    }
  });

  test.each(pure)("$name is not copied per evaluation, and can be checkpointed between ask and tell", async ({ algorithm }) => {
    let copies = 0;
    const watched = {
      ...algorithm,
      start(...given: Parameters<typeof algorithm.start>) {
        const state = algorithm.start(...given);
        const { snapshot } = state;
        return Object.assign(state, {
          snapshot: () => {
            copies++;
            return snapshot.call(state);
          },
        });
      },
    };
    const asked = search({ x0: [1, 2, 3], algorithm: watched, seed: 1 });
    for (let k = 0; k < 100; k++) for (const { id, x } of asked.ask(1)) asked.tell(id, valley(Float64Array.from(x)));
    expect(copies).toBe(0);
    const waiting = asked.ask(1);
    const other = search({ x0: [1, 2, 3], algorithm, seed: 1 });
    other.restore(asked.snapshot());
    expect(copies).toBe(1);
    for (const one of [asked, other]) for (const { id, x } of waiting) one.tell(id, valley(Float64Array.from(x)));
    expect(other.ask(1)).toEqual(asked.ask(1));
  });
});

test("a restored state proposes the same points again", () => {
  const state = open(nelderMead(), [3, -2, 1, 0.5]);
  for (let batch = 0; batch < 20; batch++) turn(state, bowl);
  const kept = state.snapshot();
  const points = () => Array.from({ length: 40 }, () => turn(state, bowl).points);
  const first = points();
  state.restore(kept);
  expect(points()).toEqual(first);
});
