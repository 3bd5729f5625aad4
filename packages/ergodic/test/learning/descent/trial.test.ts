/** What a plan on trial begins with, and what it is measured by. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Problem } from "../../../src/engine/contract/index.ts";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import {
  adagrad,
  adam,
  Dataset,
  type FitOptions,
  inverseTimeDecay,
  linear,
  type Rule,
  saga,
  sgd,
  stochasticLineSearch,
  svrg,
} from "../../../src/entries/everything.ts";
import { Descent } from "../../../src/learning/descent/descent.ts";
import { faster } from "../../../src/learning/descent/faster.ts";
import { gradientDescent } from "../../../src/learning/descent/gradient-descent.ts";
import { handOn, sameRows } from "../../../src/learning/descent/hand-on.ts";
import { TrialLoss } from "../../../src/learning/descent/trial-loss.ts";
import { plantedRows } from "../../engine/loop/planted.ts";

let data: Dataset;
let sparse: Dataset;
let engine: Engine;
beforeAll(async () => {
  data = plantedRows({ rows: 6000, columns: 6, classes: 2, format: "dense" }).data;
  sparse = plantedRows({ rows: 6000, columns: 40, classes: 2, format: "sparse", density: 0.1 }).data;
  engine = await openEngine({ families: ["training"] });
});
afterAll(() => {
  data.dispose();
  sparse.dispose();
});

describe("a candidate's trial", () => {
  it.each([
    ["dense", {}, undefined],
    ["a 16-bit model", { precision: { model: "i16" } }, undefined],
    ["float64", { precision: "f64" }, undefined],
    ["a line search", {}, stochasticLineSearch()],
    ["L2 as a scale, on sparse rows", {}, sgd({ rate: 0.3 })],
  ] as [string, FitOptions, Rule | undefined][])(
    "begins where the one lane is, loss and all: %s",
    async (name, options, rule) => {
      const rows = name.includes("sparse") ? sparse : data;
      const plan = resolvePlan("fit", { workers: 2, replicas: 2, ...options }, engine.describe(), { batch: 2 });
      const model = linear({ standardise: false, l2: 0.01 });
      const prepared = model.prepare(rows, plan);
      const problem = model.bind(prepared.dataset, plan, engine) as Problem;
      const replicas = gradientDescent({ rule: rule ?? adam({ rate: 0.01 }) }).start(problem, plan, engine) as Descent;
      const one = new Descent({ ...replicas.parts, plan: { ...plan, workers: 1, replicas: 1 } }, engine);
      const loss = new TrialLoss(one.parts, engine, 500);
      await one.advance(1000);
      // Something to be forgotten.
      await replicas.advance(10);
      handOn(one.snapshot(), replicas, 500);
      const point = [...one.parameters()];
      expect([...replicas.parameters()]).toEqual(point);
      expect(Math.max(...point.map(Math.abs))).toBeGreaterThan(0.01);
      const there = loss.at(one.parameters());
      expect(loss.at(replicas.parameters())).toBe(there);
      expect(there).toBeLessThan(loss.at(new Float64Array(point.length)));
      for (const one of [loss, replicas]) one.dispose();
      one.dispose();
      problem.dispose();
      prepared.dispose();
    },
  );

  it.each([svrg(), saga()])("has the table and the mean of $name, where lanes race", async (variance) => {
    const plan = resolvePlan("fit", { workers: 2 }, engine.describe(), { batch: 1 });
    const model = linear({ standardise: false, l2: 0.01 });
    const prepared = model.prepare(data, plan);
    const problem = model.bind(prepared.dataset, plan, engine) as Problem;
    const racing = gradientDescent({ rule: sgd({ rate: 0.01 }), variance }).start(problem, plan, engine) as Descent;
    const one = new Descent({ ...racing.parts, plan: { ...plan, workers: 1, replicas: 1 } }, engine);
    await one.advance(1000);
    await racing.advance(10);
    handOn(one.snapshot(), racing, 500);
    const [wanted, found] = [one.snapshot().tensors, racing.snapshot().tensors];
    for (const name of ["table", "mean.0", "parameters.0"]) {
      expect([...found[name]]).toEqual([...wanted[name]]);
      expect(wanted[name].some((x) => x !== 0)).toBe(true);
    }
    for (const descent of [one, racing]) descent.dispose();
    problem.dispose();
    prepared.dispose();
  });

  it("takes AdaGrad's sums and the updates of an earlier run by their part, where replicas step faster", async () => {
    const plan = resolvePlan("fit", { workers: 2, replicas: 2 }, engine.describe(), { batch: 1 });
    const model = linear({ standardise: false });
    const prepared = model.prepare(data, plan);
    const problem = model.bind(prepared.dataset, plan, engine) as Problem;
    const quicker = faster(adagrad({ rate: 0.1 }), 2)!;
    const replicas = gradientDescent({ rule: quicker.rule }).start(problem, plan, engine) as Descent;
    const one = new Descent({ ...replicas.parts, plan: { ...plan, workers: 1, replicas: 1 } }, engine);
    one.goOnAfter(301);
    await one.advance(1000);
    const { tensors } = one.snapshot();
    const sums = [...tensors["state.r.0"]].map(Number);
    expect(sums.filter((sum) => sum > 0).length).toBeGreaterThanOrEqual(6);
    for (const its of [quicker, undefined]) {
      handOn(one.snapshot(), replicas, 500, its);
      const found = replicas.snapshot();
      const share = its ? 2 : 1;
      for (const copy of [0, 1]) {
        expect([...found.tensors[`state.r.${copy}`]]).toEqual(sums.map((sum) => sum / share));
        expect([...found.tensors[`parameters.${copy}`]]).toEqual([...tensors["parameters.0"]]);
      }
      expect(found.state.before).toBe(its ? 150 : 301);
    }
    for (const descent of [one, replicas]) descent.dispose();
    problem.dispose();
    prepared.dispose();
  });

  it.each([
    ["shared", 1001],
    [2, 501],
  ] as const)("takes the rates of its own plan from there on: replicas %s, update %i of a lane", async (replicas, update) => {
    const plan = resolvePlan("fit", { workers: 2, replicas }, engine.describe(), { batch: 1 });
    const model = linear({ standardise: false });
    const prepared = model.prepare(data, plan);
    const problem = model.bind(prepared.dataset, plan, engine) as Problem;
    const rule = sgd({ rate: inverseTimeDecay({ rate: 0.1, decay: 0.01 }) });
    const other = gradientDescent({ rule }).start(problem, plan, engine) as Descent;
    const one = new Descent({ ...other.parts, plan: { ...plan, workers: 1, replicas: 1 } }, engine);
    await one.advance(update);
    const { rate } = one.report();
    const again = new Descent(one.parts, engine);
    await again.advance(1000);
    handOn(again.snapshot(), other, 500);
    await other.advance(1);
    expect(other.report().rate).toBe(rate);
    for (const descent of [one, again, other]) descent.dispose();
    problem.dispose();
    prepared.dispose();
  });

  it.each([
    ["shuffled", 2],
    ["blocks", "shared"],
    ["ordered", "shared"],
    ["shuffled", "shared"],
  ] as const)("is of the one lane's rows: %s, replicas %s", async (schedule, replicas) => {
    const count = 60;
    // Row i is unit vector i, so that weights tell which rows were seen.
    using rows = Dataset.fromArrays({
      x: Array.from({ length: count }, (_, i) => Array.from({ length: count }, (__, j) => Number(i === j))),
      y: Array.from({ length: count }, () => 1),
    });
    const plan = resolvePlan(
      "fit",
      { workers: 2, replicas, schedule, ...(schedule === "blocks" ? { blockRows: 4 } : {}) },
      engine.describe(),
      { batch: 1 },
    );
    const model = linear({ standardise: false, intercept: false });
    const prepared = model.prepare(rows, plan);
    const problem = model.bind(prepared.dataset, plan, engine) as Problem;
    const other = gradientDescent({ rule: sgd({ rate: 0.1 }) }).start(problem, plan, engine) as Descent;
    const one = new Descent({ ...other.parts, plan: { ...plan, workers: 1, replicas: 1 } }, engine);
    await one.advance(20);
    const base = one.snapshot();
    const before = one.parameters();
    await one.advance(10);
    const seenBy = (descent: Descent): number[] => [...descent.parameters()].flatMap((p, i) => (p === before[i] ? [] : [i]));
    const wanted = seenBy(one);
    expect(wanted.length).toBe(10);
    handOn(base, other, 10);
    sameRows(one, 20, other, 5);
    while (other.step < 15) await other.advance(15 - other.step);
    expect(seenBy(other)).toEqual(wanted);
    for (const descent of [one, other]) descent.dispose();
    problem.dispose();
    prepared.dispose();
  });

  it("is measured by the objective: loss and penalties on all rows, where there are no more", async () => {
    const small = plantedRows({ rows: 100, columns: 6, classes: 2, format: "dense" });
    const plan = resolvePlan("fit", { precision: "f64" }, engine.describe(), { batch: 1 });
    const model = linear({ standardise: false, l2: 0.3, l1: 0.05, intercept: false });
    const prepared = model.prepare(small.data, plan);
    const problem = model.bind(prepared.dataset, plan, engine) as Problem;
    const descent = gradientDescent({ rule: sgd() }).start(problem, plan, engine) as Descent;
    const loss = new TrialLoss(descent.parts, engine, 4096);
    const w = [0.3, -0.2, 0, 1, 0.5, -1];
    const point = new Float64Array(problem.parameterCount);
    point.set(w);
    const losses = small.entries.map((row, i) => {
      const z = row.reduce((sum, [j, x]) => sum + x * w[j], 0);
      return Math.log1p(Math.exp(small.y[i] > 0 ? -z : z));
    });
    const penalty = w.reduce((sum, p) => sum + 0.05 * Math.abs(p) + 0.15 * p * p, 0);
    expect(loss.at(point)).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 100 + penalty, 10);
    loss.dispose();
    descent.dispose();
    problem.dispose();
    prepared.dispose();
    small.data.dispose();
  });
});
