import { describe, expect, it } from "vitest";
import type { SearchState } from "../../../src/search/algorithms/search.ts";
import { simulatedAnnealing } from "../../../src/search/algorithms/simulated-annealing.ts";
import { zScore } from "../../bayes/statistical/p-values.ts";
import { power } from "../../power.ts";
import { advance, median, type Objective, rastrigin, searched, sphere, started } from "./objectives.ts";

const current = (state: SearchState) => Array.from(state.snapshot().tensors.x);
const steps = (state: SearchState) => Array.from(state.snapshot().tensors.steps);

describe("simulatedAnnealing: a move", () => {
  it("changes one coordinate, each in turn, by a normal step", () => {
    const options = { initialTemperature: 1, sweeps: 1e6 };
    const state = started(simulatedAnnealing(options), { start: [3, 4, 5], budget: 1e15 });
    advance(state, () => 0);
    const all: number[] = [];
    for (let move = 0; move < 3000; move++) {
      const x = current(state);
      const [point] = advance(state, () => 0).points;
      expect([...point].map((v, i) => v !== x[i])).toEqual([0, 1, 2].map((i) => i === move % 3));
      expect(current(state)).toEqual([...point]);
      all.push(point[move % 3] - x[move % 3]);
    }
    const mean = all.reduce((a, b) => a + b, 0) / 3000;
    const square = all.reduce((a, b) => a + b * b, 0) / 3000;
    expect(zScore(mean * Math.sqrt(3000))).toBeGreaterThan(1e-5);
    expect(zScore((square - 1) * Math.sqrt(1500))).toBeGreaterThan(1e-5);
  });

  it("accepts a rise Δ with probability exp(−Δ/T), and every fall", () => {
    // Each proposal is Δ above the previous point. False alarms: 3 × 1e-5.
    for (const rise of [0.1, 0.7, 2]) {
      const state = started(simulatedAnnealing({ initialTemperature: 0.7, sweeps: 1e6 }), { start: [0], budget: 1e15 });
      let level = 0;
      advance(state, () => level);
      const moves = 6000;
      let accepted = 0;
      for (let move = 0; move < moves; move++) {
        const [before] = current(state);
        advance(state, () => level + rise);
        if (current(state)[0] === before) continue;
        accepted++;
        level += rise;
      }
      const p = Math.exp(-rise / 0.7);
      expect(zScore((accepted - moves * p) / Math.sqrt(moves * p * (1 - p)))).toBeGreaterThan(1e-5);
      const [point] = advance(state, () => level - 1e-9).points;
      expect(current(state)).toEqual([...point]);
    }
  });

  it("leaves a failed point for any other, and never moves to one", () => {
    const state = started(simulatedAnnealing({ initialTemperature: 1e9 }), { start: [0, 0], budget: 1e6 });
    advance(state, () => Infinity);
    const [there] = advance(state, () => 5).points;
    expect(current(state)).toEqual([...there]);
    for (const failure of [Infinity, Number.NaN]) {
      for (let i = 0; i < 50; i++) advance(state, () => failure);
      expect(current(state)).toEqual([...there]);
    }
  });
});

