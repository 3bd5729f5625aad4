/**
 * When options do not combine, the error names only options that the user gave. The test tries every algorithm of fit
 * with every option of a plan on each kind of model, and then the errors of verbs and algorithms without such a plan.
 */
import { afterAll, describe, expect, it } from "vitest";
import { compileFunction } from "../../src/engine/compiler/array/index.ts";
import * as e from "../../src/entries/everything.ts";

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(3 * i), ((i * 7) % 11) / 11]);
const y = x.map(([a, b, c], i) => a - b / 2 + c + 0.3 * Math.sin(5 * i));
const numbers = e.Dataset.fromArrays({ x, y });
const counts = e.Dataset.fromArrays({ x, y: y.map((v) => Math.round(Math.abs(v))) });
const ratings = e.Ratings.fromTriples({
  users: x.map((_, i) => `u${i % 7}`),
  items: x.map((_, i) => `i${i % 9}`),
  values: x.map((_, i) => 1 + (i % 5)),
});
afterAll(() => {
  numbers.dispose();
  counts.dispose();
});

const failure = async (call: () => unknown): Promise<(Error & { code: string }) | undefined> => {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error as Error & { code: string };
  }
};

const ways: Record<string, object> = {
  "the default": {},
  coordinateDescent: { algorithm: e.coordinateDescent() },
  "coordinateDescent cyclic": { algorithm: e.coordinateDescent({ pick: "cyclic" }) },
  dualCoordinateDescent: { algorithm: e.dualCoordinateDescent() },
  newtonCholesky: { algorithm: e.newtonCholesky() },
  alternatingLeastSquares: { algorithm: e.alternatingLeastSquares() },
  factorCoordinateDescent: { algorithm: e.factorCoordinateDescent() },
  adam: { rule: e.adam() },
  lbfgs: { rule: e.lbfgs() },
  stochasticLineSearch: { rule: e.stochasticLineSearch() },
  svrg: { variance: e.svrg() },
  sag: { variance: e.sag() },
  "saga and lbfgs": { variance: e.saga(), rule: e.lbfgs() },
};
const plans: object[] = [
  ...[{ batch: 4 }, { batch: "all" }, { workers: 2 }, { replicas: 2 }, { replicas: "shared" }, { workers: 2, replicas: 1 }],
  ...[{ workers: 2, replicas: 2 }, { workers: 2, replicas: "shared" }, { workers: 2, deterministic: true }, { replicas: 99 }],
  ...[
    { workers: 2, replicas: "shared", deterministic: true },
    { batch: "all", replicas: 2 },
    { replicas: 2, data: "replicated" },
  ],
  ...[{ data: "replicated" }, { averageEvery: 2 }, { averageEvery: 2, workers: 2 }, { data: "replicated", workers: 2 }],
  ...[{ blockRows: 8 }, { schedule: "blocks" }, { schedule: "replacement" }, { schedule: "ordered" }, { precision: "i8" }],
  ...[{ precision: { model: "i16" } }, { precision: { data: "f64", model: "f32" } }, { precision: { data: "i8", model: "f64" } }],
];
const OPTION =
  /\b(workers|replicas|batch|schedule|data|precision|averageEvery|blockRows|deterministic|rule|variance|algorithm)(?:\.\w+)? is\b/g;

describe.each([
  ["linear", () => e.linear({ l2: 0.1 }), numbers],
  ["network", () => e.network([e.dense(3), e.relu(), e.dense(1)]), numbers],
  ["factorisation", () => e.factorisation({ rank: 2 }), ratings],
] as const)("fit of a model of kind %s, whose refusals name only given options", (_, model, data) => {
  it.each(Object.entries(ways))("%s", async (_, way) => {
    const wrong: string[] = [];
    let refused = 0;
    for (const plan of plans) {
      const given = { ...way, ...plan };
      const error = await failure(() => e.fit(model() as never, data as never, { epochs: 1, ...given } as never));
      if (error === undefined) continue;
      refused++;
      expect(error, JSON.stringify(given)).toBeInstanceOf(e.ErgodicError);
      const named = Array.from(error.message.matchAll(OPTION), ([, option]) => option);
      if (named.some((option) => !(option in given))) wrong.push(`${JSON.stringify(given)}: ${error.message}`);
    }
    expect(wrong).toEqual([]);
    expect(refused).toBeGreaterThan(4);
  });
});

