/** Descent that chooses how workers share its updates, on a clock that tests set; and `fit`, which lets it choose where nobody else did. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject, Plan, Problem } from "../../../src/engine/contract/index.ts";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import type { Engine } from "../../../src/engine/memory/engine.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import {
  adagrad,
  adam,
  Dataset,
  type FitOptions,
  fit,
  inverseTimeDecay,
  type LinearOptions,
  lbfgs,
  linear,
  polyak,
  type Rule,
  type RuleJson,
  ruleFromJson,
  saga,
  sgd,
  svrg,
  type Variance,
} from "../../../src/entries/everything.ts";
import type { Descent } from "../../../src/learning/descent/descent.ts";
import { gradientDescent } from "../../../src/learning/descent/gradient-descent.ts";
import { ROUNDS, type Sharing } from "../../../src/learning/descent/plan-choice.ts";
import { choosing, type PlanTrials } from "../../../src/learning/descent/plan-trials.ts";
import { stretchOf } from "../../../src/learning/descent/stretch-length.ts";
import { plantedRows } from "../../engine/loop/planted.ts";

const ROWS = 6000;
let data: Dataset;
let sparse: Dataset;
/** An epoch takes long enough to be measured. */
let long: Dataset;
let engine: Engine;
beforeAll(async () => {
  data = plantedRows({ rows: ROWS, columns: 6, classes: 2, format: "dense" }).data;
  sparse = plantedRows({ rows: ROWS, columns: 40, classes: 2, format: "sparse", density: 0.1 }).data;
  long = plantedRows({ rows: 60_000, columns: 40, classes: 2, format: "sparse", density: 0.2 }).data;
  engine = await openEngine({ families: ["training"] });
});
afterAll(() => {
  data.dispose();
  sparse.dispose();
  long.dispose();
});

interface Made {
  readonly trials: PlanTrials;
  readonly one: Descent;
  readonly chosen: () => JsonObject | undefined;
  readonly calls: () => number;
  dispose(): void;
}

interface Settings {
  /** Microseconds of an update. */
  readonly cost?: Partial<Record<Sharing, number | ((rounds: number) => number)>>;
  readonly options?: FitOptions;
  readonly model?: LinearOptions;
  readonly rule?: Rule;
  readonly variance?: Variance;
  readonly rows?: Dataset;
  readonly epochs?: number;
  /** Parameters that the run begins with. */
  readonly start?: Float64Array;
  /** What the descent begins with, where it was chosen before. */
  readonly chosen?: Plan;
  /** In the place of the model's own. */
  readonly derivativesPerRow?: undefined;
}

const per: Record<Sharing, number> = { "one lane": 50, replicas: 50, racing: 50 };

/** Trials on an engine whose clock moves by what updates of each kind are said to cost. */
function made(settings: Settings): Made {
  const { cost, options, model, rule = sgd({ rate: 0.003 }), variance, rows = data, epochs = 40, chosen: before } = settings;
  let clock = 0;
  let threads = 0;
  const run: Engine["run"] = async (calls, given) => {
    if (given.workers > 1) threads++;
    // Of threads that start, nobody knows when.
    if (calls[0].kernel === "shuffle") return [];
    const results = await engine.run(calls, given);
    // Racing lanes have the same parameters.
    const steps = calls.filter(({ kernel }) => kernel === "descend");
    const parameters = new Set(steps.map(({ args }) => engine.memory.u32(args[0] + field.LANE_PARAMETERS, 1)[0]));
    const kind: Sharing = given.workers === 1 ? "one lane" : parameters.size === 1 ? "racing" : "replicas";
    const updates = steps.reduce((sum, { args }) => sum + args[3], 0);
    const micros = cost?.[kind] ?? per[kind];
    clock += (updates * (typeof micros === "number" ? micros : micros(trials.rounds.length))) / 1000;
    return results;
  };
  const timed: Engine = Object.assign(Object.create(engine) as Engine, { run });
  const plan = resolvePlan("fit", { workers: 2, ...options }, engine.describe(), { batch: 1 });
  const made = linear({ standardise: false, l2: 1e-3, ...model });
  const prepared = made.prepare(rows, plan);
  const problem = Object.assign(made.bind(prepared.dataset, plan, timed) as Problem, settings.start && { start: settings.start });
  const alone = before ?? { ...plan, workers: 1, replicas: 1 };
  const one = gradientDescent({ rule, ...(variance ? { variance } : {}) }).start(problem, alone, timed) as Descent;
  if ("derivativesPerRow" in settings) {
    const target = Object.create(one.parts.target, { derivativesPerRow: { value: undefined } });
    Object.assign(one.parts, { target });
  }
  let chosen: JsonObject | undefined;
  const settle = (its: JsonObject): void => {
    chosen = its;
  };
  const trials = choosing(one, plan, timed, { until: { epochs }, settle, now: () => clock }) as PlanTrials;
  return {
    trials,
    one,
    chosen: () => chosen,
    calls: () => threads,
    dispose() {
      trials.dispose();
      problem.dispose();
      prepared.dispose();
    },
  };
}

