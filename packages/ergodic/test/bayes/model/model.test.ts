/**
 * Statistical models: layout, densities of every kind of parameter, data, prior and predictive draws, bindings, and
 * errors with the user's line.
 */
import { describe, expect, it } from "vitest";
import {
  beta,
  type ConditionedModel,
  cauchy,
  type Distribution,
  dirichlet,
  gamma,
  halfCauchy,
  integer,
  laplace,
  lkjCholesky,
  logistic,
  lognormal,
  type ModelContext,
  type ModelData,
  matrix,
  model,
  multinomial,
  multivariateNormalCholesky,
  normal,
  poisson,
  poissonLog,
  real,
  student,
  vector,
} from "../../../src/bayes/model/index.ts";
import { withoutInvariants } from "../../../src/bayes/model/invariants.ts";
import {
  add,
  arraysBelow,
  constantArray,
  exp,
  full,
  identity,
  input,
  interpret,
  less,
  log,
  matmul,
  mul,
  type SymbolicArray,
  sum,
  where,
} from "../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const SCHOOLS = { J: 8, y: [28, 8, -3, 7, -1, 1, 18, 12], sigma: [15, 10, 16, 11, 9, 11, 10, 18] };

const schools = (centred: boolean) =>
  model(({ data, param, observe, transformed, generated }) => {
    const { y, sigma } = data({ y: vector("J"), sigma: vector("J") });
    const mu = param("mu", normal(0, 5));
    const tau = param("tau", halfCauchy(5));
    const theta = param("theta", normal(mu, tau), { shape: "J", centred });
    transformed("variance", mul(tau, tau));
    generated("twice", mul(2, theta));
    generated("again", normal(theta, sigma));
    observe(y, normal(theta, sigma));
  });

const conditioned = (body: (context: ModelContext) => void, data: ModelData = {}): Promise<ConditionedModel> =>
  model(body).condition(data, { deterministic: true });

const numbers = (count: number, seed: number): Float64Array => {
  const draws = stream(seed, "model").at(0);
  return Float64Array.from({ length: count }, () => 0.7 * draws.normal());
};

/** Compares the compiled density with the interpreter and its gradient with finite differences. */
function checkCompiled(posterior: ConditionedModel, u: Float64Array): void {
  const { value, gradient } = posterior.evaluate(u);
  expect(Number.isFinite(value)).toBe(true);
  expect(Math.abs(value - posterior.logDensity(u))).toBeLessThan(1e-11 * Math.max(1, Math.abs(value)));
  const h = 1e-4;
  for (let i = 0; i < u.length; i++) {
    const at = (steps: number) => posterior.evaluate(u.map((x, k) => (k === i ? x + steps * h : x))).value;
    const slope = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
    expect(Math.abs(gradient[i] - slope), `${i}: ${gradient[i]} for ${slope}`).toBeLessThan(1e-8 * Math.max(1, Math.abs(slope)));
  }
}

const logNormal = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);

