/**
 * Plans that are refused before a run starts, with the message and code for each meaningless combination, and values
 * that are filled in.
 */
import { describe, expect, it } from "vitest";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import {
  adagrad,
  adam,
  coordinateDescent,
  type FitOptions,
  fit,
  gradientDescent,
  type LinearOptions,
  lbfgs,
  linear,
  momentum,
  newtonCholesky,
  sag,
  saga,
  sgd,
  stochasticLineSearch,
  svrg,
} from "../../../src/entries/everything.ts";
import { plantedRows } from "./planted.ts";

const engine = { build: "relaxed-shared", relaxedSimd: true, sharedMemory: true, workers: 2, why: [] };
const { data } = plantedRows({ rows: 30, columns: 4, classes: 2, format: "dense" });
const { data: numeric } = plantedRows({ rows: 30, columns: 4, classes: 0, format: "dense" });

const refused: [string, FitOptions, string, LinearOptions?][] = [
  ["workers", { workers: 0 }, "fit: workers is 0, but must be an integer >= 1 and <= 1024 [OPTION_RANGE]"],
  ["replicas", { replicas: 1.5 }, "fit: replicas is 1.5, but must be an integer >= 1 and <= 65536 [OPTION_RANGE]"],
  [
    "replicas by a wrong name",
    { replicas: "racing" as never },
    'fit: replicas is "racing", but must be an integer >= 1 and <= 65536 [OPTION_RANGE]',
  ],
  ["batch", { batch: 0 }, "fit: batch is 0, but must be an integer >= 1 and <= 2147483648 [OPTION_RANGE]"],
  ["blockRows", { blockRows: -1 }, "fit: blockRows is -1, but must be an integer >= 1"],
  ["averageEvery", { averageEvery: 0 }, "fit: averageEvery is 0, but must be a number > 0 [OPTION_RANGE]"],
  ["seed", { seed: -1 }, "fit: seed is -1, but must be an integer >= 0"],
  [
    "schedule",
    { schedule: "random" as never },
    'fit: schedule is "random", but must be one of "replacement", "shuffled", "blocks", "ordered" [OPTION_RANGE]',
  ],
  ["data", { data: "split" as never }, 'fit: data is "split", but must be "sharded" or "replicated" [OPTION_RANGE]'],
  [
    "precision",
    { precision: "i4" as never },
    'fit: precision is "i4", but must be one of "f32", "f64", "i16", "i8" [OPTION_RANGE]',
  ],
  [
    "precision of the model",
    { precision: { model: "i8" as never } },
    'fit: precision.model is "i8", but must be one of "f32", "f64", "i16" [OPTION_RANGE]',
  ],
  [
    "a key of precision",
    { precision: { parameters: "f32" } as never },
    'fit.precision: unknown option "parameters" (known: data, model) [OPTION_UNKNOWN]',
  ],
  ["an unknown option", { batchSize: 3 } as never, 'fit: unknown option "batchSize"; did you mean "batch"?'],
  [
    "a rule beside an algorithm",
    { algorithm: gradientDescent({ rule: sgd() }), rule: sgd() },
    "fit: algorithm is gradientDescent(), but rule was given, too; leave one out, or give both to gradientDescent() [OPTION_CONFLICT]",
  ],
  [
    "a rule beside an algorithm that has none",
    { algorithm: coordinateDescent(), rule: sgd() },
    "fit: algorithm is coordinateDescent(), but rule was given, too; leave one out",
  ],
  [
    "variance reduction beside the choice of a solver",
    { algorithm: "auto", variance: saga() },
    'fit: algorithm is "auto", but variance was given, too; leave one out',
  ],
  [
    "racing and deterministic",
    { deterministic: true, workers: 2, replicas: "shared" },
    "fit: deterministic is true and 2 workers share one model, but racing workers depend on timing; use replicas: 2 instead [PLAN_MEANING]",
  ],
  [
    "workers without work",
    { workers: 2, replicas: 1 },
    'fit: workers is 2 and replicas is 1, but one replica is one sequence of updates; use replicas: "shared" or replicas: 2 [PLAN_MEANING]',
  ],
  [
    "replicas of coordinate descent",
    { algorithm: coordinateDescent(), replicas: 2 },
    "coordinateDescent: replicas is 2, but one point is moved by one sequence of moves; leave replicas out [PLAN_MEANING]",
  ],
  [
    "racing coordinate descent",
    { algorithm: coordinateDescent(), replicas: "shared", workers: 2, deterministic: true },
    'coordinateDescent: workers is 2 and replicas is "shared", but one point is moved by one sequence of moves; leave workers and replicas out [PLAN_MEANING]',
  ],
  [
    "replicas of coordinate descent, whose batch was named",
    { algorithm: coordinateDescent(), batch: "all", replicas: 2 },
    "coordinateDescent: replicas is 2, but one point is moved by one sequence of moves; leave replicas out [PLAN_MEANING]",
  ],
  [
    "workers of Newton's method",
    { algorithm: newtonCholesky(), workers: 2 },
    "newtonCholesky: workers is 2, but one point is moved by one thread; leave workers out [PLAN_MEANING]",
  ],
  [
    "replicas of a rule on all rows",
    { rule: lbfgs(), replicas: 2 },
    "fit: replicas is 2, but lbfgs takes full gradients, which leave nothing to average or race on; leave replicas out (workers still share the sum) [PLAN_MEANING]",
  ],
  [
    "replicas of full gradients",
    { batch: "all", replicas: 2 },
    'fit: batch is "all" and replicas is 2, but full gradients leave nothing to average or race on; leave replicas out (workers still share the sum) [PLAN_MEANING]',
  ],
  ["racing on full gradients", { batch: "all", replicas: "shared", workers: 2 }, 'fit: batch is "all" and replicas is "shared"'],
  [
    "a coarse model of fine data",
    { precision: { data: "f64", model: "f32" } },
    'fit: precision.data is "f64" and precision.model is "f32", but a coarser model wastes the data\'s digits; use data: "f32" [PLAN_MEANING]',
  ],
  [
    "a fine model of coarse data",
    { precision: { data: "i8", model: "f64" } },
    'fit: precision.model is "f64" and precision.data is "i8"; use data: "f64" too [PLAN_MEANING]',
  ],
  [
    "more lanes than rows",
    { replicas: 31 },
    "fit: 31 replicas or racing workers were asked for, but there are only 30 rows to share; use fewer [PLAN_MEANING]",
  ],
  [
    "a host rule on minibatches",
    { rule: lbfgs(), batch: 8 },
    'fit: lbfgs needs the full gradient, but batch is 8: pairs of gradients of different batches say nothing about curvature; use adam() for minibatches, or batch: "all" [RULE_NEEDS_FULL_GRADIENT]',
  ],
  [
    "a host rule with L1",
    { rule: lbfgs() },
    "fit: lbfgs needs a smooth objective, but l1 is 0.1; use sgd() or adagrad() with a minibatch [RULE_SMOOTH]",
    { l1: 0.1 },
  ],
  [
    "variance reduction of full gradients",
    { variance: saga(), batch: "all" },
    'fit: saga reduces the noise of minibatches, but batch is "all": a full gradient has none; leave variance out [PLAN_MEANING]',
  ],
  [
    "variance reduction of a rule on all rows",
    { variance: saga(), rule: lbfgs() },
    "fit: saga reduces the noise of minibatches, but lbfgs takes full gradients, which have none; leave variance out [PLAN_MEANING]",
  ],
  [
    "one table for copies that see the same rows",
    { variance: svrg(), replicas: 2, data: "replicated" },
    'fit: svrg keeps one derivative per row, but replicas that each see all rows would overwrite one another\'s; use data: "sharded" [PLAN_MEANING]',
  ],
  [
    "a line search along a corrected gradient",
    { variance: saga(), rule: stochasticLineSearch() },
    "fit: stochasticLineSearch compares losses of one batch, but saga steps along another direction; use sgd() [RULE_VARIANCE]",
  ],
  [
    "variance reduction without a known curvature",
    { variance: saga() },
    "fit: saga has no step size of its own here, since the loss's curvature is not bounded; give a rule, e.g. sgd({ rate: 0.01 }) [VARIANCE_RATE]",
    { loss: "hinge" },
  ],
  [
    "SAG in a shuffled order",
    { variance: sag(), schedule: "shuffled" },
    `fit: sag's own step size is for rows drawn with replacement, but schedule is "shuffled", with which it diverges; leave schedule out, use saga(), or give a rule with a smaller rate [VARIANCE_RATE]`,
  ],
  [
    "a line search with L1",
    { rule: stochasticLineSearch() },
    "fit: stochasticLineSearch needs a smooth objective, but l1 is 0.1; use sgd() or adagrad() [RULE_SMOOTH]",
    { l1: 0.1 },
  ],
  [
    "a stochastic line search on full gradients",
    { rule: stochasticLineSearch(), batch: "all" },
    'fit: stochasticLineSearch searches on minibatches, but batch is "all"; use backtracking() or strongWolfe() [PLAN_MEANING]',
  ],
  [
    "a line search with a function of its own",
    // @ts-expect-error: a search rule is data
    { rule: { ...stochasticLineSearch(), step: () => 0.1 } },
    "fit: stochasticLineSearch carries a function, step, but a search rule is data: its options alone say how to search; leave step out, or write a rule() for steps of your own [RULE_SEARCH]",
  ],
  [
    "a line search of a 16-bit model",
    { rule: stochasticLineSearch(), precision: { model: "i16" } },
    'fit: stochasticLineSearch would lose its small steps in a 16-bit model; use precision: "f32" [PLAN_MEANING]',
  ],
  [
    "racing line searches",
    { rule: stochasticLineSearch(), workers: 2, replicas: "shared" },
    "fit: stochasticLineSearch undoes trial steps, which racing workers would see; use replicas: 2 [PLAN_MEANING]",
  ],
  [
    "a group penalty with steps that are not along the gradient",
    { rule: adagrad() },
    "fit: the group penalty shrinks by rate × strength, which reaches the optimum only if steps are rate × gradient, unlike those of adagrad; use sgd() [RULE_RATE]",
    { group: { strength: 0.1, groups: [] } },
  ],
  ["a group penalty with momentum", { rule: momentum() }, "unlike those of momentum", { group: { strength: 0.1, groups: [] } }],
  [
    "a group penalty on a 16-bit model",
    { rule: sgd(), precision: { model: "i16" } },
    'fit: precision.model is "i16", but 16-bit models are trained without a group penalty; use precision: "f32" [PLAN_MEANING]',
    { group: { strength: 0.1, groups: [] } },
  ],
  [
    "a 16-bit model and full gradients",
    { rule: sgd(), batch: "all", precision: { model: "i16" } },
    'fit: precision.model is "i16", but 16-bit models are trained on minibatches, not on all rows; use precision: "f32" [PLAN_MEANING]',
  ],
  [
    "averages of one replica",
    { averageEvery: 0.5 },
    "fit: averageEvery is 0.5, but there is one replica: nothing is averaged; leave averageEvery out, or use replicas: 2 [PLAN_MEANING]",
  ],
  [
    "averages of racing workers",
    { averageEvery: 2, workers: 2, replicas: "shared" },
    "fit: averageEvery is 2, but all workers share one model: nothing is averaged; leave averageEvery out, or use replicas: 2 [PLAN_MEANING]",
  ],
  [
    "replicated data of one replica",
    { data: "replicated" },
    'fit: data is "replicated", but there is one replica, which sees all rows anyway; leave data out, or use replicas: 2 [PLAN_MEANING]',
  ],
  [
    "replicated data of racing workers",
    { data: "replicated", workers: 2, replicas: "shared" },
    'fit: data is "replicated", but all workers share one model, which sees all rows anyway; leave data out, or use replicas: 2 [PLAN_MEANING]',
  ],
  [
    "sizes of blocks without blocks",
    { blockRows: 8 },
    'fit: blockRows is 8, but only schedule: "blocks" has blocks; leave blockRows out, or use schedule: "blocks" [PLAN_MEANING]',
  ],
  ...(
    [
      [{ averageEvery: 2 }, "there is one replica: nothing is averaged; leave averageEvery out [PLAN_MEANING]"],
      [{ data: "replicated" }, "there is one replica, which sees all rows anyway; leave data out [PLAN_MEANING]"],
      [{ blockRows: 8 }, 'only schedule: "blocks" has blocks; leave blockRows out [PLAN_MEANING]'],
    ] as const
  ).map(([options, words]): (typeof refused)[number] => [
    `${Object.keys(options)[0]} of an algorithm that could have no replicas, nor blocks`,
    { algorithm: coordinateDescent(), ...options },
    words,
  ]),
  [
    "validations without rows",
    { validateEvery: 0.5 },
    "fit: validateEvery needs validate: held-out rows whose loss is watched [OPTION_MISSING]",
  ],
  ["patience alone", { patience: 2 }, "fit: patience needs validate: held-out rows whose loss is watched [OPTION_MISSING]"],
  ["an unknown loss", {}, 'linear: loss is "hing", but must be one of ', { loss: "hing" as never }],
  [
    "a group of an unknown column",
    { rule: sgd() },
    'linear: group names column "age", which the data does not have (columns: x0, x1, x2, x3 …) [OPTION_COLUMN]',
    { group: { strength: 1, groups: [["age"]] } },
  ],
  [
    "groups that overlap",
    { rule: sgd() },
    'linear: column "x1" is in a group twice, but groups may not overlap; name it once [OPTION_COLUMN]',
    { group: { strength: 1, groups: [["x0", "x1"], ["x1"]] } },
  ],
  ["a penalty weight of an unknown column", {}, 'linear.penaltyWeights: unknown option "age"', { penaltyWeights: { age: 1 } }],
  [
    "a negative penalty weight",
    {},
    "linear.penaltyWeights: x0 is -1, but must be a number >= 0 [OPTION_RANGE]",
    { penaltyWeights: { x0: -1 } },
  ],
  [
    "a class weight of an unknown class",
    {},
    'linear.classWeights: unknown option "yes" (known: 0, 1) [OPTION_UNKNOWN]',
    { classWeights: { yes: 1 } },
  ],
  [
    "a negative class weight",
    {},
    "linear.classWeights: 1 is -2, but must be a number >= 0 [OPTION_RANGE]",
    { classWeights: { 1: -2 } },
  ],
  [
    "a loss for numbers on classes",
    {},
    'linear: loss "squared" needs numbers, but target "y" has the classes 0, 1; use loss: "logistic" [MODEL_TARGET]',
    { loss: "squared" },
  ],
];