/** Goes on until the plan is chosen, as the loop does: in pieces that do not pass the end of an epoch. */
async function settled({ trials, chosen }: Made, most = 3 * ROWS): Promise<JsonObject> {
  for (let steps = 1; !chosen() && trials.step < most; steps = Math.min(400, 4 * steps)) {
    const left = trials.stepsPerEpoch - (trials.step % trials.stepsPerEpoch);
    await trials.advance(Math.min(steps, left));
    // Threads are said to have started.
    await Promise.resolve();
  }
  return chosen()!;
}

const planOf = (chosen: JsonObject): Pick<Plan, "workers" | "replicas"> => chosen.plan as unknown as Plan;
const choiceOf = (chosen: JsonObject) =>
  chosen.planChoice as {
    why: string;
    rounds: number;
    measured: { replicas: unknown; updatesPerSecond: number; fallPerUpdate: number }[];
  };

describe("trials on a clock", () => {
  it.each([
    ["racing, where it makes 2.5 updates in the time of one", { racing: 20, replicas: 60 }, { workers: 2, replicas: "shared" }],
    ["replicas, where they make 5", { racing: 60, replicas: 10 }, { workers: 2, replicas: 2 }],
    ["one lane, where both are slower", { racing: 60, replicas: 60 }, { workers: 1, replicas: 1 }],
    ["one lane, where racing is as fast", { racing: 50, replicas: 60 }, { workers: 1, replicas: 1 }],
  ] as const)("take %s", async (_, cost, wanted) => {
    const one = made({ cost });
    const chosen = await settled(one);
    expect(planOf(chosen)).toMatchObject(wanted);
    const { rounds, measured, why } = choiceOf(chosen);
    // What a run is resumed by.
    const rule = sgd({ rate: 2 * 0.003 }).toJSON();
    expect(chosen.algorithm).toEqual(wanted.replicas === 2 ? { algorithm: "gradientDescent", rule } : undefined);
    expect(/each replica steps at 2 times the rate/.test(why)).toBe(wanted.replicas === 2);
    expect(rounds).toBe(ROUNDS);
    expect(measured.map(({ replicas }) => replicas)).toEqual([1, 2, "shared"]);
    const speeds = [per["one lane"], cost.replicas, cost.racing].map((micros) => 1e6 / micros);
    for (const [i, { updatesPerSecond }] of measured.entries()) expect(updatesPerSecond / speeds[i]).toBeCloseTo(1, 6);
    one.dispose();
  });

  it.each([
    ["are taken once they were faster in three of four", [0, 1], 2, 8],
    ["are not if they were faster in six of nine", [0, 1, 7], 1, 9],
    ["are not tried again if they are slower by the median", [0, 2, 3], 1, 5],
  ] as const)("replicas that are slower in some rounds %s", async (_, slow, replicas, rounds) => {
    const one = made({ cost: { racing: 60, replicas: (done) => (slow.some((round) => round === done) ? 80 : 20) }, epochs: 200 });
    const chosen = await settled(one, 20 * ROWS);
    expect(planOf(chosen)).toMatchObject({ replicas });
    const its = choiceOf(chosen);
    expect([its.rounds, its.measured.length]).toEqual([rounds, 3]);
    one.dispose();
  });

  it("of updates that bring as much by theory ask for speed, where noise decides what a stretch brings; of others they do not", async () => {
    const rule = sgd({ rate: inverseTimeDecay({ rate: 0.03, decay: 1e-4 }) });
    const taken = async (settings: Settings): Promise<unknown> => {
      const one = made({ rule, ...settings });
      const { replicas } = planOf(await settled(one, 40 * ROWS));
      one.dispose();
      return replicas;
    };
    expect(await taken({ cost: { racing: 60, replicas: 30 } })).toBe(2);
    const noisy = inverseTimeDecay({ rate: 0.15, decay: 1e-4 });
    expect(await taken({ cost: { racing: 30, replicas: 60 }, rule: sgd({ rate: noisy }) })).toBe("shared");
    // Replicas at the rate of one lane: their mean moves half as far, which is little of what was gained by then.
    const slowly = { rule: sgd({ rate: inverseTimeDecay({ rate: 3e-4, decay: 1e-6 }) }), epochs: 400 };
    expect(await taken({ ...slowly, cost: { racing: 60, replicas: 30 } })).toBe(2);
    expect(await taken({ ...slowly, cost: { racing: 60, replicas: 30 }, derivativesPerRow: undefined })).toBe(1);
  });

  it("hold what is behind against what the objective is, where it fell by many times as much", async () => {
    const start = new Float64Array(7).fill(5);
    const one = made({ rule: sgd({ rate: 0.3 }), cost: { racing: 60, replicas: 30 }, start });
    expect(planOf(await settled(one)).replicas).toBe(1);
    one.dispose();
  });

  it("take replicas that are a little behind where steps become shorter, not where they stay as long", async () => {
    for (const [rate, replicas] of [
      [inverseTimeDecay({ rate: 0.3, decay: 1e-4 }), 2],
      [0.3, 1],
    ] as const) {
      const one = made({ rule: sgd({ rate }), cost: { racing: 60, replicas: 30 } });
      expect(planOf(await settled(one)).replicas).toBe(replicas);
      one.dispose();
    }
  });

  it.each([
    ["racing that is far too slow, after two rounds", { racing: 110, replicas: 30 }, 2, 5, 2],
    ["both, and are over", { racing: 110, replicas: 120 }, 1, 2, 2],
    ["nothing that makes more than half of the updates", { racing: 95, replicas: 30 }, 2, 5, 5],
  ] as const)("give up %s", async (_, cost, replicas, rounds, ofRacing) => {
    const one = made({ cost, epochs: 200 });
    const chosen = await settled(one, 20 * ROWS);
    expect([planOf(chosen).replicas, choiceOf(chosen).rounds]).toEqual([replicas, rounds]);
    expect(one.trials.rounds.filter(({ racing }) => racing).length).toBe(ofRacing);
    one.dispose();
  });

  it("ask no more once that has taken its share of the run", async () => {
    const slow = [2, 3];
    const one = made({ cost: { racing: 97, replicas: (done) => (slow.includes(done) ? 98 : 25) }, epochs: 20 });
    const chosen = await settled(one, 20 * ROWS);
    // In an eighth round they would have been faster in three of four.
    expect([choiceOf(chosen).rounds, planOf(chosen).replicas]).toEqual([7, 1]);
    one.dispose();
  });

  it("count what was gained from where the run began: of one that begins where it would end, the falls must tell", async () => {
    const rule = sgd({ rate: inverseTimeDecay({ rate: 0.03, decay: 1e-4 }) });
    const settings: Settings = { cost: { racing: 60, replicas: 30 }, rule };
    const first = made(settings);
    expect(planOf(await settled(first))).toMatchObject({ replicas: 2 });
    while (first.trials.step < 40 * first.trials.stepsPerEpoch) await first.trials.advance(1000);
    const start = first.trials.parameters();
    first.dispose();
    const again = made({ ...settings, start });
    expect([...again.one.parameters()]).toEqual([...new Float32Array(start)]);
    expect(planOf(await settled(again))).toMatchObject({ replicas: 1 });
    again.dispose();
  });

  it("begin when a thirtieth of the run is over, of one whose end is known", async () => {
    for (const [epochs, first] of [
      [40, 40 / 30],
      [90, 3],
    ]) {
      const one = made({ cost: { racing: 60, replicas: 60 }, epochs });
      let before = 0;
      while (one.trials.updates === one.one.step) {
        before = one.one.step;
        await one.trials.advance(100);
        await Promise.resolve();
      }
      // In the next step the first stretch that is discarded was made.
      expect(before).toBeGreaterThanOrEqual(first * ROWS);
      expect(before).toBeLessThan((first + 0.3) * ROWS);
      one.dispose();
    }
    const one = made({ cost: { racing: 60, replicas: 60 }, epochs: Infinity });
    while (one.trials.updates === one.one.step) {
      await one.trials.advance(100);
      await Promise.resolve();
    }
    expect(one.trials.step).toBeLessThan(0.5 * ROWS);
    one.dispose();
  });

  it("leave one lane's run as it is, bit for bit; what they made counts as updates, not as steps", async () => {
    const one = made({ cost: { racing: 60, replicas: 60 }, rows: sparse, rule: adam({ rate: 0.01 }) });
    const chosen = await settled(one);
    expect(planOf(chosen)).toMatchObject({ workers: 1, replicas: 1 });
    const { trials } = one;
    const alone = made({ options: { workers: 1 }, rows: sparse, rule: adam({ rate: 0.01 }) });
    for (const descent of [trials, alone.one]) while (descent.step < 3 * ROWS) await descent.advance(3 * ROWS - descent.step);
    expect([...trials.parameters()]).toEqual([...alone.one.parameters()]);
    const { measured, rounds } = choiceOf(chosen);
    expect([measured.length, rounds]).toEqual([3, ROUNDS]);
    const discarded = trials.updates - alone.one.updates;
    expect(discarded).toBeGreaterThan(2 * ROUNDS);
    // At most a twentieth of the run, and one step of each candidate before it is timed.
    expect(discarded).toBeLessThanOrEqual(0.05 * 40 * ROWS + 4);
    one.dispose();
    alone.dispose();
  });

  it.each([
    ["racing", { racing: 10, replicas: 60 }],
    ["replicas", { racing: 60, replicas: 5 }],
  ] as const)("hand the one lane's parameters and state on to %s, no farther in the epoch", async (sharing, cost) => {
    const one = made({ cost, rule: adagrad({ rate: 0.1 }) });
    const { trials } = one;
    let [before, at] = [trials.parameters(), 0];
    let steps = 1;
    while (!one.chosen()) {
      [before, at] = [trials.parameters(), trials.step / trials.stepsPerEpoch];
      await trials.advance(steps);
      steps = Math.min(400, 4 * steps);
    }
    expect(planOf(one.chosen()!).replicas).toBe(sharing === "racing" ? "shared" : 2);
    expect([...trials.parameters()]).toEqual([...before]);
    const now = trials.step / trials.stepsPerEpoch;
    expect(now).toBeLessThanOrEqual(at);
    expect(now).toBeGreaterThan(at - 1 / trials.stepsPerEpoch);
    expect(trials.stepsPerEpoch).toBe(ROWS / 2);
    // AdaGrad's sums are the one lane's: begun anew, its steps would be many times as large.
    await trials.advance(1);
    const moved = Math.max(...trials.parameters().map((p, i) => Math.abs(p - before[i])));
    expect(moved).toBeGreaterThan(0);
    expect(moved).toBeLessThan(0.02);
    one.dispose();
  });

  it("average replicas as often as takes a fiftieth of the time, and resume them to the same bytes", async () => {
    const settings: Settings = {
      cost: { racing: 60, replicas: 5 },
      rows: sparse,
      rule: adagrad({ rate: inverseTimeDecay({ rate: 0.1, decay: 1e-4 }) }),
    };
    const one = made(settings);
    const { plan, algorithm } = (await settled(one)) as unknown as { plan: Plan; algorithm: { rule: RuleJson } };
    // An epoch of 3000 steps of 50 µs; an average of 41 parameters and their sums takes about 0.1 ms.
    expect(plan.averageEvery).toBe(1 / Math.floor(0.15 / ((1e-4 + 3e-9 * 2 * 2 * 41) / 0.02)));
    expect(algorithm.rule).toEqual(adagrad({ rate: inverseTimeDecay({ rate: Math.SQRT2 * 0.1, decay: 2e-4 }) }).toJSON());
    expect(choiceOf(one.chosen()!).why).toMatch(/; each replica steps at 1\.41 times the rate$/);
    const { trials } = one;
    const to = async (descent: { step: number; advance(steps: number): Promise<unknown> }, step: number): Promise<void> => {
      while (descent.step < step) await descent.advance(step - descent.step);
    };
    await to(trials, trials.step + 777);
    const kept = trials.snapshot();
    const end = trials.step + 4000;
    await to(trials, end);
    // As a checkpoint's plan and rule make it.
    const again = made({ ...settings, options: { ...plan }, rule: ruleFromJson(algorithm.rule), chosen: plan });
    again.one.restore(kept);
    await to(again.one, end);
    expect(again.one.snapshot()).toEqual(trials.snapshot());
    expect([...again.one.parameters()]).toEqual([...trials.parameters()]);
    again.dispose();
    one.dispose();
  });

  it("take no faster replicas of a model that is not linear", async () => {
    const one = made({ cost: { racing: 60, replicas: 5 }, derivativesPerRow: undefined });
    const chosen = await settled(one);
    expect(planOf(chosen)).toMatchObject({ workers: 2, replicas: 2 });
    expect(chosen).not.toHaveProperty("algorithm");
    expect(choiceOf(chosen).why).not.toMatch(/each replica/);
    one.dispose();
  });

  it("compare candidates on the same rows, of which each moves a weight of its own here", async () => {
    const count = 4000;
    using rows = Dataset.fromSparse({
      rowCount: count,
      columnCount: count,
      rowStart: Uint32Array.from({ length: count + 1 }, (_, i) => i),
      columnIndex: Uint32Array.from({ length: count }, (_, i) => i),
      values: new Float64Array(count).fill(1),
      target: new Float64Array(count).fill(1),
      source: "unit vectors",
    });
    const one = made({ cost: { racing: 60, replicas: 60 }, rows, rule: sgd({ rate: 0.5 }), model: { l2: 0, intercept: false } });
    const { measured } = choiceOf(await settled(one));
    const [alone, replicas, racing] = measured.map(({ fallPerUpdate }) => fallPerUpdate);
    expect(alone).toBeGreaterThan(0);
    expect(racing / alone).toBeCloseTo(1, 4);
    // Each of two steps twice as far, and their mean half as far as that.
    expect(replicas / alone).toBeCloseTo(1, 4);
    one.dispose();
    // Polyak's step, half of the error here, has no rate: the mean of two moves half as far, by 1 − (1 − ¼)² of what a row has to give, for 1 − (1 − ½)².
    const without = made({ cost: { racing: 60, replicas: 60 }, rows, rule: polyak(), model: { l2: 0, intercept: false } });
    const [its, theirs] = choiceOf(await settled(without)).measured.map(({ fallPerUpdate }) => fallPerUpdate);
    expect(theirs / its).toBeCloseTo(0.4375 / 0.75, 4);
    without.dispose();
  });

  it("end where the run is kept, with a plan and its bytes", async () => {
    const one = made({ cost: { racing: 10, replicas: 10 } });
    const { trials } = one;
    let steps = 1;
    // In the middle of a round, whose stretches are not in the parameters.
    while (trials.updates === trials.step) {
      await trials.advance(steps);
      steps = Math.min(400, 4 * steps);
    }
    expect(one.chosen()).toBeUndefined();
    const parameters = [...trials.parameters()];
    const { tensors, state } = trials.snapshot();
    expect(planOf(one.chosen()!)).toMatchObject({ workers: 1, replicas: 1 });
    expect(choiceOf(one.chosen()!).why).toMatch(/before anything was measured/);
    expect([...(tensors["parameters.0"] as Float32Array)]).toEqual(parameters);
    expect(state.updates).toBe(trials.updates);
    const threads = one.calls();
    await trials.advance(100);
    expect(one.calls()).toBe(threads);
    expect(await trials.settled).toEqual(one.chosen());
    one.dispose();
  });

  it.each([
    ["svrg", svrg()],
    ["saga", saga()],
  ] as const)("try no replicas with %s, whose means are of a lane's rows", async (_, variance) => {
    const one = made({ cost: { racing: 10 }, rule: sgd({ rate: 0.003 }), variance });
    const chosen = await settled(one);
    expect(planOf(chosen).replicas).toBe("shared");
    expect(choiceOf(chosen).measured.map(({ replicas }) => replicas)).toEqual([1, "shared"]);
    one.dispose();
  });

  it("start no thread where a run or an epoch is too short", async () => {
    const short = made({ cost: { racing: 1, replicas: 1 }, epochs: 1 });
    expect(choiceOf(await settled(short)).why).toMatch(
      /^the rest of the run takes about \d+ ms on one lane, too short to measure/,
    );
    const quick = made({ cost: { "one lane": 0.3, racing: 0.1, replicas: 0.1 }, epochs: 1e6 });
    expect(choiceOf(await settled(quick, 10 * ROWS)).why).toBe("an epoch takes about 1.8 ms on one lane, too short to share");
    for (const one of [short, quick]) {
      expect(one.calls()).toBe(0);
      one.dispose();
    }
  });

  it("give back all memory, chosen or not", async () => {
    const { memory } = engine;
    const free = made({});
    free.dispose();
    const before = memory.usedBytes;
    for (const advance of [false, true]) {
      const one = made({ cost: { racing: 10 } });
      if (advance) await settled(one);
      one.dispose();
      expect((await one.trials.settled).plan).toMatchObject({ replicas: advance ? "shared" : 1 });
    }
    // Racing is given up after five rounds, replicas after nine.
    const one = made({ cost: { racing: 60, replicas: (done) => ([0, 1, 7].includes(done) ? 80 : 20) }, epochs: 200 });
    await settled(one, 20 * ROWS);
    one.dispose();
    expect(memory.usedBytes).toBeLessThanOrEqual(before + 64);
  });
});

