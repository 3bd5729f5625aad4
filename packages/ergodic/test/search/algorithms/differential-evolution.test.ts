import { describe, expect, it } from "vitest";
import { differentialEvolution } from "../../../src/search/algorithms/differential-evolution.ts";
import type { SearchState } from "../../../src/search/algorithms/search.ts";
import { advance, ellipsoid, median, type Objective, rastrigin, searched, sphere, started } from "./objectives.ts";

const bases = ["rand", "best"];

/** Members as rows, in order, and their values. */
function population(state: SearchState): { members: number[][]; values: number[] } {
  const { members, values } = state.snapshot().tensors;
  const d = members.length / values.length;
  return {
    members: Array.from(values, (_, i) => Array.from(members.subarray(i * d, (i + 1) * d))),
    values: Array.from(values),
  };
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>) => Array.from(a).every((v, i) => Math.abs(v - b[i]) < 1e-12);

describe("differentialEvolution: a generation", () => {
  it.each(bases)("adds scaled differences of other members to a base: %s", (base) => {
    const options = { base, population: 8, crossover: 1, weightLow: 0.7, weightHigh: 0.7 };
    const basesUsed = new Set<number>();
    // Only the second generation, because later ones contain sums of each other.
    for (let seed = 0; seed < 6; seed++) {
      const state = started(differentialEvolution(options), { start: [3, 1, 2], seed });
      advance(state, sphere);
      const { members, values } = population(state);
      const best = values.indexOf(Math.min(...values));
      for (const [i, trial] of state.propose().entries()) {
        const found: number[][] = [];
        for (let b = 0; b < 8; b++) {
          for (let r = 0; r < 8; r++) {
            for (let s = 0; s < 8; s++) {
              const wanted = members[b].map((v, j) => v + 0.7 * (members[r][j] - members[s][j]));
              if (r !== s && same(trial, wanted)) found.push([b, r, s]);
            }
          }
        }
        expect(found.length).toBe(1);
        const [b, r, s] = found[0];
        expect(new Set([b, r, s]).size).toBe(3);
        expect([r, s]).not.toContain(i);
        if (base === "best") expect(b).toBe(best);
        else expect(b).not.toBe(i);
        basesUsed.add(b);
      }
    }
    if (base === "rand") expect(basesUsed.size).toBe(8);
  });

  it("makes the first generation in parts, and all later ones at once", () => {
    const start = Float64Array.from({ length: 120 }, (_, j) => j);
    const state = started(differentialEvolution(), { start });
    const points: Float64Array[] = [];
    const sizes = [0, 1, 2].map(() => {
      expect(state.stopped).toBeNull();
      const { spread } = state.report();
      expect(spread).toBeUndefined();
      // Constant values, so that the number of equal generations is counted.
      points.push(...advance(state, () => 1).points);
      return points.length;
    });
    expect(sizes).toEqual([500, 1000, 1200]);
    expect(points[0]).toEqual(start);
    expect(new Set(points.map(String)).size).toBe(1200);
    expect(population(state).members).toEqual(points.map((point) => Array.from(point)));
    expect(state.report().spread).toBeGreaterThan(6);
    for (let generation = 2; generation <= 20; generation++) {
      expect(state.stopped).toBeNull();
      expect(advance(state, () => 1).points).toHaveLength(1200);
    }
    expect(state.stopped).toBe("the values no longer differ");
  });

  it("continues from a snapshot within the first generation", () => {
    const made = () => started(differentialEvolution({ population: 1100 }), { start: [1, 2, 3] });
    const [whole, before, after] = [made(), made(), made()];
    advance(before, sphere);
    after.restore(before.snapshot());
    advance(whole, sphere);
    for (let i = 0; i < 4; i++) expect(advance(after, sphere)).toEqual(advance(whole, sphere));
  });

  it("copies from the mutant the share of coordinates set by crossover, at least one", () => {
    const changed = (crossover: number) => {
      const state = started(differentialEvolution({ population: 200, crossover }), { start: new Float64Array(10) });
      advance(state, sphere);
      const { members } = population(state);
      return state.propose().map((trial, i) => trial.filter((v, j) => v !== members[i][j]).length);
    };
    expect(new Set(changed(0))).toEqual(new Set([1]));
    expect(new Set(changed(1))).toEqual(new Set([10]));
    // 1 + 9 · 0.3 = 3.7 on average. The mean of 200 has a standard error of √(9·0.3·0.7/200) = 0.097.
    const counts = changed(0.3);
    expect(Math.abs(counts.reduce((a, b) => a + b, 0) / 200 - 3.7)).toBeLessThan(5 * 0.097);
  });

  it("uses one scale per generation, between the two weights", () => {
    const options = { base: "best", population: 4, crossover: 1, weightLow: 0.25, weightHigh: 0.75 };
    const weights: number[] = [];
    for (let seed = 0; seed < 60; seed++) {
      const state = started(differentialEvolution(options), { start: [5, 4], seed });
      advance(state, sphere);
      const { members, values } = population(state);
      const best = members[values.indexOf(Math.min(...values))];
      // F if u − b and x_r − x_s are parallel.
      const weightOf = (trial: Float64Array) =>
        members
          .flatMap((r) => members.map((s) => [trial[0] - best[0], trial[1] - best[1], r[0] - s[0], r[1] - s[1]]))
          .filter(([a, b, c, d]) => Math.abs(a * d - b * c) < 1e-12 * Math.abs(a * d) && a / c > 0)
          .map(([a, , c]) => a / c);
      const found = state.propose().map(weightOf);
      expect(found.every((one) => one.length === 1 && Math.abs(one[0] - found[0][0]) < 1e-12)).toBe(true);
      weights.push(found[0][0]);
    }
    expect(Math.min(...weights) >= 0.25 && Math.max(...weights) <= 0.75).toBe(true);
    // 60 uniform numbers have a range below 0.8 of the interval with a probability of 2e-5.
    expect(Math.max(...weights) - Math.min(...weights)).toBeGreaterThan(0.8 * 0.5);
  });

  it("keeps mutants that are no worse, and the start at first", () => {
    const state = started(differentialEvolution(), { start: [3, 1] });
    expect([...state.propose()[0]]).toEqual([3, 1]);
    advance(state, sphere);
    for (let g = 0; g < 20; g++) {
      const before = population(state);
      const { points, values } = advance(state, sphere);
      const after = population(state);
      for (let i = 0; i < 20; i++) {
        const taken = values[i] <= before.values[i];
        expect(after.members[i]).toEqual(taken ? [...points[i]] : before.members[i]);
        expect(after.values[i]).toBe(Math.min(values[i], before.values[i]));
      }
    }
  });

  it("never leaves the box, even if the minimum is outside", () => {
    const state = started(differentialEvolution(), { start: [3, 1], box: [0, 4] });
    const corner: Objective = (x) => x[0] - x[1];
    let sides = 0;
    for (let g = 0; g < 60; g++) {
      for (const point of advance(state, corner).points) {
        for (const v of point) expect(v >= 0 && v <= 4).toBe(true);
        if (point[0] === 0 || point[1] === 4) sides++;
      }
    }
    expect(sides).toBe(0);
    const { members } = population(state);
    for (const [x, y] of members) expect(x < 1e-3 && y > 4 - 1e-3).toBe(true);
  });

  it("fills the box evenly at first, or a neighbourhood of the start without a box", () => {
    const first = (box?: readonly [number, number]) =>
      started(differentialEvolution({ population: 2001 }), { start: [30], box })
        .propose()
        .slice(1)
        .map(([v]) => v);
    const boxed = first([20, 60]);
    expect(Math.min(...boxed) >= 20 && Math.max(...boxed) <= 60).toBe(true);
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    // Standard errors are 40/√12/√2000 = 0.26 and 3/√2000 = 0.067. The limits are five of each.
    expect(Math.abs(mean(boxed) - 40)).toBeLessThan(1.3);
    const open = first();
    expect(Math.abs(mean(open) - 30)).toBeLessThan(0.34);
    expect(Math.abs(mean(open.map((v) => (v - 30) ** 2)) / 9 - 1)).toBeLessThan(0.16);
  });
});