describe("eight schools", () => {
  const y = SCHOOLS.y;
  const byHand = (mu: number, tau: number, theta: ArrayLike<number>): number => {
    const prior = logNormal(mu, 0, 5) + Math.log(2 / (Math.PI * 5 * (1 + (tau / 5) ** 2)));
    return y.reduce((total, yj, j) => total + logNormal(theta[j], mu, tau) + logNormal(yj, theta[j], SCHOOLS.sigma[j]), prior);
  };

  it.each([true, false])("has the textbook density, centred: %s", async (centred) => {
    using posterior = await schools(centred).condition(SCHOOLS, { deterministic: true });
    expect(posterior.dimension).toBe(10);
    const theta = [3, 1, -2, 5, 0, 4, 8, 2];
    const u = posterior.unconstrain({ mu: 1.5, tau: 2.5, theta });
    expect([...u.slice(0, 2)]).toEqual([1.5, Math.log(2.5)]);
    expect(posterior.logDensityOfValues(u)).toBeCloseTo(byHand(1.5, 2.5, theta), 11);
    // The density of u has a factor τ from log τ, and τ⁸ for the non-centred z.
    expect(posterior.evaluate(u).value).toBeCloseTo(byHand(1.5, 2.5, theta) + (centred ? 1 : 9) * Math.log(2.5), 11);
    checkCompiled(posterior, u);
    checkCompiled(posterior, numbers(10, 1));
  });

  it("reports parameters, transformed and generated quantities by name", async () => {
    using posterior = await schools(false).condition(SCHOOLS);
    expect(posterior.quantities.map(({ name, kind, shape, offset }) => [name, kind, shape, offset])).toEqual([
      ["mu", "parameter", [], 0],
      ["tau", "parameter", [], 1],
      ["theta", "parameter", [8], 2],
      ["variance", "transformed", [], 10],
      ["twice", "generated", [8], 11],
      ["again", "generated", [8], 19],
    ]);
    const u = numbers(10, 2);
    const values = posterior.constrain(u);
    const tau = Math.exp(u[1]);
    expect(values.variance[0]).toBeCloseTo(tau * tau, 12);
    for (let j = 0; j < 8; j++) {
      expect(values.theta[j]).toBeCloseTo(u[0] + tau * u[2 + j], 12);
      expect(values.twice[j]).toBeCloseTo(2 * values.theta[j], 12);
    }
    expect(values.again).toBeUndefined();
    const drawn = posterior.constrain(u, stream(3, "draw").at(0));
    expect(drawn.again).toHaveLength(8);
    expect(posterior.constrain(u, stream(3, "draw").at(0)).again).toEqual(drawn.again);
    const two = posterior.valuesOf([...u, ...numbers(10, 3)]);
    expect(posterior.valueCount).toBe(19);
    expect([...two.slice(0, 2)]).toEqual([values.mu[0], values.tau[0]]);
    expect([...two.slice(19, 38)]).toEqual([...posterior.valuesOf(numbers(10, 3))]);
  });

  it("reports what a one-argument function returns, as with data named first", async () => {
    const first = model({ x: vector("N") }, ({ x, param, observe }) => {
      const mu = param("mu", normal(0, 2));
      observe(x, normal(mu, 1));
      return { mu, twice: mul(mu, 2), next: normal(mu, 1) };
    });
    const alone = model(({ data, param, observe }) => {
      const { x } = data({ x: vector("N") });
      const mu = param("mu", normal(0, 2));
      observe(x, normal(mu, 1));
      return { mu, twice: mul(mu, 2), next: normal(mu, 1) };
    });
    using one = await first.condition({ x: [1, 3] });
    using other = await alone.condition({ x: [1, 3] });
    expect(other.quantities).toEqual(one.quantities);
    expect(other.quantities.map(({ name, kind }) => [name, kind])).toEqual([
      ["mu", "parameter"],
      ["twice", "generated"],
      ["next", "generated"],
    ]);
    expect(other.constrain(Float64Array.of(0.5), stream(3, "draw").at(0))).toEqual(
      one.constrain(Float64Array.of(0.5), stream(3, "draw").at(0)),
    );
    // A returned expression without a name is not reported.
    for (const body of [
      ({ param }: ModelContext) => param("mu", normal(0, 2)),
      ({ param }: ModelContext) => void param("mu", normal(0, 2)),
    ]) {
      using posterior = await model(body).condition({});
      expect(posterior.quantities.map(({ name }) => name)).toEqual(["mu"]);
    }
    await expect(model(({ param }) => ({ m: param("mu", normal(0, 2)) })).condition({})).rejects.toThrow(
      'model: "mu" is returned as "m"; return it under its own name [MODEL_NAME]',
    );
    await expect(model(({ param }) => ({ mu: param("mu", normal(0, 2)), n: 3 })).condition({})).rejects.toThrow(
      /"n" of what the function returns is 3, .*a symbolic array or a distribution/,
    );
  });

  it("reports and predicts each observation's log density", async () => {
    using posterior = await schools(true).condition(SCHOOLS);
    const theta = [3, 1, -2, 5, 0, 4, 8, 2];
    const u = posterior.unconstrain({ mu: 1.5, tau: 2.5, theta });
    posterior.pointwise(u).y.forEach((x, j) => {
      expect(x).toBeCloseTo(logNormal(y[j], theta[j], SCHOOLS.sigma[j]), 12);
    });
    expect(posterior.predict(u, stream(1, "y").at(0)).y).toEqual(posterior.constrain(u, stream(1, "y").at(0)).again);
  });

  it("draws from the prior", async () => {
    for (const centred of [true, false]) {
      using posterior = await schools(centred).condition(SCHOOLS);
      const at = stream(7, "prior", Number(centred));
      const count = 4000;
      const scores: number[] = [];
      let below = 0;
      for (let i = 0; i < count; i++) {
        const { mu, tau, theta } = posterior.constrain(posterior.drawPrior(at.at(i)));
        scores.push((theta[3] - mu[0]) / tau[0]);
        below += Number(tau[0] < 5);
      }
      // Scores are standard normal, and P(τ < 5) = ½. A z score exceeds 4.9 by chance with probability 10⁻⁶, so 4e-6
      // for four checks.
      const mean = scores.reduce((a, b) => a + b, 0) / count;
      expect(Math.abs(mean) * Math.sqrt(count)).toBeLessThan(4.9);
      expect(Math.abs(below - count / 2) / Math.sqrt(count / 4)).toBeLessThan(4.9);
    }
  });
});

