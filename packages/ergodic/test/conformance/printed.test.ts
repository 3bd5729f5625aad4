/**
 * Each public verb returns a result that prints what it holds: by String(), in template strings and in Node's
 * `console.log`. Only this file compares the verbs' texts.
 */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import * as e from "../../src/entries/everything.ts";

const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(i * 1.3)]);
const y = x.map(([a, b], i) => 2 * a - b + 0.1 * Math.sin(17 * i));
const data = e.Dataset.fromArrays({ x, y });
const classes = e.Dataset.fromArrays({ x, y: y.map((value) => (value > 0 ? "yes" : "no")) });
const ratings = e.Ratings.fromTriples({ users: ["u", "v", "v"], items: ["a", "b", "a"], values: [3, 4, 1] });
const normal = e.model(({ data, param, observe }) => {
  const { y } = data({ y: e.vector("N") });
  observe(y, e.normal(param("mu", e.normal(0, 2)), 1));
});
const few = { y: [1, 2, 0.5, 1.5] };
const posterior = () => e.sample(normal, few, { draws: 100, warmup: 100, seed: 1 });
const graph = () => {
  const made = e.factorGraph();
  made.variable("a");
  made.variable("b");
  const weight = made.weight("agree");
  made.equal(["a", "b"], { weight });
  made.isTrue("a", { weight: 1 });
  return made;
};
const learnt = () => {
  const made = graph();
  made.observe("a", 1);
  made.observe("b", 1);
  return e.fit(made, { epochs: 3, seed: 1 });
};
const bowl = (x: ArrayLike<number>): number => (x[0] - 1) ** 2;
const compiled = () => e.compileFunction({ x: [2] }, ({ x }) => x.mul(x).sum(), { gradient: ["x"] });