describe("differentialEvolution: a run", () => {
  it("finds minima, also rugged ones, and in one dimension", () => {
    for (const base of bases) {
      const ends = [sphere, ellipsoid(1e6)].map((f) => {
        const state = started(differentialEvolution({ base }), { start: [3, 3, 3] });
        return searched(state, f, { target: 1e-10, most: 20_000 }).best;
      });
      for (const end of ends) expect(end).toBeLessThanOrEqual(1e-10);
      const line = started(differentialEvolution({ base }), { start: [3] });
      expect(searched(line, sphere, { target: 1e-10, most: 20_000 }).best).toBeLessThanOrEqual(1e-10);
    }
    const state = started(differentialEvolution({ crossover: 0.5 }), { start: [4, -4, 3, 4], box: [-5, 5] });
    expect(searched(state, rastrigin, { target: 1e-8, most: 60_000 }).best).toBeLessThanOrEqual(1e-8);
  });

  it("is faster around the best member", () => {
    const pace = (base: string) =>
      median(
        Array.from({ length: 7 }, (_, seed) => {
          const state = started(differentialEvolution({ base }), { start: [3, 3, 3, 3, 3], seed });
          return searched(state, sphere, { target: 1e-6 }).evaluations;
        }),
      );
    expect(pace("best")).toBeLessThan(0.6 * pace("rand"));
  });

  it("depends on the order of values alone", () => {
    const trace = (f: Objective) => {
      const state = started(differentialEvolution(), { start: [3, 3] });
      return Array.from({ length: 40 }, () => advance(state, f).points);
    };
    expect(trace((x) => Math.sqrt(sphere(x)) - 7)).toEqual(trace(sphere));
  });

  it("reports why it ends", () => {
    const endOf = (f: Objective) => {
      const state = started(differentialEvolution(), { start: [3, 3] });
      const { evaluations } = searched(state, f);
      return { stopped: state.stopped, evaluations };
    };
    expect(endOf(sphere).stopped).toBe("the population has contracted to a point");
    expect(endOf(() => 1)).toEqual({ stopped: "the values no longer differ", evaluations: 400 });
    expect(endOf(() => Infinity)).toEqual({ stopped: "no evaluation succeeded", evaluations: 400 });
    expect(endOf(() => Number.NaN)).toEqual({ stopped: "no evaluation succeeded", evaluations: 400 });
  });

  it("counts consecutive generations of equal values", () => {
    const state = started(differentialEvolution(), { start: [3, 3] });
    let calls = 0;
    // 15 generations of 1, then one in which a single member falls, then all are equal again.
    const f: Objective = () => {
      calls++;
      return calls <= 300 ? 1 : calls === 301 ? 0.5 : calls <= 320 ? 2 : 0.5;
    };
    expect(searched(state, f).evaluations).toBe(20 * (15 + 1 + 20));
  });

  it("avoids regions that fail", () => {
    const f: Objective = (x) => (x[0] < 1 ? Infinity : sphere(x));
    const run = searched(started(differentialEvolution(), { start: [3, 3] }), f, { most: 10_000 });
    expect(run.best).toBeGreaterThanOrEqual(1);
    expect(run.best).toBeLessThan(1 + 1e-9);
  });

  it("replaces its worst member by a better injected point", () => {
    for (const batches of [0, 3]) {
      const state = started(differentialEvolution(), { start: [30, 30] });
      for (let g = 0; g < batches; g++) advance(state, sphere);
      const worst = Math.max(...population(state).values);
      state.inject?.(Float64Array.of(1e6, 0), Infinity);
      state.inject?.(Float64Array.of(0.1, 0), 0.01);
      const { members, values } = population(state);
      expect(members[values.indexOf(0.01)]).toEqual([0.1, 0]);
      expect(values.filter((v) => v === worst).length).toBeLessThan(20);
      // The first generation does not overwrite the start.
      advance(state, sphere);
      expect(Math.min(...population(state).values)).toBeLessThanOrEqual(0.01);
    }
  });

  it("resumes bit for bit", () => {
    for (let batches = 0; batches < 4; batches++) {
      const make = () => started(differentialEvolution(), { start: [3, 3], box: [-5, 5] });
      const state = make();
      for (let g = 0; g < batches; g++) advance(state, rastrigin);
      const snapshot = state.snapshot();
      const copy = structuredClone(snapshot);
      const other = make();
      advance(other, sphere);
      other.restore(copy);
      for (let g = 0; g < 20; g++) expect(advance(other, rastrigin)).toEqual(advance(state, rastrigin));
      expect(other.snapshot()).toEqual(state.snapshot());
      const fresh = make();
      fresh.restore(snapshot);
      expect(fresh.snapshot()).toEqual(snapshot);
    }
  });

  it("refuses wrong options", () => {
    expect(() => differentialEvolution({ population: 3 })).toThrow(/population is 3.*\[OPTION_RANGE\]/);
    expect(() => differentialEvolution({ weightLow: 0.8, weightHigh: 0.7 })).toThrow(/at most weightHigh, 0.7 \[OPTION_RANGE\]/);
    expect(() => differentialEvolution({ crossover: 1.1 })).toThrow(/\[OPTION_RANGE\]/);
    expect(() => differentialEvolution({ base: "worst" })).toThrow(/\[OPTION_RANGE\]/);
    // @ts-expect-error: no such option
    expect(() => differentialEvolution({ strategy: "rand1bin" })).toThrow(/\[OPTION_UNKNOWN\]/);
  });
});

it("refuses weights above 2 by their own names", () => {
  for (const name of ["weightLow", "weightHigh"])
    expect(() => differentialEvolution({ [name]: 2.5 })).toThrow(`differentialEvolution: ${name} is 2.5, but must be a number`);
  expect(() => differentialEvolution({ weightLow: 2, weightHigh: 2 })).not.toThrow();
});