describe("parameters", () => {
  const words = ["real", "positive", "unitInterval", "angle", "simplex", "ordered", "positiveOrdered", "unitVector"] as const;
  it.each(words)("%s: a flat parameter survives the transform and its inverse", async (word) => {
    using posterior = await conditioned(({ param, target }) => {
      const x = param("x", word, { shape: [2, 3] });
      target(mul(-0.5, sum(mul(x, add(x, 0.3)))));
    });
    const u = numbers(posterior.dimension, 4);
    checkCompiled(posterior, u);
    const values = posterior.constrain(u);
    const back = posterior.constrain(posterior.unconstrain(values));
    values.x.forEach((x, i) => {
      expect(back.x[i]).toBeCloseTo(x, 11);
    });
  });

  it.each([
    ["correlationCholesky", 3],
    ["covarianceCholesky", 6],
  ] as const)("%s", async (word, dimension) => {
    using posterior = await conditioned(({ param, target }) => {
      target(mul(-1, sum(exp(param("l", word, { shape: 3 })))));
    });
    expect(posterior.dimension).toBe(dimension);
    checkCompiled(posterior, numbers(dimension, 5));
    expect(posterior.constrain(numbers(dimension, 5)).l).toHaveLength(9);
  });

  it("of several correlation matrices are refused with the parameter's name", async () => {
    await expect(conditioned(({ param }) => void param("l", lkjCholesky(3, 2), { shape: 2 }))).rejects.toThrow(
      /param "l": its shape is \[2\], but a parameter can hold only one correlation matrix.*\[MODEL_PRIOR\]/,
    );
  });

  it("take their shape from the prior and the transform from its support", async () => {
    using posterior = await conditioned(({ param }) => {
      const p = param("p", dirichlet([2, 3, 4]), { shape: 2 });
      param("l", lkjCholesky(3, 2));
      param("b", beta(2, [3, 4]));
      param("x", normal(sum(p), 1), { lower: -1, upper: add(1, sum(p)), shape: [2, 1] });
      param("o", normal([0, 1], 2), { constraint: "ordered" });
    });
    expect(posterior.quantities.map(({ name, shape }) => [name, shape])).toEqual([
      ["p", [2, 3]],
      ["l", [3, 3]],
      ["b", [2]],
      ["x", [2, 1]],
      ["o", [2]],
    ]);
    expect(posterior.dimension).toBe(4 + 3 + 2 + 2 + 2);
    const u = numbers(posterior.dimension, 6);
    checkCompiled(posterior, u);
    const { x, o, p } = posterior.constrain(u);
    expect(x.every((v) => v > -1 && v < 3)).toBe(true);
    expect(o[1]).toBeGreaterThan(o[0]);
    expect(p[0] + p[1] + p[2]).toBeCloseTo(1, 12);
    posterior.unconstrain(posterior.constrain(u)).forEach((v, i) => {
      expect(v).toBeCloseTo(u[i], 9);
    });
    const drawn = posterior.constrain(posterior.drawPrior(stream(1, "p").at(0)));
    expect(drawn.x.every((v) => v > -1 && v < 3)).toBe(true);
    expect(drawn.o[1]).toBeGreaterThan(drawn.o[0]);
  });

  /** Lower triangular matrix with s on the diagonal and ½ below. */
  const factorOf = (s: SymbolicArray): SymbolicArray => {
    const below = constantArray([0, 0, 0, 0.5, 0, 0, 0.5, 0.5, 0], [3, 3]);
    return where(identity(3), s, below);
  };
  const families: [string, (mu: SymbolicArray, s: SymbolicArray) => Distribution][] = [
    ["normal", normal],
    ["cauchy", cauchy],
    ["student", (mu, s) => student(5, mu, s)],
    ["laplace", laplace],
    ["logistic", logistic],
    ["lognormal", lognormal],
    ["multivariateNormalCholesky", (mu, s) => multivariateNormalCholesky(add(mu, full(0, [3])), factorOf(s))],
  ];
  it.each(families)("%s: the non-centred form has the centred density", async (name, family) => {
    const of = (centred: boolean) =>
      conditioned(
        ({ data, param }) => {
          const { s } = data({ s: vector(3) });
          const m = param("m", normal(0, 1));
          param("x", family(m, mul(s, exp(mul(0.1, m)))), { centred });
        },
        { s: [0.5, 2, 1.5] },
      );
    using reference = await of(true);
    using form = await of(false);
    const values = { m: 0.4, x: [0.7, 1.9, 0.2] };
    const u = form.unconstrain(values);
    expect(form.logDensityOfValues(u)).toBeCloseTo(reference.logDensityOfValues(reference.unconstrain(values)), 10);
    form.constrain(u).x.forEach((x, i) => {
      expect(x).toBeCloseTo(values.x[i], 11);
    });
    checkCompiled(form, u);
    expect(form.drawPrior(stream(2, name).at(0)).every(Number.isFinite)).toBe(true);
  });
});

