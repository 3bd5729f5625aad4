/**
 * If no start is finite, the responsible term of the model is named. Probable mistakes in a model give hints, and sound
 * models give none.
 */
import { describe, expect, it } from "vitest";
import { add, at, div, exp, input, log, mul, sub, sum, take } from "../../../src/engine/compiler/index.ts";
import {
  bernoulli,
  binomial,
  categorical,
  discreteUniform,
  fit,
  halfNormal,
  lognormal,
  type ModelContext,
  type ModelData,
  matrix,
  model,
  multivariateNormal,
  normal,
  poisson,
  randomWalk,
  sample,
  sgld,
  slice,
  truncated,
  uniform,
  vector,
} from "../../../src/entries/everything.ts";

const conditioned = (body: (context: ModelContext) => void, data: ModelData = {}) =>
  model(body).condition(data, { deterministic: true });
const points = (dimension: number, count = 5): Float64Array[] =>
  Array.from({ length: count }, (_, i) => Float64Array.from({ length: dimension }, (_, j) => Math.sin(1 + 3 * i + j)));

async function explained(
  body: (context: ModelContext) => void,
  data: ModelData = {},
  at?: Float64Array[],
): Promise<string | undefined> {
  using posterior = await conditioned(body, data);
  return posterior.explain(at ?? points(posterior.dimension));
}