describe("the length of a stretch", () => {
  const run = { secondsPerStep: 2 ** -16, stepsPerEpoch: 1e6, left: 100, others: 2 };
  it("is at most 8 ms, or a quarter of an epoch, or 50 ms where that is less, and at most a twentieth of the run over all that is discarded", () => {
    expect(stretchOf(run)).toBe(3276);
    expect(stretchOf({ ...run, stepsPerEpoch: 4 * 1000 })).toBe(1000);
    expect(stretchOf({ ...run, stepsPerEpoch: 4 * 300 })).toBe(524);
    for (const left of [0.5, 1, 1.3, 1.5, 6, 9]) {
      const steps = stretchOf({ ...run, left }) as number;
      expect(2 * ROUNDS * steps * run.secondsPerStep).toBeLessThanOrEqual(0.05 * left + 1e-12);
      expect(2 * ROUNDS * (steps + 1) * run.secondsPerStep).toBeGreaterThan(0.05 * left - 1e-12);
    }
  });

  it("is one step where a step takes longer, if the run is long enough", () => {
    expect(stretchOf({ ...run, secondsPerStep: 0.1, stepsPerEpoch: 60 })).toBe(1);
    expect(stretchOf({ ...run, secondsPerStep: 0.6, stepsPerEpoch: 60 })).toMatch(/the rest of the run takes about 100 s/);
  });

  it("is within an epoch", () => {
    expect(stretchOf({ ...run, stepsPerEpoch: 200 })).toBe(199);
    expect(stretchOf({ ...run, stepsPerEpoch: 100 })).toBe("an epoch takes about 1.5 ms on one lane, too short to share");
    expect(stretchOf({ ...run, secondsPerStep: 0.1, stepsPerEpoch: 1 })).toMatch(/an epoch takes about 100 ms/);
    expect(stretchOf({ ...run, left: Infinity })).toBe(3276);
  });
});