/** Calls of the verbs, and words that their text must contain. */
const results: Record<string, [make: () => unknown, ...words: RegExp[]]> = {
  "a dataset": [() => data, /^dataset "arrays": 60 rows, 2 columns; target y: numbers$/],
  "a dataset of classes": [() => classes, /; target y: 2 classes$/],
  ratings: [() => ratings, /^ratings "ratings": 3 ratings of 2 items by 2 users$/],
  "a knowledge base": [() => e.knowledgeBase(), /^knowledge base: 0 rules/],
  "fit of a linear model": [() => e.fit(e.linear(), data), /linear model of y: regression, 2 columns/, /trained: \d+ updates/],
  "fit of a classifier": [() => e.fit(e.linear(), classes, { epochs: 2 }), /of y: binary, 2 columns/, /loss 0\.\d+/],
  "fit of a network": [() => e.fit(e.network([e.dense(2), e.dense(1)]), data, { epochs: 1 }), /network model of y/, /1 epochs/],
  "fit of ratings": [() => e.fit(e.factorisation(), ratings, { epochs: 1 }), /rating\): rank \d+, 2 users, 2 items/],
  "fit of a model": [() => e.fit(normal, few), /values +mu 1\.\d+/, /converged +true/],
  "fit of a graph": [learnt, /graph +factor graph: 2 variables/, /weights +\d/],
  "fit.path": [() => e.fit.path(e.linear(), data, { folds: 3 }), /path of \d+ linear models/, /> λ/, /held-out error/],
  "fit.stream": [() => e.fit.stream(e.linear(), [data]), /linear model of y/, /trained/],
  crossValidate: [() => e.crossValidate(e.linear(), data, { folds: 3 }), /by +random/, /metrics +rmse \(mean/, /1: train 40/],
  predictor: [async () => e.predictor((await e.fit(e.linear(), data)).toBytes()), /^linear model of y: regression, 2 columns$/],
  regressionTable: [
    async () => e.regressionTable(await e.fit(e.linear({ l2: 0 }), data, { algorithm: e.newtonCholesky() }), data),
    /family +gaussian/,
    /2: name x0, estimate 1\.9/,
  ],
  sample: [posterior, /mu /, /draws/],
  "sample's verdict": [async () => (await posterior()).verdict(), /draws/],
  loo: [async () => (await posterior()).loo(), /elpd/],
  check: [async () => (await posterior()).check(), /mean/],
  compare: [async () => e.compare({ a: await posterior(), b: await posterior() }), /elpd/],
  calibrate: [
    () => e.calibrate(normal, few, { simulations: 20, draws: 19, thin: 1, warmup: 50 }),
    /mu +0\.\d+/,
    /alibrated.* in 20 simulations/,
  ],
  gaussianMixture: [() => e.gaussianMixture(x, { components: 2 }), /weights +0\.\d+/, /converged/],
  topics: [
    () =>
      e.topics(
        [
          [3, 0, 1],
          [0, 4, 1],
        ],
        { topics: 2 },
      ),
    /iterations +\d/,
  ],
  coordinateAscent: [
    () => e.coordinateAscent({ start: { a: Float64Array.of(1) }, factors: { a: () => Float64Array.of(2) }, elbo: () => -1 }),
    /parameters +a 2/,
  ],
  infer: [() => e.infer(graph()), /certificate: exact/],
  "likelihood of a graph": [async () => (await learnt()).likelihood(), /value +-\d/, /method +exact/],
  "calibration of a graph": [
    async () => {
      const made = graph();
      for (const name of ["a", "b"]) made.observe(name, 1);
      const learned = await e.fit(made, { epochs: 1, heldOut: 0.5, seed: 1 });
      return learned.calibration(await e.infer(learned.graph));
    },
    /calibration error/,
  ],
  minimize: [() => e.minimize(bowl, [3], { evaluations: 50 }), /x +[01]/, /evaluations +\d+/, /algorithm +\w/],
  "minimize along coordinates": [
    () => e.minimize(bowl, [3], { algorithm: e.coordinateDescent(), epochs: 2 }),
    /x +1/,
    /run +updates \d/,
  ],
  "minimize with a gradient": [async () => e.minimize(await compiled(), [3, 1]), /x +x \(/, /gradientNorm/],
  tune: [
    () =>
      e.tune(({ rate }) => e.fit(e.linear(), data, { rule: e.adagrad({ rate }), epochs: 1, validate: data }), {
        over: { rate: { low: 0.1, high: 1 } },
        trials: 3,
      }),
    /settings +rate 0\.\d/,
    /trials +3 entries/,
  ],
  measure: [
    async () => e.measure(await e.fit(e.linear(), data), x, { queries: 1, seconds: 0.001, warmup: 0 }),
    /scenario +singleStream/,
    /latencyMs +mean/,
  ],
  explain: [() => e.explain({ x: [2] }, ({ x }) => x.sum()), /trace/],
};

describe("text of results", () => {
  it.each(Object.entries(results))("%s", async (_, [make, ...words]) => {
    const result = (await make()) as object;
    const text = String(result);
    expect(`${result}`).toBe(text);
    expect(inspect(result)).toBe(text);
    for (const word of words) expect(text).toMatch(word);
    expect(text).not.toMatch(/\[object|undefined/);
    expect(text.split("\n").length).toBeLessThan(40);
    for (const line of text.split("\n")) expect(line.length).toBeLessThan(400);
  });

  it("is not among the properties of a result", async () => {
    const result = await e.minimize(bowl, [3], { evaluations: 5 });
    expect(Object.keys(result)).not.toContain("toString");
    expect(Object.getOwnPropertySymbols({ ...result })).toEqual([]);
    expect(structuredClone({ ...result }).value).toBe(result.value);
  });

  it("contains the findings", async () => {
    const { run, ...rest } = await e.minimize(bowl, [3], { evaluations: 5 });
    const finding = { code: "worse", serious: true, text: "the value rose", advice: "lower the rate" };
    const { contentText } = await import("../../src/engine/errors/printable.ts");
    expect(contentText({ ...rest, run: { ...run, findings: [finding] } })).toMatch(/- the value rose: lower the rate\.$/);
  });
});