describe("refused plans", () => {
  it.each(refused)("refuses %s", async (_, options, message, model = {}) => {
    const attempt = async (): Promise<unknown> => await fit(linear(model), data, { epochs: 1, ...options });
    await expect(attempt()).rejects.toThrow(message);
  });

  it("refuses losses that do not fit a numeric target", async () => {
    const attempt = async (loss: string, y: number[], more: LinearOptions = {}): Promise<unknown> => {
      const { Dataset } = await import("../../../src/entries/everything.ts");
      using rows = Dataset.fromArrays({ x: y.map((_, i) => [i]), y });
      return await fit(linear({ loss: loss as never, ...more }), rows, { epochs: 1 });
    };
    await expect(attempt("multinomial", [1, 2.5, 3])).rejects.toThrow(
      'linear: loss "multinomial" needs classes, but target "y" holds decimals such as 2.5; name a column of classes, or use loss: "squared" [MODEL_TARGET]',
    );
    await expect(attempt("logistic", [1, 1, 1])).rejects.toThrow(
      'linear: target "y" has one class only, 1; there is nothing to learn [MODEL_TARGET]',
    );
    await expect(attempt("poisson", [1, -2, 1])).rejects.toThrow(
      'linear: target "y" is -2 in row 2, but the Poisson loss needs counts >= 0; drop the row or use loss: "squared" [DATA_TARGET]',
    );
    await expect(attempt("squared", [1, 2, 1], { classWeights: "balanced" })).rejects.toThrow(
      'linear: classWeights need classes, but target "y" is a number; leave them out, or read it as a category (data.asClasses()) [MODEL_TARGET]',
    );
  });
});

