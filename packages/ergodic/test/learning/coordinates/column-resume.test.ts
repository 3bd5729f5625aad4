/**
 * Working sets and paths that resume after any round or any λ, with the bytes of an uninterrupted run, and release
 * their memory.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import {
  coordinateDescent,
  type Dataset,
  type FitPathOptions,
  fit,
  type LinearOptions,
  linear,
} from "../../../src/entries/everything.ts";
import { columnSolvers, PathProgression } from "../../../src/learning/coordinates/path.ts";
import { dealFolds } from "../../../src/learning/fit/folds.ts";
import { isSlow, power } from "../../power.ts";
import { type Kind, kinds, lossOf, randomRows, tableOf } from "./column-problems.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const engine = await openEngine();
const memory = engineMemory();
const formats = ["dense", "sparse"] as const;
const modelOf = (kind: Kind, more: LinearOptions) => linear({ loss: lossOf(kind), standardise: false, ...more });

/** Resumes after the first and last rounds, at most `most`, and at full power after every round. */
async function resumesAfterRounds(
  data: Dataset,
  model: ReturnType<typeof linear>,
  tolerance: number,
  most = 12,
): Promise<number> {
  const algorithm = coordinateDescent({ tolerance });
  const whole = await fit(model, data, { algorithm, epochs: 50 });
  const file = join(folder, "rounds.checkpoint");
  const last = Math.min(most, whole.run.updates);
  for (let rounds = 1; rounds <= last; rounds++) {
    if (!isSlow && rounds > 2 && rounds < last) continue;
    const first = fit(model, data, { algorithm, epochs: rounds });
    await first;
    await first.checkpoint(file);
    const resumed = await fit.resume(file, data, { epochs: 50 });
    expect([resumed.weights, resumed.intercept]).toEqual([whole.weights, whole.intercept]);
    expect(resumed.run.report).toEqual(whole.run.report);
    expect([resumed.run.updates, resumed.run.reason]).toEqual([whole.run.updates, whole.run.reason]);
    if (rounds < whole.run.updates) expect(resumed.run.loss).toBe(whole.run.loss);
  }
  return whole.run.updates;
}

describe.each(kinds)("%s", (kind) => {
  const model: LinearOptions[] = [{ l1: 0.02 }, { l1: 0.01, l2: 0.02 }, { l1: 0.05, penaltyWeights: { x0: 0 } }];

  // Formats alternate among the losses.
  const own = isSlow ? formats : [formats[kinds.indexOf(kind) % 2]];
  it.each(own)("resumes after any round: %s", async (format) => {
    let most = 0;
    for (const penalty of isSlow ? model : model.slice(1)) {
      using data = tableOf(randomRows(kind, { rows: 30, columns: 45 }), { format });
      most = Math.max(most, await resumesAfterRounds(data, modelOf(kind, penalty), 1e-10));
    }
    expect(most).toBeGreaterThan(2);
  });
});

it("resumes if the set is larger than the Gram matrix can hold", async () => {
  using data = tableOf(randomRows("squared", { rows: 40, columns: 900 }));
  expect(await resumesAfterRounds(data, modelOf("squared", { l2: 0.01 }), 1e-13, power(1, 12))).toBeGreaterThan(1);
  using classes = tableOf(randomRows("multinomial", { rows: 40, columns: 300 }));
  expect(await resumesAfterRounds(classes, modelOf("multinomial", { l2: 0.01 }), 1e-10, power(1, 12))).toBeGreaterThan(1);
});

type Path = Awaited<ReturnType<typeof fit.path>>;

/** Everything that a path reports. */
function told(path: Path) {
  const { lambdas, gaps, violations, nonZeros, explained, crossValidation, chosen } = path;
  const models = Array.from(lambdas, (_, k) => [...path.weights(k), ...path.intercept(k)]);
  return { lambdas, gaps, violations, nonZeros, explained, crossValidation, chosen, models };
}

/** Stops a path after `count` λ, and saves it to a file. */
async function stopped(data: Dataset, model: ReturnType<typeof linear>, options: FitPathOptions, count: number): Promise<string> {
  const file = join(folder, "path.checkpoint");
  const controller = new AbortController();
  const run = fit.path(model, data, { ...options, signal: controller.signal });
  let kept: Promise<void> | undefined;
  const watched = (async () => {
    for await (const tick of run) {
      if (tick.update < count || kept) continue;
      kept = run.checkpoint(file).then(() => controller.abort(new Error("enough")));
    }
  })();
  await watched.catch(() => {});
  await kept;
  return file;
}