describe("simulatedAnnealing: temperature and steps", () => {
  it("begins at the standard deviation of the first values", () => {
    const state = started(simulatedAnnealing(), { start: [3, 4] });
    const { points, values } = advance(state, sphere);
    expect(points.length).toBe(20);
    expect([...points[0]]).toEqual([3, 4]);
    const mean = values.reduce((a, b) => a + b, 0) / 20;
    const deviation = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 19);
    expect(state.report().temperature).toBeCloseTo(deviation, 12);
    expect(current(state)).toEqual([...points[values.indexOf(Math.min(...values))]]);
  });

  it("ignores failures among the first values, and waits if they are uninformative", () => {
    const state = started(simulatedAnnealing(), { start: [3] });
    let k = 0;
    advance(state, () => [2, Infinity, 4, Infinity][k++ % 4]);
    expect(state.report().temperature).toBeCloseTo(Math.sqrt(10 / 9), 12);
    const flat = started(simulatedAnnealing({ sweeps: 4 }), { start: [3] });
    advance(flat, () => 1);
    expect(flat.report().temperature).toBe(0);
    let value = 1;
    for (let move = 0; move < 4; move++) advance(flat, () => value++);
    // The values of the stage were 1, 2, 3, 4, and one stage has passed.
    expect(flat.report().temperature).toBeCloseTo(Math.sqrt(5 / 3) * 0.85, 12);
  });

  it("falls to finalTemperature as the evaluations run out", () => {
    const options = { initialTemperature: 5, finalTemperature: 1e-4, sweeps: 5 };
    const state = started(simulatedAnnealing(options), { start: [3, 4], budget: 1000 });
    const { evaluations } = searched(state, sphere, { most: 1000 - 20 });
    expect(evaluations).toBe(980);
    // Stages are 10 moves after the first 20 points, so the last began at 980.
    expect(state.report().temperature).toBeCloseTo(5 * 1e-4 ** 0.98, 12);
  });

  it("cools logarithmically", () => {
    const options = { cooling: "logarithmic", initialTemperature: 5, sweeps: 5 };
    const state = started(simulatedAnnealing(options), { start: [3, 4], budget: 1000 });
    searched(state, sphere, { most: 20 + 10 * 30 });
    expect(state.report().temperature).toBeCloseTo((5 * Math.log(2)) / Math.log(32), 12);
  });

  it("widens successful steps, up to the box, and narrows rejected ones", () => {
    const wide = started(simulatedAnnealing({ initialTemperature: 1, sweeps: 10 }), { start: [0, 0], budget: 1e6 });
    let falling = 0;
    const fall: Objective = () => falling--;
    advance(wide, fall);
    for (let move = 0; move < 20; move++) advance(wide, fall);
    expect(steps(wide)).toEqual([3, 3]);
    expect(wide.report().acceptance).toBe(1);
    for (let move = 0; move < 20 * 30; move++) advance(wide, fall);
    expect(steps(wide)).toEqual([1e6, 1e6]);
    const boxed = started(simulatedAnnealing({ initialTemperature: 1, sweeps: 10 }), {
      start: [0, 0],
      box: [-3, 2],
      budget: 1e6,
    });
    for (let batch = 0; batch <= 20 * 3; batch++) advance(boxed, fall);
    expect(steps(boxed)).toEqual([5, 5]);
    const narrow = started(simulatedAnnealing({ initialTemperature: 1e-3, sweeps: 10 }), { start: [0], budget: 1e6 });
    let k = 0;
    // Three of ten are accepted: the rule gives s ÷ (1 + 5 (0.4 − 0.3)).
    for (let batch = 0; batch <= 10; batch++) advance(narrow, () => (batch === 0 ? 0 : k++ < 3 ? -k : 1e9));
    expect(steps(narrow)[0]).toBeCloseTo(1 / 1.5, 12);
  });

  it("accepts about half of its moves while it cools", () => {
    const state = started(simulatedAnnealing(), { start: [3, 4, 5], budget: 20_000 });
    let sum = 0;
    let stages = 0;
    while (stages < 300) {
      advance(state, sphere);
      const { acceptance } = state.report();
      if (Number.isNaN(acceptance) || state.snapshot().tensors.accepted.some((n) => n > 0)) continue;
      sum += acceptance;
      stages++;
    }
    expect(sum / stages).toBeGreaterThan(0.35);
    expect(sum / stages).toBeLessThan(0.65);
  });
});