describe("data", () => {
  const regression = ({ data, param, observe }: ModelContext) => {
    const { x, n, y, scale } = data({ x: matrix("N", "K"), n: integer(), y: vector("N"), scale: real() });
    const b = param("b", normal(0, scale * n), { shape: "K" });
    observe(y, poissonLog(matmul(x, b)));
  };
  const good = { x: [[1, 2], [3, 4], [5, 6]], n: 2, y: [0, 3, 1], scale: 0.5 }; // biome-ignore format: rows
  it("can be nested or flat", async () => {
    using nested = await conditioned(regression, good);
    using flat = await conditioned(regression, {
      ...good,
      x: Float64Array.of(1, 2, 3, 4, 5, 6),
      y: Float32Array.of(0, 3, 1),
      K: 2,
    });
    const u = [0.1, -0.2];
    expect(nested.evaluate(u)).toEqual(flat.evaluate(u));
    checkCompiled(nested, Float64Array.from(u));
  });

  it.each<[string, ModelData, string]>([
    ["missing", { x: [[1]] }, 'the model asks for "n", but the data have x; add it'],
    ["ragged", { ...good, x: [[1, 2], [3], [4, 5]] }, 'data "x": its rows have different lengths: 1 and 2'],
    ["short", { ...good, y: [1, 2] }, 'it makes "N" 2, but earlier data make it 3'],
    ["stated", { ...good, N: 4 }, 'it makes "N" 4, but earlier data make it 3'],
    ["no numbers", { ...good, y: [0, Number.NaN, 1] }, 'data "y"[1]: it is missing (NaN), but every number must be given'],
    ["not whole", { ...good, n: 1.5 }, "it is 1.5, but must be a whole number"],
    ["a list for a number", { ...good, scale: [1] }, "it has 1 axis, but must be one number"],
    ["a number for a list", { ...good, y: 3 }, "it has 0 axes, but must have 1"],
    ["flat, unfit", { ...good, x: [1, 2, 3, 4, 5] }, "it is a flat list of 5 numbers, which do not fill [N, K]"],
    ["empty", { ...good, y: [], x: [] }, "empty"],
  ])("%s", async (_, data, message) => {
    await expect(conditioned(regression, data)).rejects.toThrow(message);
    await expect(conditioned(regression, data)).rejects.toThrow(/\(at .*model\.test\.ts:\d+:\d+\) \[DATA_/);
  });
});

describe("fixed parts of a model", () => {
  it("are computed once, and a mask of ones is removed", () => {
    const fixed = new Map([["data y", Float64Array.of(1, 2, 4)]]);
    const [y, u] = [input("data y", [3]), input("u x", [])];
    const isMoved = (node: SymbolicArray): boolean => node.attributes === "u x";
    const root = sum(where(less(0, y), mul(u, log(y)), -Infinity));
    const [made] = withoutInvariants([root], fixed, isMoved);
    const below = arraysBelow([made]);
    expect(below.some((node) => node === y)).toBe(false);
    expect([...fixed.keys()]).toEqual(["data y", "fixed 1"]);
    expect([...fixed.get("fixed 1")!]).toEqual([1, 2, 4].map(Math.log));
    expect(below.some(({ attributes }) => (attributes as { op?: string } | null)?.op === "where")).toBe(false);
    const inputs = { ...Object.fromEntries(fixed), "u x": 0.5 };
    expect(interpret([made], inputs)).toEqual(interpret([root], inputs));
  });
});

describe("bindings", () => {
  it("run on workers at the same time with separate memory", async () => {
    const engine = await openEngine();
    using posterior = await schools(false).condition(SCHOOLS, { deterministic: true });
    const bindings = [0, 1, 2, 3].map((lane) => posterior.bind({ lane, purpose: "test" }));
    const memory = bindings.map(() => engine.memory.allocate(160, "test"));
    const points = bindings.map((_, lane) => numbers(10, 10 + lane));
    points.forEach((u, lane) => {
      engine.memory.f64(memory[lane].pointer, 10).set(u);
    });
    const calls = bindings.map(({ slot, model: block }, lane) => ({
      kernel: slot,
      args: [block, memory[lane].pointer, memory[lane].pointer + 80],
    }));
    const results = await engine.run(calls, { workers: 2, deterministic: true });
    points.forEach((u, lane) => {
      const wanted = posterior.evaluate(u);
      expect(results[lane]).toBe(wanted.value);
      expect([...engine.memory.f64(memory[lane].pointer + 80, 10)]).toEqual([...wanted.gradient]);
    });
    for (const each of [...bindings, ...memory]) each.dispose();
  });

  it("support a density that no parameter changes", async () => {
    using posterior = await conditioned(({ param }) => void param("x", "real", { shape: 2 }));
    expect(posterior.evaluate([3, 4])).toEqual({ value: 0, gradient: Float64Array.of(0, 0) });
    expect([...posterior.constrain([3, 4]).x]).toEqual([3, 4]);
  });

  it("free all memory", async () => {
    const engine = await openEngine();
    const used = async () => {
      using posterior = await schools(true).condition(SCHOOLS);
      posterior.constrain(numbers(10, 1));
      posterior.evaluate(numbers(10, 1));
      posterior.bind({ lane: 0, purpose: "test" }).dispose();
    };
    await used();
    const before = engine.memory.usedBytes;
    for (let i = 0; i < 20; i++) await used();
    // Memory of models that were collected in the meantime can also be free.
    expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
  });
});

describe("errors name the user's line", () => {
  const cases: [string, (context: ModelContext) => void, string][] = [
    ["two of one name", ({ param }) => [param("x", "real"), param("x", "real")], 'the name "x" is given twice'],
    ["an unknown constraint", ({ param }) => param("x", "odd" as never), '"odd" is not a constraint (known: real, positive'],
    ["an unknown option", ({ param }) => param("x", "real", { size: 3 } as never), 'unknown option "size"'],
    ["an unknown size", ({ param }) => param("x", "real", { shape: "Q" }), '"Q" is not a size in the data'],
    ["several whole numbers", ({ param }) => param("x", multinomial(3, [0.5, 0.5])), "sum the parameter out with marginalise()"],
    ["whole numbers with bounds", ({ param }) => param("x", poisson(3), { upper: 4 }), "write truncated()"],
    ["a shape that the prior has not", ({ param }) => param("x", normal([1, 2], 1), { shape: 3 }), "do not broadcast"],
    ["a prior of too many", ({ param }) => param("x", normal([1, 2], 1), { shape: [] }), "make the shapes agree"],
    ["no location", ({ param }) => param("x", gamma(1, 1), { centred: false }), "gamma has no location and scale"],
    ["not centred, flat", ({ param }) => param("x", "real", { centred: false }), "has no distribution"],
    ["two constraints", ({ param }) => param("x", "positive", { upper: 1 }), "it has two constraints"],
    ["too small a simplex", ({ param }) => param("x", "simplex", { shape: 1 }), "at least 2 elements"],
    ["counted twice", ({ param, observe }) => observe(param("x", "real"), normal([0, 1], 1)), "would count it several times"],
    ["no distribution", ({ observe }) => observe(3, 4 as never), "must be a distribution"],
    ["a number as a term", ({ target }) => target(3 as never), "must be a symbolic array"],
  ];
  it.each(cases)("%s", async (_, body, message) => {
    await expect(conditioned(body)).rejects.toThrow(message);
    await expect(conditioned(body)).rejects.toThrow(/\(at .*model\.test\.ts:\d+:\d+\)/);
  });

  it("errors report control flow that depends on data", async () => {
    const body = ({ param, target }: ModelContext) => {
      const x = param("x", "real");
      target(less(x, 0) ? x : mul(2, x));
    };
    await expect(conditioned(body)).rejects.toThrow("write where(condition, yes, no)");
  });

  it("errors report invalid models, points and priors", async () => {
    await expect(conditioned(() => {})).rejects.toThrow("the model has no parameters");
    expect(() => model(3 as never)).toThrow("wanted a function");
    const flat = await conditioned(({ param }) => void param("x", "real"));
    expect(() => flat.evaluate([1, 2])).toThrow("the point has 2 numbers, but must have 1");
    expect(() => flat.unconstrain({})).toThrow('the parameter "x" has no value');
    expect(() => flat.drawPrior(stream(1, "x").at(0))).toThrow("its prior is flat");
    flat.dispose();
    expect(() => flat.evaluate([1])).toThrow("used after dispose()");
    using added = await conditioned(({ param, target }) => target(param("x", normal(0, 1))));
    expect(() => added.drawPrior(stream(1, "x").at(0))).toThrow("target() term");
    using never = await conditioned(({ param }) => void param("x", normal(0, 1), { constraint: { lower: 40 } }));
    expect(() => never.drawPrior(stream(1, "x").at(0))).toThrow("none of 10000 draws of normal");
    using positive = await conditioned(({ param }) => void param("x", "positive"));
    expect(() => positive.unconstrain({ x: -1 })).toThrow("the value is -1, but must be > 0");
  });
});