describe("completed plans", () => {
  const plan = (given: object, batch: number | "all" = 1) => resolvePlan("fit", given, engine, { batch });

  it("fills in the defaults", () => {
    expect(plan({})).toEqual({
      workers: 1,
      replicas: 1,
      data: "sharded",
      precision: { data: "f32", model: "f32" },
      schedule: "shuffled",
      blockRows: 64,
      batch: 1,
      averageEvery: 1,
      deterministic: false,
      seed: 0,
    });
  });

  it("accepts dependent options only with the options they need, or at their default", () => {
    expect(plan({ replicas: 2, averageEvery: 0.5, data: "replicated" })).toMatchObject({ averageEvery: 0.5, data: "replicated" });
    expect(plan({ schedule: "blocks", blockRows: 8 }).blockRows).toBe(8);
    for (const whole of [plan({}), plan({ workers: 2 }), plan({ schedule: "ordered" })]) expect(plan(whole)).toEqual(whole);
  });

  it("uses one worker for minibatches unless replicas are named, and all for full gradients and dual ascent", () => {
    for (const deterministic of [false, true])
      expect(plan({ workers: 2, deterministic })).toMatchObject({ workers: 1, replicas: 1, deterministic });
    expect(plan({ workers: 2, replicas: "shared" })).toMatchObject({ workers: 2, replicas: "shared" });
    const dual = { batch: 1, races: true };
    expect(resolvePlan("fit", { workers: 2 }, engine, dual)).toMatchObject({ workers: 2, replicas: "shared" });
    expect(resolvePlan("fit", {}, engine, dual)).toMatchObject({ workers: 1, replicas: 1 });
    expect(plan({ workers: 2, replicas: 2, deterministic: true }).replicas).toBe(2);
    expect(plan({ workers: 2 }, "all")).toMatchObject({ replicas: 1, batch: "all", workers: 2 });
    expect(plan({ workers: 2, batch: "all" }).replicas).toBe(1);
  });

  it("uses one worker without shared memory", () => {
    expect(resolvePlan("fit", { workers: 4, replicas: 4 }, { ...engine, sharedMemory: false }, { batch: 1 })).toMatchObject({
      workers: 1,
      replicas: 4,
    });
  });

  it("SAG draws with replacement", async () => {
    expect((await fit(linear(), data, { variance: sag(), epochs: 1 })).description).toMatchObject({
      plan: { schedule: "replacement" },
    });
    expect(
      (await fit(linear(), data, { variance: sag(), rule: sgd({ rate: 1e-3 }), schedule: "ordered", epochs: 1 })).description,
    ).toMatchObject({ plan: { schedule: "ordered" } });
  });

  it("applies one precision to data and model, with a float model", () => {
    expect(plan({ precision: "i8" }).precision).toEqual({ data: "i8", model: "f32" });
    expect(plan({ precision: "f64" }).precision).toEqual({ data: "f64", model: "f64" });
    expect(plan({ precision: { data: "f64" } }).precision).toEqual({ data: "f64", model: "f64" });
    expect(plan({ precision: { model: "f64" } }).precision).toEqual({ data: "f64", model: "f64" });
    expect(plan({ precision: { model: "i16" } }).precision).toEqual({ data: "f32", model: "i16" });
  });

  it("shares full gradients of a host rule between two workers until it converges", async () => {
    const fitted = await fit(linear({ l2: 0.1 }), data, { rule: lbfgs(), workers: 2 });
    expect(fitted.run.reason).toBe("converged");
    expect(fitted.run.epochs).toBeLessThan(100);
  });

  it("fits a sensible model without options and reports its choices", async () => {
    const run = fit(linear(), data);
    const chosen = await run.chosen;
    expect(chosen).toMatchObject({
      loss: { name: "logistic" },
      algorithm: { algorithm: "newtonCholesky" },
      plan: { batch: "all", workers: 1 },
    });
    const fitted = await run;
    const { why, ...described } = chosen;
    expect(why).toMatch(/^a smooth objective of/);
    const { columns, ...description } = fitted.description;
    expect(columns).toEqual(["x0", "x1", "x2", "x3"]);
    expect(description).toEqual(described);
    expect(fitted.run).toMatchObject({ reason: "converged" });
  });

  it("chooses a sensible rule for gradient descent without options", async () => {
    const run = fit(linear(), data, { algorithm: "gradient" });
    expect(await run.chosen).toMatchObject({
      algorithm: { rule: { rule: "adagrad" } },
      plan: { batch: 1, schedule: "shuffled" },
    });
    expect((await run).run).toMatchObject({ epochs: 5, updates: 150 });
    expect((await fit(linear(), numeric, { rule: adam() })).description).toMatchObject({
      loss: { name: "squared" },
      task: "regression",
    });
  });
});
