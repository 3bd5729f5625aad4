/** Predictions for new rows: which data belong to a row, which models have no rows, and draws of every sampler. */
import { describe, expect, it } from "vitest";
import * as c from "../../../src/engine/compiler/index.ts";
import * as e from "../../../src/entries/everything.ts";
import { average, expected, group, line, N, near, short, x, y } from "../draws/predicted.ts";

describe("data of new rows", () => {
  const groups = e.model(
    { x: e.vector("N"), y: e.vector("N"), group: e.vector("N"), u: e.vector("J"), scale: e.real() },
    ({ x, y, group, u, scale, param, observe }) => {
      const tau = param("tau", e.halfNormal(1));
      const effects = param("effects", e.normal(u, tau), { shape: "J", centred: false });
      observe(y, e.normal(c.add(c.take(effects, group), c.mul(c.take(u, group), x)), scale));
      return { tau, effects };
    },
  );
  const given = { x, y, group, u: [1, -1, 3], scale: 0.5 };

  it("include only data with rows, and indices are checked", async () => {
    const posterior = await e.sample(groups, given, short);
    const predictor = await posterior.predictor();
    expect(predictor.columns).toEqual(["x", "group"]);
    const effects = posterior.draws("effects");
    const mu = Float64Array.from({ length: 100 }, (_, s) => effects[3 * s + 2] + 3 * 1.5);
    near(predictor.predict({ x: 1.5, group: 2 }).y, expected(mu, new Float64Array(100).fill(0.5)));
    expect(predictor.predict([1.5, 2])).toEqual(predictor.predict({ x: 1.5, group: 2 }));
    expect(() =>
      predictor.predict([
        { x: 1, group: 0 },
        { x: 1, group: 3 },
      ]),
    ).toThrow(
      'predict: row 2: "group" is 3, but take() has 3 to choose from, so that it must be a whole number from 0 to 2, as indices count from 0. If it is a new group, the draws have no element for it: write the groups as a term of a formula, as in regression("y ~ x + (1 | group)"), which draws the effects of new groups from their population [DATA_INDEX]',
    );
    // Subtracting 1 would predict a group that exists, without an error.
    for (const wrong of [3, 7]) expect(() => predictor.predict({ x: 1, group: wrong })).not.toThrow(/subtract/);
    expect(() => predictor.predict({ x: 1, group: 0.5 })).toThrow(/"group" is 0.5, but take\(\) has 3.*count from 0 \[/);
    expect(() => predictor.predict({ x: 1, group: -1 })).toThrow(/"group" is -1, but take\(\) has 3.*count from 0 \[/);
    const formula = await e.sample(e.regression("y ~ x + (1 | group)"), { x, y, group }, short);
    const [last, fresh] = await formula.predict([2, 3].map((group) => ({ x: 1, group })));
    expect([Number.isFinite(fresh.y.mean), fresh.y.mean === last.y.mean]).toEqual([true, false]);
    expect(() => predictor.predict({ x: 1, group: 1, u: 4 })).toThrow(
      'predict: "u" does not vary by row: it keeps its value from when the model was sampled; leave it out, or sample again [DATA_SHAPE]',
    );
  });

  it("do not change if the caller's arrays change after sampling", async () => {
    const later = { ...given, u: Float64Array.of(1, -1, 3), x: Float64Array.from(x) };
    const posterior = await e.sample(groups, later, short);
    const before = (await posterior.predictor()).predict({ x: 1, group: 1 });
    later.u.fill(7);
    later.x.fill(7);
    expect((await posterior.predictor()).predict({ x: 1, group: 1 })).toEqual(before);
  });

  it("are checked if an index is computed from them", async () => {
    const cells = e.model({ row: e.vector("N"), y: e.vector("N") }, ({ row, y, param, observe }) => {
      const effects = param("effects", e.normal(0, 1), { shape: 4 });
      observe(y, e.normal(c.take(effects, c.add(c.mul(2, row), 1)), 1));
      return { effects };
    });
    const predictor = await (await e.sample(cells, { row: x.map((_, i) => i % 2), y }, short)).predictor();
    expect(Number.isFinite(predictor.predict({ row: 1 }).y.mean)).toBe(true);
    expect(() => predictor.predict({ row: 2 })).toThrow('predict: the index made of "row" is 5, but take() has 4 to choose from');
  });

  it("do not change bounds and scales that depend on all rows", async () => {
    const bent = e.model({ x: e.vector("N"), y: e.vector("N") }, ({ x, y, param, observe }) => {
      const knot = param("knot", e.uniform(c.minimum(x), c.maximum(x)));
      const slope = param("slope", e.normal(c.mean(y), 2), { centred: false });
      // The logarithm of sigma is its unconstrained number.
      const sigma = param("sigma", e.exponential(1));
      observe(y, e.normal(c.mul(slope, c.max(0, c.sub(x, knot))), c.exp(c.mul(0.5, c.log(sigma)))));
      return { knot, slope, sigma };
    });
    const posterior = await e.sample(bent, { x, y }, short);
    const [knot, slope, sigma] = (["knot", "slope", "sigma"] as const).map((name) => posterior.draws(name));
    const mu = knot.map((at, s) => slope[s] * Math.max(0, 5 - at));
    near((await posterior.predictor()).predict({ x: 5 }).y, expected(mu, sigma.map(Math.sqrt)));
  });

  it("are refused if they make an invalid distribution", async () => {
    const known = e.model({ se: e.vector("N"), y: e.vector("N") }, ({ se, y, param, observe }) => {
      const mu = param("mu", e.normal(0, 1));
      observe(y, e.normal(mu, se));
      return { mu };
    });
    const posterior = await e.sample(known, { y, se: y.map(() => 1) }, short);
    const predictor = await posterior.predictor();
    near(predictor.predict({ se: 2 }).y, expected(posterior.draws("mu"), new Float64Array(100).fill(2)));
    expect(() => predictor.predict([{ se: 1 }, { se: -1 }])).toThrow(
      'predict: row 2: it gives no valid distribution of "y" in one of the draws: normal: sigma is -1, but must be > 0; give a row like those of the model\'s data [DATA_RANGE]',
    );
  });

  it("can be nested or flat if they have several axes", async () => {
    const images = e.model({ x: e.tensor("N", 2, 2), y: e.vector("N") }, ({ x, y, param, observe }) => {
      const weight = param("weight", e.normal(0, 1), { shape: [2, 2] });
      observe(y, e.normal(c.sum(c.mul(x, weight), { axis: [1, 2] }), 1));
      return { weight };
    });
    const given = {
      y,
      x: y.map((at) => [
        [at, 1],
        [2, at * at],
      ]),
    };
    const predictor = await (await e.sample(images, given, short)).predictor();
    const flat = predictor.predict([1, 2, 3, 4]);
    expect(
      predictor.predict({
        x: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toEqual(flat);
    expect(predictor.predict({ x: [1, 2, 3, 4] })).toEqual(flat);
    expect(predictor.predict({ x: [1, 2, 4, 3] })).not.toEqual(flat);
    expect(() => predictor.predict({ x: [[1, 2], [3]] })).toThrow('predict: "x"[1] has length 1, but must have 2');
    expect(() => predictor.predict({ x: [1, 2, 3] })).toThrow('predict: "x" has length 3, but must have 2');
  });

  it("require a name for the rows if the observations have several sizes", async () => {
    const two = e.model({ a: e.vector("N"), b: e.vector("M") }, ({ a, b, param, observe }) => {
      const mu = param("mu", e.normal(0, 1));
      observe(a, e.normal(mu, 1));
      observe(b, e.normal(c.mul(2, mu), 1));
      return { mu };
    });
    const posterior = await e.sample(two, { a: y, b: [1, 2] }, short);
    await expect(posterior.predictor()).rejects.toThrow(
      'predictor: the observations have several sizes (N, M); name the one that counts rows, as in rows: "N" [OPTION_MEANING]',
    );
    const predictor = await posterior.predictor({ rows: "M" });
    expect(predictor.outputs).toEqual(["b"]);
    const mu = posterior.draws("mu").map((mu) => 2 * mu);
    expect(predictor.predict({}).b.mean).toBeCloseTo(average(mu), 12);
    await expect(posterior.predictor({ rows: "K" })).rejects.toThrow(
      /rows is "K", but no data have it as their first extent \(there are: N, M\)/,
    );
  });
});

describe("models and draws without new rows are refused", () => {
  const identity = (n: number) => Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(i === j)));

  const refusals: [string, e.StatisticalModel, e.DataOfModel<e.StatisticalModel>, RegExp][] = [
    [
      "a hidden Markov chain",
      e.model(({ data, param, marginalise }) => {
        const mu = param("mu", e.normal(0, 3), { shape: 2 });
        const A = [
          [0.9, 0.1],
          [0.1, 0.9],
        ];
        marginalise(e.hiddenMarkov([0.5, 0.5], A), (k) => e.normal(c.at(mu, k), 1), { value: data({ y: e.vector("N") }).y });
      }),
      { y },
      /the distribution of "y" in a row depends on other rows: it is a hidden Markov chain.*DRAWS_DEPENDENT/,
    ],
    [
      "errors that a scan follows",
      e.model(({ data, param, observe }) => {
        const { y } = data({ y: e.vector("N") });
        const beta = param("beta", e.normal(0, 1));
        const { outputs } = c.scan([c.full(1)], [y], ([level], [each]) => [[c.mul(beta, c.add(level, each))], [level]]);
        observe(y, e.normal(outputs[0], 1));
      }),
      { y },
      /the distribution of "y" in a row depends on other rows: its distribution changes if the row is alone/,
    ],
    [
      "a regression on the value before",
      e.model(({ data, param, observe }) => {
        const { y } = data({ y: e.vector("N") });
        observe(c.slice(y, { from: 1 }), e.normal(c.mul(param("beta", e.normal(0, 1)), c.slice(y, { to: N - 1 })), 1), "y");
      }),
      { y },
      /the model cannot be built for one row of "N"/,
    ],
    [
      "data that are centred in the model",
      e.model(({ data, param, observe }) => {
        const { x, y } = data({ x: e.vector("N"), y: e.vector("N") });
        observe(y, e.normal(c.mul(param("beta", e.normal(0, 1)), c.sub(x, c.mean(x))), 1));
      }),
      { x, y },
      /its distribution changes if the row is alone \(it uses an earlier value, a mean over rows, or their number\)/,
    ],
    [
      "the number of rows as a number",
      e.model(({ data, size, param, observe }) => {
        const { y } = data({ y: e.vector("N") });
        observe(y, e.normal(c.mul(param("beta", e.normal(0, 1)), size("N")), 1));
      }),
      { y },
      /DRAWS_DEPENDENT/,
    ],
    [
      "the place of a row",
      e.model(({ data, param, observe }) => {
        const { y } = data({ y: e.vector("N") });
        observe(y, e.normal(c.mul(param("beta", e.normal(0, 1)), c.range(y.size)), 1));
      }),
      { y },
      /DRAWS_DEPENDENT/,
    ],
    [
      "a parameter for each row",
      e.model(({ data, param, observe }) => {
        const { y } = data({ y: e.vector("J") });
        observe(y, e.normal(param("theta", e.normal(0, 1), { shape: "J" }), 1));
      }),
      { y },
      /the parameter "theta" has shape \[12\] on all rows, but \[1\] on 1 of them: it has a value for each row.*MODEL_ROWS/,
    ],
    [
      "one value of all rows",
      e.model(({ data, param, observe }) => {
        const { y, K } = data({ y: e.vector("N"), K: e.matrix("N", "M") });
        observe(
          y,
          e.multivariateNormal(
            c.full(0, [y.size]),
            c.add(
              c.matmul(K, c.transpose(K)),
              c.mul(param("s", e.halfNormal(1)), c.constantArray(identity(y.size).flat(), [y.size, y.size])),
            ),
          ),
        );
      }),
      { y, K: y.map((at) => [at]) },
      /"y" has shape \[1\] for 1 rows, or is a single value for all of them/,
    ],
    [
      "rows on another axis",
      e.model(({ data, param, observe }) => {
        const { x, y } = data({ x: e.matrix(2, "N"), y: e.vector("N") });
        observe(y, e.normal(c.mul(param("beta", e.normal(0, 1)), c.at(x, 0)), 1));
      }),
      { x: [x, y], y },
      /data "x" has the rows on axis 1, but rows must be on the first axis/,
    ],
    [
      "residuals",
      e.model(({ data, param, observe }) => {
        const { y } = data({ y: e.vector("N") });
        observe(c.sub(y, param("mu", e.normal(0, 1))), e.normal(0, 1));
      }),
      { y },
      /the value of the observation "observed 1" depends on parameters/,
    ],
    [
      "numbers without rows",
      e.model(({ data, param, observe }) => {
        const { k } = data({ k: e.integer() });
        observe(k, e.binomial(10, param("p", e.beta(1, 1))));
      }),
      { k: 3 },
      /the observations \("observed 1"\) are not a list of data with a named size/,
    ],
    [
      "sizes without a name",
      e.model(({ data, param, observe }) => void observe(data({ y: e.vector(N) }).y, e.normal(param("mu", e.normal(0, 1)), 1))),
      { y },
      /the observations \("y"\) are not a list of data with a named size/,
    ],
    [
      "terms summed out without a value",
      e.model(({ data, param, marginalise }) => {
        const { y } = data({ y: e.vector("N") });
        const mu = param("mu", e.normal(0, 1), { shape: 2 });
        marginalise(e.categorical([0.5, 0.5]), (k) => e.normal(c.at(mu, k), 1).logDensity(y), { name: "y" });
      }),
      { y },
      /the terms of "y" do not say which value they are of; give marginalise\(\) distributions and \{ value: y \}/,
    ],
    [
      "models that observe nothing",
      e.model(({ param }) => void param("mu", e.normal(0, 1))),
      {},
      /the model observes nothing, so there is nothing to predict/,
    ],
  ];

  it.each(refusals)("%s", async (_, of, data, message) => {
    const posterior = await e.sample(of, data, { ...short, algorithm: e.randomWalk(), warmup: 20 });
    await expect(posterior.predictor()).rejects.toThrow(message);
  });

  it("draws without their model and empty draws are refused", async () => {
    const plain = await e.sample((at) => -0.5 * at[0] ** 2, { dimension: 1 }, { draws: 4, warmup: 0, chains: 1 });
    await expect(plain.predictor()).rejects.toThrow(/predictor: these draws come from a file or a plain function.*DRAWS_MODEL/);
    const posterior = await e.sample(line, { x, y }, short);
    await expect(e.Draws.fromJson(JSON.parse(JSON.stringify(posterior))).predictor()).rejects.toThrow(/DRAWS_MODEL/);
    const none = await e.sample(line, { x, y }, { ...short, draws: 0 });
    await expect(none.predictor()).rejects.toThrow(/DRAWS_EMPTY/);
  });
});

/** Predictions are averages over the sampler's own draws, whichever sampler made them. */
describe("draws of every sampler", () => {
  const few = { draws: 10, chains: 2 };
  const samplers: Record<string, e.SampleOptions> = {
    "nuts()": { ...few, warmup: 50 },
    "pathfinder()": { ...few, algorithm: e.pathfinder({ paths: 1, psis: false }) },
    "meanField()": { ...few, algorithm: e.meanField({ maxIterations: 50, refineDraws: 20, psis: false }) },
    "fullRank()": { ...few, algorithm: e.fullRank({ maxIterations: 50, refineDraws: 20, psis: false }) },
    "svgd()": { algorithm: e.svgd({ particles: 30 }) },
    "sequentialMonteCarlo()": { ...few, algorithm: e.sequentialMonteCarlo() },
    "sgld() on rows": { ...few, algorithm: e.sgld({ stepSize: 1e-4, batch: 4 }), rows: "N", warmup: 10 },
    "slice()": { ...few, algorithm: e.slice(), warmup: 10 },
  };
  it.each(Object.entries(samplers))("%s", async (_, options) => {
    const posterior = await e.sample(line, { x, y }, { seed: 2, ...options });
    const predictor = await posterior.predictor();
    const [alpha, beta, sigma] = (["alpha", "beta", "sigma"] as const).map((name) => posterior.draws(name));
    expect(predictor.drawCount).toBe(alpha.length);
    near(
      predictor.predict({ x: 2 }).y,
      expected(
        alpha.map((a, s) => a + 2 * beta[s]),
        sigma,
      ),
    );
  });

  it("discrete parameters are predicted from draws of gibbs()", async () => {
    const kinds = e.model({ kind: e.vector("N"), y: e.vector("N") }, ({ kind, y, param, observe }) => {
      const high = param("high", e.bernoulli(0.5), { shape: 3 });
      const places = param("places", e.normal(0, 5), { shape: 2 });
      observe(y, e.normal(c.take(places, c.take(high, kind)), 1));
      return { high, places };
    });
    const algorithm = e.gibbs({ high: e.enumerate(), places: e.conjugate() });
    const posterior = await e.sample(
      kinds,
      { kind: [0, 1, 2, 2], y: [-3, 3, 2.9, 3.2] },
      { algorithm, draws: 60, warmup: 20, seed: 1 },
    );
    const [high, places] = [posterior.draws("high"), posterior.draws("places")];
    const mu = Float64Array.from({ length: 240 }, (_, s) => places[2 * s + high[3 * s + 1]]);
    near((await posterior.predictor()).predict({ kind: 1 }).y, expected(mu, new Float64Array(240).fill(1)));
  });
});