it.each([
  [{ estimate: { rows: 2, rate: 0.1 } }, /: estimate needs a bound on the curvature .*; leave estimate out \[/],
  [{ acceleration: "nesterov" }, /: acceleration "nesterov" needs a bound .*; use acceleration: "anderson" or "none" \[/],
  [{ step: "lipschitz" }, /: step "lipschitz" needs a bound .*; use step: "exact" \[/],
  [{ pick: "importance" }, /: pick "importance" needs a bound .*; use pick: "random" \[/],
] as const)("coordinateDescent(%o) names that option when it refuses a loss without a bound", async (options, words) => {
  const algorithm = e.coordinateDescent(options);
  expect((await failure(() => e.fit(e.linear({ loss: "poisson" }), counts, { algorithm })))?.message).toMatch(words);
});

it("variance reduction of networks is refused with the memory or work of each method", async () => {
  const attempt = (variance: e.Variance) => failure(() => e.fit(e.network([e.dense(1)]), numbers, { variance, rule: e.sgd() }));
  expect((await attempt(e.svrg()))?.message).toMatch(
    /^fit: svrg is only for linear models: a network would need a second backward pass/,
  );
  for (const variance of [e.saga(), e.sag()])
    expect((await attempt(variance))?.message).toMatch(
      /^fit: saga? keeps one number per row, which gives the gradient only of linear models, not of a network; leave/,
    );
});

describe("refused rules", () => {
  const graph = e.factorGraph();
  graph.weight("pair", 0.3);
  for (let i = 0; i < 4; i++) graph.variable();
  for (let i = 0; i < 4; i++) graph.equal([i, (i + 1) % 4], { weight: "pair" });
  for (let i = 0; i < 4; i++) graph.observe(i, i % 2);
  const normal = e.model(({ data, param, observe }) => {
    const { y } = data({ y: e.vector("N") });
    observe(y, e.normal(param("mu", e.normal(0, 2)), 1));
  });

  it("a chain link is refused as a rule, with a chain to use instead", async () => {
    const f = await compileFunction({ w: [2] }, ({ w }) => w.square().sum(), { gradient: ["w"] });
    for (const [rule, chain] of [
      [e.clipNorm({ norm: 1 }), "chain(clipNorm(), sgd())"],
      [e.averaging(), "chain(sgd(), averaging())"],
    ] as const) {
      const message = `${rule.name} is a link for chains, not a complete rule: it has no rate; use ${chain} [RULE_LINK]`;
      for (const call of [
        () => e.fit(e.linear(), numbers, { rule }),
        () => e.fit(graph, { rule }),
        () => e.fit(normal, { y }, { rule }),
        () => e.minimize(f, [0, 1], { rule }),
      ])
        expect((await failure(call))?.message).toContain(message);
    }
  });

  it("a graph refuses a line search on minibatches with every learner", async () => {
    for (const algorithm of [e.contrastiveDivergence(), e.pseudoLikelihood(), e.exactLikelihood()]) {
      const error = await failure(() => e.fit(graph, { algorithm, rule: e.stochasticLineSearch() }));
      expect(error?.message).toBe(
        "fit: stochasticLineSearch() searches on minibatches, but each update of a graph reads all evidence; use a rule such as adam() [RULE_CAPABILITY]",
      );
    }
    const error = await failure(() => e.fit(graph, { algorithm: e.exactLikelihood(), rule: e.lbfgs() }));
    expect(error?.message).toMatch(/cannot wait for; use a rule such as adam\(\) \[/);
    expect(e.ruleRegistry).toHaveProperty("adam");
  });

  it("a mode search refuses two rules", async () => {
    const both = { rule: e.adam(), algorithm: e.lbfgs() };
    const error = await failure(() => e.fit(normal, { y }, both as never));
    expect(error?.message).toBe("fit: rule and algorithm were both given; leave one out [OPTION_CONFLICT]");
  });

  it.each([
    ["sample", "precision", () => e.sample(normal, { y }, { precision: "f32" } as never), /float64/],
    ["sample", "batch", () => e.sample(normal, { y }, { batch: 4 } as never), /sgld\(\{ batch: 100 \}\)/],
    ["sample", "rule", () => e.sample(normal, { y }, { rule: e.adam() } as never), /fit\(model, data, \{ rule \}\)/],
    ["infer", "precision", () => e.infer(graph, { precision: "i8" } as never), /replicaGibbs\(\)/],
    ["infer", "batch", () => e.infer(graph, { batch: 3 } as never), /reads all factors/],
    ["infer", "replicas", () => e.infer(graph, { replicas: 3 } as never), /graphGibbs\(\{ chains: 8 \}\)/],
    ["fit", "batch", () => e.fit(graph, { batch: 3 } as never), /all evidence/],
    ["fit", "precision", () => e.fit(graph, { precision: "f32" } as never), /float64/],
    ["graphGibbs", "batch", () => e.graphGibbs({ batch: 3 } as never), /all of its factors/],
    ["graphGibbs", "precision", () => e.graphGibbs({ precision: "i8" } as never), /replicaGibbs\(\)/],
    ["graphGibbs", "replicas", () => e.graphGibbs({ replicas: 8 } as never), /chains: 8/],
    ["contrastiveDivergence", "batch", () => e.contrastiveDivergence({ batch: 8 } as never), /particles/],
    ["meanField", "rule", () => e.meanField({ rule: e.adam() } as never), /rate/],
    ["fullRank", "rule", () => e.fullRank({ rule: e.adam() } as never), /rate/],
  ] as const)("%s refuses the option %s and lists the valid ones", async (where, option, call, instead) => {
    const error = await failure(call);
    expect(error).toMatchObject({ code: "OPTION_UNKNOWN" });
    expect(error?.message.startsWith(`${where}: ${option} is not an option of ${where}: `)).toBe(true);
    expect(error?.message).toMatch(instead);
  });

  it("every recommended alternative is valid", () => {
    for (const made of [e.graphGibbs({ chains: 8 }), e.replicaGibbs({ replicas: 128 }), e.sgld({ batch: 100 })])
      expect(made.name).toMatch(/Gibbs|sgld/);
    expect(e.contrastiveDivergence({ particles: 8 }).name).toBe("contrastiveDivergence");
  });
});