describe("a density that is nowhere finite", () => {
  it("is not reported if the density is finite", async () => {
    const line = ({ data, param, observe }: ModelContext) =>
      observe(data({ y: vector("N") }).y, normal(param("mu", normal(0, 1)), 1));
    expect(await explained(line, { y: [1, 2] })).toBeUndefined();
    expect(await explained(line, { y: [1, 2] }, [Float64Array.of(0, 0)])).toBeUndefined();
    expect(await explained(line, { y: [1, 2] }, [])).toBeUndefined();
  });

  it("the first term that is not finite at all starts is named with its element", async () => {
    const body = ({ data, param, observe }: ModelContext) => {
      const { a, b } = data({ a: vector("N"), b: matrix("M", "K") });
      const p = param("p", "unitInterval");
      observe(a, bernoulli(p));
      observe(b, bernoulli(p));
    };
    const fine = [0, 1, 1];
    const table = [
      [0, 1],
      [1, 7],
    ];
    expect(await explained(body, { a: fine, b: table })).toBe(
      "bernoulli b[1][1] = 7 is -inf at all of them: its values are whole numbers from 0 to 1",
    );
    expect(await explained(body, { a: [0, 0.5, 1], b: table })).toMatch(/^bernoulli a\[1\] = 0\.5 is -inf at all of them/);
  });

  it("priors, targets and summed-out terms are named", async () => {
    expect(await explained(({ param }) => void param("x", uniform(3, 4), { constraint: "real" }))).toBe(
      'the prior uniform of "x" is -inf at all of them: its values are numbers from 3 to 4',
    );
    expect(await explained(({ param }) => void param("x", uniform([0, 3], [9, 4]), { constraint: "positive" }))).toMatch(
      /^the prior uniform of "x", element \[1\], is -inf/,
    );
    expect(
      await explained(
        ({ param, target }) => [target(param("x", normal(0, 1))), target(log(sub(-9, param("y", normal(0, 1)))))] as never,
      ),
    ).toBe("the target() term 2 is not a number at all of them");
    const mixture = ({ data, param, marginalise }: ModelContext) => {
      const rate = param("rate", "positive");
      marginalise(categorical([0.5, 0.5]), (k) => poisson(mul(k + 1, rate)), { value: data({ y: vector("N") }).y });
    };
    expect(await explained(mixture, { y: [1, -1] })).toBe('marginalise "y" is -inf at all of them');
    expect(await explained(mixture, { y: [1, 2] })).toBeUndefined();
  });

  it("a distribution parameter that breaks its constraint is named", async () => {
    const scales = ({ data, param, observe }: ModelContext) => {
      const { y } = data({ y: vector("N") });
      observe(y, normal(0, sub(-9, param("tau", normal(0, 1)))));
    };
    expect(await explained(scales, { y: [1, 2] })).toMatch(
      /^normal y\[0\] = 1 is not a number at all of them: sigma is -9\.\d+, but must be > 0$/,
    );
    const bounds = ({ data, param, observe }: ModelContext) => {
      const { n, y } = data({ y: vector("N"), n: vector("N") });
      observe(y, binomial(n, param("p", "unitInterval")));
    };
    expect(await explained(bounds, { y: [1, 9], n: [3, 4] })).toMatch(
      /^binomial y\[1\] = 9 .*: its values are whole numbers from 0 to 4$/,
    );
    await expect(explained(bounds, { y: [1, 2], n: [3, 4.5] })).rejects.toThrow(
      /data "n"\[1\]: it is 4\.5, but is the trials of binomial, which must be a whole number >= 0; change it \(at .*DATA_RANGE/,
    );
    const made = ({ data, param, observe }: ModelContext) => {
      const { n } = data({ n: vector("N") });
      observe(n, normal(param("mu", "real"), sub(n, 2)));
    };
    await expect(explained(made, { n: [3, 1] })).rejects.toThrow(
      /sigma\[1\] made of data "n": it is -1, but is the sigma of normal/,
    );
    const matrices = ({ data, param, observe }: ModelContext) => {
      const { y } = data({ y: matrix("N", 2) });
      observe(
        y,
        multivariateNormal(
          [0, 0],
          input("data y", [2, 2])
            .mul(0)
            .sub(exp(param("a", "real"))),
        ),
      );
    };
    expect(
      await explained(matrices, {
        y: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toMatch(/^multivariateNormal y\[0\] is not a number.*covariance is \[/);
  });

  it("if no single element fails everywhere, the term that fails most often is named", async () => {
    const y = [0, 0];
    // x > 0 makes the first element undefined, and x < 0 the second.
    const sides = ({ data, param, target }: ModelContext) => {
      data({ y: vector("N") });
      const x = param("x", normal(0, 1));
      target(log(mul(x, [-1, 1] as never)));
    };
    expect(await explained(sides, { y }, [Float64Array.of(1), Float64Array.of(-1)])).toBe(
      "the target() term is not a number at all of them, through different elements each time",
    );
    const half = ({ param, target }: ModelContext) => target(log(param("x", normal(0, 1))));
    expect(
      await explained(
        half,
        {},
        [1, -1, -2, -3].map((u) => Float64Array.of(u)),
      ),
    ).toBe("the target() term is not a number at 3 of 4 of them");
    expect(await explained(half, {}, [Float64Array.of(-1)])).toBe("the target() term is not a number there");
  });

  it("every start is examined", async () => {
    const sides = model(({ param, target }) => {
      const x = param("x", "real");
      target(log(x));
      target(log(mul(-1, x)));
    });
    const run = sample(sides, {}, { warmup: 5, draws: 5, chains: 1, seed: 1 });
    // About half of 100 points lie on either side.
    await expect(run).rejects.toThrow(/the target\(\) term( 2)? is not a number at [56]\d of 100 of them/);
  });

  it("every verb and sampler reports the cause", async () => {
    const wrong = model(({ data, param, observe }) => observe(data({ y: vector("N") }).y, bernoulli(param("p", "unitInterval"))));
    const data = { y: [0, 1, 1, 0, 1, 0, 0, 2] };
    const words = /bernoulli y\[7\] = 2 is -inf at all of them: its values are whole numbers from 0 to 1.*SAMPLE_START/;
    const plan = { warmup: 5, draws: 5, chains: 2, seed: 1 };
    await expect(sample(wrong, data, plan)).rejects.toThrow(words);
    for (const algorithm of [randomWalk(), slice(), sgld({ stepSize: 1e-3, batch: 2 })])
      await expect(sample(wrong, data, { ...plan, ...(algorithm.readsRows ? { rows: "N" } : {}), algorithm })).rejects.toThrow(
        /bernoulli y\[7\] = 2 is -inf at all of them/,
      );
    await expect(sample(wrong, data, { ...plan, start: { p: 0.5 } })).rejects.toThrow(
      /starting point has.*bernoulli y\[7\] = 2 is -inf there/,
    );
    await expect(fit(wrong, data)).rejects.toThrow(words);
  });
});

describe("data", () => {
  it("are checked for each array that they index", async () => {
    const both = ({ data, param, target }: ModelContext) => {
      const { g } = data({ g: vector("N") });
      target(take(param("wide", normal(0, 1), { shape: 3 }), g));
      target(take(param("narrow", normal(0, 1), { shape: 2 }), g));
    };
    await expect(conditioned(both, { g: [0, 2] })).rejects.toThrow(
      /data "g"\[1\]: it is 2, but take\(\) has 2 to choose from.*\(at .*DATA_INDEX/,
    );
    (await conditioned(both, { g: [0, 1] })).dispose();
    const made = ({ data, param, target }: ModelContext) =>
      target(take(param("a", normal(0, 1), { shape: 2 }), sub(data({ g: vector("N") }).g, 1)));
    await expect(conditioned(made, { g: [1, 2, 3] })).rejects.toThrow(/^index\[2\] made of data "g": it is 2/);
  });

  it("indices that depend on a parameter are not checked", async () => {
    const chosen = ({ param, target }: ModelContext) => {
      const z = param("z", categorical([0.5, 0.5]));
      target(take(param("a", normal(0, 1), { shape: 2 }), z));
    };
    (await conditioned(chosen)).dispose();
  });

  it("missing values are named with all their indices", async () => {
    const table = ({ data, param }: ModelContext) => {
      data({ x: matrix("N", "K") });
      param("a", "real");
    };
    const row = [1, 2, 3];
    await expect(conditioned(table, { x: [row, [4, 5, null]] as never })).rejects.toThrow(
      /data "x"\[1\]\[2\]: it is missing \(null\)/,
    );
    await expect(conditioned(table, { x: [row, null, row] as never })).rejects.toThrow(/data "x"\[1\]: it is missing \(null\)/);
    await expect(conditioned(table, { x: null as never })).rejects.toThrow(/data "x": it is missing \(null\)/);
    await expect(conditioned(table, { x: [row, undefined] as never })).rejects.toThrow(
      /data "x"\[1\]: it is missing \(undefined\)/,
    );
  });
});

describe("bounds", () => {
  it("reversed bounds of one element are refused, and equal ones if the interval would be empty", () => {
    expect(() => uniform([0, 5], [1, 4])).toThrow(/low is 5 and high is 4, but low must be below high; exchange them/);
    expect(() => uniform(0, [1, -1])).toThrow(/low is 0 and high is -1/);
    expect(() => uniform(2, 2)).toThrow(/low is 2 and high is 2, but low must be below high \(/);
    expect(discreteUniform(2, 2).mean()).toBe(2);
    expect(() => discreteUniform(3, 2)).toThrow(/exchange them/);
    expect(() => truncated(normal(0, 1), { lower: 1, upper: 1 })).toThrow(/lower must be below upper/);
    expect(truncated(poisson(1), { lower: 1, upper: 1 }).name).toBe("truncated");
  });
});

describe("hints", () => {
  const hintsOf = async (body: (context: ModelContext) => void, data: ModelData = {}) => {
    using posterior = await conditioned(body, data);
    return posterior.hints.map(({ code }) => code);
  };

  it("are given for parameters that are indexed, transformed or repeated", async () => {
    expect(
      await hintsOf(
        ({ data, param, observe }) => {
          const { y, g } = data({ y: vector("N"), g: vector("N") });
          observe(y, normal(0, take(param("s", normal(0, 1), { shape: 2 }), g)));
          observe(y, normal(0, at(param("t", "real", { shape: 2 }), 1)));
        },
        { y: [1, 2], g: [0, 1] },
      ),
    ).toEqual(["unbounded", "unbounded"]);
    expect(await hintsOf(({ param }) => void param("x", normal(0, param("s", "real")), { shape: 2 }))).toEqual(["unbounded"]);
    expect(await hintsOf(({ param, observe }) => observe(at(param("x", "real", { shape: 2 }), 0), normal(0, 1)))).toEqual([
      "observedParameter",
    ]);
    expect(await hintsOf(({ param, observe }) => observe(sum(param("x", "real", { shape: 2 })), normal(0, 1)))).toEqual([
      "jacobian",
    ]);
  });

  it("are not given for sound models", async () => {
    expect(
      await hintsOf(
        ({ data, param, observe, marginalise, generated }) => {
          const { x, y } = data({ x: vector("N"), y: vector("N") });
          const mu = param("mu", "real");
          const tau = param("tau", halfNormal(1));
          const logs = param("logs", normal(0, 1));
          const theta = param("theta", normal(mu, tau), { shape: "N", centred: false });
          const scale = param("scale", lognormal(0, 1), { centred: false });
          const low = param("low", normal(0, 1), { lower: 0 });
          observe(y, normal(theta, scale));
          observe(y, normal(add(mu, mul(low, x)), exp(logs)));
          observe(div(y, 2), normal(mu, low));
          observe(3, normal(mu, tau));
          marginalise(categorical([0.5, 0.5]), (k) => normal(k, tau), { value: y });
          generated("again", normal(mu, tau));
        },
        { x: [1, 2], y: [0, 1] },
      ),
    ).toEqual([]);
  });

  it("are stored with the draws, in the description, the file and the verdict", async () => {
    const body = ({ data, param, observe }: ModelContext) =>
      observe(data({ y: vector("N") }).y, normal(0, param("sigma", "real")));
    const start = { sigma: 1 };
    const draws = await sample(model(body), { y: [1, 2, -1] }, { warmup: 50, draws: 50, chains: 1, seed: 1, start });
    expect(draws.description.hints).toEqual([expect.objectContaining({ code: "unbounded" })]);
    const finding = draws.verdict().findings.find(({ code }) => code === "model");
    expect(finding).toMatchObject({ serious: false, text: expect.stringContaining('the parameter "sigma" has no bounds') });
    const none = await sample(
      model(({ param }) => void param("x", normal(0, 1))),
      {},
      { warmup: 5, draws: 5, chains: 1, seed: 1 },
    );
    expect("hints" in none.description).toBe(false);
  });
});