describe("simulatedAnnealing: a run", () => {
  it("finds minima, also rugged ones, and in one dimension", () => {
    const run = (f: Objective, start: number[], budget: number) =>
      searched(started(simulatedAnnealing(), { start, box: [-5, 5], budget }), f, { most: budget }).best;
    expect(run(sphere, [3], 2000)).toBeLessThan(1e-6);
    expect(run(sphere, [3, 4, -4, 2, 1], 5000)).toBeLessThan(1e-5);
  });

  it("finds a better minimum than the one it starts in", () => {
    // f is about the sum of squares of the four integers nearest to a minimum. A descent from this start ends near 50.
    const ends = Array.from({ length: power(5, 15) }, (_, seed) => {
      const state = started(simulatedAnnealing(), { start: [4, -3, 3, 4], box: [-5, 5], budget: 20_000, seed });
      return searched(state, rastrigin, { most: 20_000 }).best;
    });
    expect(median(ends)).toBeLessThan(1.1);
    expect(Math.max(...ends)).toBeLessThan(4.1);
  });

  it("starts each stage from the best point, unless it cools logarithmically", () => {
    for (const cooling of ["geometric", "logarithmic"]) {
      const state = started(simulatedAnnealing({ cooling, initialTemperature: 1e9, sweeps: 3 }), { start: [0], budget: 1e9 });
      let k = 0;
      const points = Array.from({ length: 4 }, () => advance(state, () => k++).points);
      const [point] = state.propose();
      // All rises were accepted, so the chain is at the last point, and the first is the best.
      const stands = cooling === "geometric" ? points[0][0] : points[3][0];
      expect(current(state)).toEqual([...stands]);
      expect(point).not.toEqual(stands);
    }
  });

  it("anneals from the best point again while this helps, if evaluations are unlimited", () => {
    const state = started(simulatedAnnealing({ initialTemperature: 10, finalTemperature: 1e-3 }), { start: [3, 4] });
    const rises: number[] = [];
    let last = Infinity;
    for (let batch = 0; state.stopped === null && batch < 100_000; batch++) {
      const { temperature } = state.report();
      if (temperature > last) rises.push(temperature);
      last = temperature;
      advance(state, sphere);
    }
    expect(state.stopped).toBe("3 annealings in a row found nothing better");
    expect(new Set(rises)).toEqual(new Set([10]));
    expect(rises.length).toBeGreaterThanOrEqual(2);
    expect(searched(started(simulatedAnnealing(), { start: [3, 4] }), sphere).best).toBeLessThan(1e-5);
  });

  it("reports why it ends", () => {
    const endOf = (f: Objective, budget?: number) => {
      const state = started(simulatedAnnealing(), { start: [3, 3], budget });
      const { evaluations } = searched(state, f, { most: 10_000 });
      return { stopped: state.stopped, evaluations };
    };
    for (const budget of [undefined, 10_000]) {
      expect(endOf(() => 1, budget)).toEqual({ stopped: "the values no longer differ", evaluations: 20 + 10 * 10 });
      expect(endOf(() => Infinity, budget)).toEqual({ stopped: "no evaluation succeeded", evaluations: 20 + 10 * 10 });
      expect(endOf(() => Number.NaN, budget)).toEqual({ stopped: "no evaluation succeeded", evaluations: 20 + 10 * 10 });
    }
    expect(endOf(sphere, 10_000)).toEqual({ stopped: null, evaluations: 10_000 });
  });

  it("moves to a better injected point", () => {
    for (const batches of [0, 5]) {
      const state = started(simulatedAnnealing(), { start: [30, 30] });
      for (let batch = 0; batch < batches; batch++) advance(state, sphere);
      const before = current(state);
      state.inject?.(Float64Array.of(1, 1), 1e9);
      if (batches) expect(current(state)).toEqual(before);
      state.inject?.(Float64Array.of(0.1, 0), 0.01);
      expect(current(state)).toEqual([0.1, 0]);
    }
  });

  it("resumes bit for bit", () => {
    for (const batches of [0, 1, 7, 21, 500, 2000]) {
      const make = () => started(simulatedAnnealing({ finalTemperature: 1e-2 }), { start: [3, 3] });
      const state = make();
      for (let batch = 0; batch < batches; batch++) advance(state, rastrigin);
      const snapshot = state.snapshot();
      const copy = structuredClone(snapshot);
      const other = make();
      advance(other, sphere);
      other.restore(copy);
      for (let batch = 0; batch < 100; batch++) expect(advance(other, rastrigin)).toEqual(advance(state, rastrigin));
      expect(other.snapshot()).toEqual(state.snapshot());
      const fresh = make();
      fresh.restore(snapshot);
      expect(fresh.snapshot()).toEqual(snapshot);
    }
  });

  it("refuses wrong options", () => {
    expect(() => simulatedAnnealing({ cooling: "fast" })).toThrow(/"geometric" or "logarithmic" \[OPTION_RANGE\]/);
    expect(() => simulatedAnnealing({ initialTemperature: 0 })).toThrow(/initialTemperature is 0.*\[OPTION_RANGE\]/);
    expect(() => simulatedAnnealing({ finalTemperature: 1 })).toThrow(/\[OPTION_RANGE\]/);
    expect(() => simulatedAnnealing({ sweeps: 0.5 })).toThrow(/\[OPTION_RANGE\]/);
    // @ts-expect-error: no such option
    expect(() => simulatedAnnealing({ temperature: 1 })).toThrow(/\[OPTION_UNKNOWN\]/);
  });
});