describe("paths", () => {
  const cases: [Kind, FitPathOptions][] = [
    ["squared", {}],
    ["squared", { folds: 3, l1Ratio: 0.5 }],
    ["logistic", { folds: 4, select: "oneStandardError" }],
    ["poisson", { folds: 3 }],
    ["multinomial", { folds: 3 }],
    ["one against the rest", {}],
  ];

  it.each(cases)("%s, %o: resumes to the same bytes on one worker or two", async (kind, options) => {
    // Rows are alternately dense and sparse.
    const own = formats[cases.findIndex(([name, other]) => name === kind && other === options) % 2];
    for (const format of isSlow ? formats : [own]) {
      using data = tableOf(randomRows(kind, { rows: 40, columns: 15 }), { format });
      const model = modelOf(kind, {});
      const given = { lambdas: power(4, 12), ratio: 0.05, seed: 3, ...options };
      const whole = told(await fit.path(model, data, given));
      expect(told(await fit.path(model, data, { ...given, workers: 2 }))).toEqual(whole);
      const file = await stopped(data, model, given, 1);
      expect(told(await fit.path.resume(file, data))).toEqual(whole);
      expect(told(await fit.path.resume(file, data, { workers: 2 }))).toEqual(whole);
    }
  });

  it.each(kinds)("%s, with folds: resumes bit for bit after any number of λ", async (kind) => {
    const problem = randomRows(kind, { rows: 40, columns: 15 });
    using data = tableOf(problem);
    const plan = resolvePlan("test", {}, engine.describe(), { batch: "all", precision: "f64" }, "f64");
    const bound = modelOf(kind, {}).bind(data, plan, engine);
    const lambdas = Float64Array.of(0.3, 0.2, 0.1, 0.05);
    const folds = { of: dealFolds(data, 3, 1), count: 3 };
    const open = () =>
      new PathProgression(
        columnSolvers(bound.byColumns, engine, folds),
        { lambdas, ratio: 1, l1Ratio: 0.8, tolerance: 1e-8 },
        plan,
        engine,
      );
    // A stretch can end within a step.
    const to = async (path: PathProgression, count: number): Promise<void> => {
      while (path.step < count) await path.advance(count - path.step);
    };
    const whole = open();
    await to(whole, 4);
    for (let count = 0; count <= 4; count += power(2, 1)) {
      const first = open();
      await to(first, count);
      const { tensors, state } = first.snapshot();
      // A snapshot is a copy, so the continuing run does not change it.
      await to(first, 4);
      const resumed = open();
      resumed.restore({ tensors, state: JSON.parse(JSON.stringify(state)) });
      await to(resumed, 4);
      for (const end of [first, resumed]) {
        expect(end.record).toEqual(whole.record);
        expect(end.parameters()).toEqual(whole.parameters());
        expect(end.snapshot()).toEqual(whole.snapshot());
        end.dispose();
      }
    }
    whole.dispose();
    bound.dispose();
  });
});

describe("memory use", () => {
  it.each(formats)("releases all memory after fits and paths that end, fail, are refused or stopped: %s", async (format) => {
    using data = tableOf(randomRows("logistic", { rows: 30, columns: 10 }), { format });
    using numbers = tableOf(randomRows("squared", { rows: 30, columns: 10 }), { format });
    const model = modelOf("logistic", {});
    const attempts: (() => PromiseLike<unknown>)[] = [
      () => fit(modelOf("logistic", { l1: 0.01 }), data, { algorithm: coordinateDescent() }),
      () => fit(modelOf("squared", { l1: 0.01 }), numbers, { algorithm: coordinateDescent() }),
      () => fit.path(model, data, { lambdas: 5, folds: 3 }),
      () => fit.path(modelOf("squared", {}), numbers, { lambdas: 5, folds: 3, workers: 2 }),
      () => fit.path(linear({ loss: "hinge" }), data),
      () => fit.path(linear({ standardise: true }), numbers, { lambdas: 3, precision: "i8" }),
      () => fit.path(model, data, { lambdas: 3, signal: AbortSignal.abort() }),
      () => {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), 1);
        return fit.path(model, data, { lambdas: 2000, folds: 5, tolerance: 1e-10, signal: controller.signal });
      },
      () => fit(modelOf("poisson", { l1: 0.1 }), data, { algorithm: coordinateDescent() }),
    ];
    const all = async (): Promise<void> => {
      for (const attempt of attempts)
        await (async () => await attempt())().catch(() => {
          // Some of these are refused or stopped. Only the memory that they leave matters.
        });
    };
    await all();
    await all();
    const { usedBytes, reservedBytes } = memory;
    for (let k = 0; k < power(2, 5); k++) await all();
    expect([memory.usedBytes, memory.reservedBytes]).toEqual([usedBytes, reservedBytes]);
  });
});
