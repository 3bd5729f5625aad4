/**
 * Each verb refuses objects made for another verb, with an error that names the object and recommends an alternative.
 * Users of `fit` will pass `adam()` to `sample`.
 */
import { describe, expect, it } from "vitest";
import { samplerRegistry } from "../../src/bayes/samplers/registry.ts";
import * as e from "../../src/entries/everything.ts";
import { inferenceRegistry } from "../../src/graphs/infer/registry.ts";

type Algorithm = { name: string; verb?: string; toJSON(): object };

const fitting = [e.coordinateDescent(), e.dualCoordinateDescent(), e.newtonCholesky(), e.alternatingLeastSquares()];
const algorithms: Algorithm[] = [
  ...[...fitting, e.factorCoordinateDescent(), e.gradientDescent({ rule: e.adam() })],
  ...Object.values(samplerRegistry).map((make) => make({})),
  ...Object.values(inferenceRegistry).map((make) => make({})),
  ...Object.values(e.searchRegistry).map(({ make }) => make()),
  ...Object.values(e.ruleRegistry).map(({ make }) => make()),
];
const data = e.Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
const ratings = e.Ratings.fromTriples({ users: ["u", "v"], items: ["a", "b"], values: [3, 4] });
const normal = e.model(({ data, param, observe }) => {
  const { y } = data({ y: e.vector("N") });
  observe(y, e.normal(param("mu", e.normal(0, 2)), 1));
});
const y = { y: [1, 2, 0.5] };
const graph = e.factorGraph();
graph.variable();
graph.isTrue(0, { weight: 1 });
const bowl = (x: ArrayLike<number>): number => x[0] ** 2;
const wide = { over: { rate: { low: 0.1, high: 1 } }, trials: 2, measure: (value: number) => value };

const verbs: Record<string, [verb: string, wanted: RegExp, call: (algorithm: never) => unknown]> = {
  fit: ["fit", /an algorithm of fit: write gradientDescent/, (algorithm) => e.fit(e.linear(), data, { algorithm, epochs: 1 })],
  "fit of ratings": ["fit", /an algorithm of fit/, (algorithm) => e.fit(e.factorisation(), ratings, { algorithm, epochs: 1 })],
  sample: ["sample", /a sampler: write nuts\(\)/, (algorithm) => e.sample(normal, y, { algorithm, draws: 4, warmup: 4 })],
  "sample by gibbs": [
    "sample",
    /a sampler: write nuts\(\)/,
    (mu) => e.sample(normal, y, { algorithm: e.gibbs({ mu }), draws: 4 }),
  ],
  parallelTempering: ["sample", /a sampler: write nuts\(\)/, (inner) => e.parallelTempering({ inner })],
  calibrate: [
    "sample",
    /a sampler: write nuts\(\)/,
    (algorithm) => e.calibrate(normal, y, { algorithm, simulations: 1, draws: 3 }),
  ],
  infer: ["infer", /an algorithm of infer: write elimination\(\)/, (algorithm) => e.infer(graph, { algorithm })],
  minimize: ["minimize", /a search: write cmaEs\(\)/, (algorithm) => e.minimize(bowl, [1], { algorithm, until: { seconds: 9 } })],
  search: ["minimize", /a search: write cmaEs\(\)/, (algorithm) => e.search({ x0: [1], algorithm })],
  tune: [
    "minimize",
    /a search: write cmaEs\(\)/,
    (algorithm) => (e.tune as (...given: unknown[]) => unknown)(async () => 1, { ...wide, algorithm }),
  ],
};

const failure = async (call: () => unknown): Promise<Error | undefined> => {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error as Error;
  }
};

it("the test covers algorithms of each verb and rules of each kind", () => {
  const count = (verb: string | undefined) => algorithms.filter((algorithm) => algorithm.verb === verb).length;
  expect(["fit", "sample", "infer", "minimize", undefined].map((verb) => [verb, count(verb) >= 5])).toEqual(
    ["fit", "sample", "infer", "minimize", undefined].map((verb) => [verb, true]),
  );
});

// Coordinate descent also works on plain functions, and only minimize checks for this.
describe("refusal of rules and of algorithms of other verbs", () => {
  it.each(Object.entries(verbs))("%s", async (name, [own, wanted, call]) => {
    const wrong: string[] = [];
    for (const algorithm of algorithms) {
      if (algorithm.verb === own || (name === "minimize" && algorithm.name === "coordinateDescent")) continue;
      const error = await failure(() => call(algorithm as never));
      const isRight = error instanceof e.OptionError && error.code === "OPTION_TYPE" && wanted.test(error.message);
      if (!isRight || !error.message.includes(` is ${algorithm.name}()`)) wrong.push(`${algorithm.name}: ${error}`);
    }
    expect(wrong).toEqual([]);
  });
});

it("a user's own algorithm need not name its verb", async () => {
  const { verb: _, ...own } = e.randomSearch();
  const found = await e.minimize(bowl, [1], { algorithm: own as e.SearchAlgorithm, evaluations: 9, seed: 3 });
  expect(found.value).toBe((await e.minimize(bowl, [1], { algorithm: e.randomSearch(), evaluations: 9, seed: 3 })).value);
});