describe("fit", () => {
  const bytesOf = (model: { toBytes(): Uint8Array }): Buffer => Buffer.from(model.toBytes());
  const options: FitOptions = { rule: sgd({ rate: 0.01 }), seed: 4 };

  it("measures on two workers, says what it took and why, and a checkpoint keeps it", async () => {
    const run = fit(linear({ l2: 1e-3 }), long, { ...options, workers: 2, until: { seconds: 100 } });
    const { plan, planChoice } = (await run.chosen) as { plan: JsonObject; planChoice: JsonObject };
    expect(planChoice).toMatchObject({ why: expect.stringMatching(/\w+ /), rounds: expect.any(Number) });
    expect(planChoice.rounds).toBeGreaterThan(0);
    const bytes = await run.checkpoint();
    run.stop();
    const fitted = await run;
    expect((fitted.description.plan as JsonObject).replicas).toBe(plan.replicas);
    expect(fitted.evaluate(long).accuracy).toBeGreaterThan(0.7);
    const resumed = fit.resume(bytes, long, { until: { seconds: 0.05 }, workers: 2 });
    expect(await resumed.chosen).toMatchObject({ plan, planChoice });
    await resumed;
    const again = fit.resume(await resumed.checkpoint(), long, { until: { seconds: 0.1 } });
    expect(await again.chosen).toMatchObject({ plan, planChoice });
    await again;
  });

  it("is one lane's run, bit for bit, where the run is short; and so is its resumed run", async () => {
    const two = fit(linear(), data, { ...options, epochs: 1, workers: 2 });
    const fitted = await two;
    const wanted = await fit(linear(), data, { ...options, epochs: 1, workers: 1 });
    expect(bytesOf(fitted).equals(bytesOf(wanted))).toBe(true);
    expect(fitted.run).toMatchObject({ updates: ROWS, epochs: 1 });
    expect(await two.chosen).toMatchObject({ plan: { workers: 1, replicas: 1 }, planChoice: { rounds: 0, measured: [] } });
    const resumed = await fit.resume(await two.checkpoint(), data, { epochs: 2, workers: 2 });
    const whole = await fit(linear(), data, { ...options, epochs: 2, workers: 1 });
    expect(bytesOf(resumed).equals(bytesOf(whole))).toBe(true);
  });

  it.each([
    ["racing", { workers: 2, replicas: "shared" }],
    ["replicas", { workers: 2, replicas: 2 }],
    ["deterministic replicas", { workers: 2, replicas: 2, deterministic: true }],
    ["full gradients", { workers: 2, batch: "all" }],
    ["one worker", { workers: 1 }],
    ["a solver", { workers: 2, rule: lbfgs() }],
  ] as [string, FitOptions][])("measures nothing where the plan is named: %s", async (_, plan) => {
    const run = fit(linear(), data, { ...options, epochs: 2, ...plan });
    const fitted = await run;
    expect(await run.chosen).not.toHaveProperty("planChoice");
    expect(fitted.run.updates).toBe(fitted.run.epochs * (plan.batch === "all" || plan.rule ? 1 : ROWS));
  });

  it("fails where threads cannot run what is measured, by the error of a worker", async () => {
    const { enginePool } = await import("../../../src/engine/memory/engine.ts");
    const pool = await enginePool();
    const { run } = pool;
    pool.run = () => Promise.reject(new Error("no threads here"));
    try {
      await expect((async () => await fit(linear(), long, { ...options, workers: 2, until: { seconds: 20 } }))()).rejects.toThrow(
        "no threads here",
      );
    } finally {
      pool.run = run;
    }
  });

  it.each(["plan", "planChoice"])("knows no option %s", async (name) => {
    await expect((async () => await fit(linear(), data, { epochs: 1, [name]: "racing" } as never))()).rejects.toThrow(
      `fit: unknown option "${name}"`,
    );
  });
});
