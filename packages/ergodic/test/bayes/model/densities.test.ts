/**
 * Bindings of a model without gradient and with a tempered likelihood, parameters that are whole numbers, and
 * evaluation of many points.
 */
import { describe, expect, it } from "vitest";
import {
  bernoulli,
  beta,
  binomial,
  type ConditionedModel,
  categorical,
  dirichlet,
  gamma,
  halfCauchy,
  type ModelContext,
  type ModelData,
  model,
  normal,
  poisson,
  truncated,
  uniform,
  vector,
} from "../../../src/bayes/model/index.ts";
import { nuts } from "../../../src/bayes/samplers/index.ts";
import { add, at, exp, mul, take } from "../../../src/engine/compiler/index.ts";
import type { DensityBinding } from "../../../src/engine/contract/index.ts";
import { CapabilityError } from "../../../src/engine/errors/errors.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const conditioned = (body: (context: ModelContext) => void, data: ModelData = {}): Promise<ConditionedModel> =>
  model(body).condition(data, { deterministic: true });

const regression = ({ data, param, observe, target }: ModelContext) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const a = param("a", normal(0, 3));
  const b = param("b", normal(0, 3));
  const sigma = param("sigma", halfCauchy(1));
  target(mul(-0.1, exp(a)));
  observe(y, normal(add(a, mul(b, x)), sigma));
};
const DATA = { x: [-1, 0, 0.5, 2], y: [0.2, 0.9, 1.4, 3] };
const U = Float64Array.of(0.4, -0.3, 0.2);
const logNormal = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);

const likelihoodAt = ([a, b, logSigma]: ArrayLike<number> & Iterable<number>): number =>
  DATA.y.reduce((total, y, i) => total + logNormal(y, a + b * DATA.x[i], Math.exp(logSigma)), 0);

/** Evaluates values and gradients at points through a binding. */
async function evaluation(binding: DensityBinding, dimension: number) {
  const engine = await openEngine();
  const x = engine.memory.allocate(8 * dimension, "test");
  const g = engine.memory.allocate(8 * dimension, "test");
  return (u: ArrayLike<number>, mark = 0) => {
    engine.memory.f64(x.pointer, dimension).set(u);
    engine.memory.f64(g.pointer, dimension).fill(mark);
    const value = engine.atSlot(binding.slot)(binding.model, x.pointer, g.pointer);
    return { value, gradient: [...engine.memory.f64(g.pointer, dimension)] };
  };
}

describe("a binding without gradient", () => {
  it("returns the same value and writes nothing else", async () => {
    using posterior = await conditioned(regression, DATA);
    const alone = await evaluation(posterior.bind({ lane: 0, purpose: "test", gradient: false }), 3);
    const both = posterior.evaluate(U);
    expect(alone(U, 7)).toEqual({ value: both.value, gradient: [7, 7, 7] });
  });
});

describe("a tempered binding", () => {
  it("raises only the likelihood to the power and reports it", async () => {
    const engine = await openEngine();
    using posterior = await conditioned(regression, DATA);
    const binding = posterior.bindTempered({ lane: 0, purpose: "test" });
    const run = await evaluation(binding, 3);
    const alone = posterior.bindTempered({ lane: 1, purpose: "test", gradient: false });
    const value = await evaluation(alone, 3);
    const whole = posterior.evaluate(U).value;
    const likelihood = likelihoodAt(U);
    for (const power of [1, 0.37, 0]) {
      const set = (each: typeof binding) => {
        engine.memory.f64(each.power, 1)[0] = power;
      };
      set(binding);
      set(alone);
      const got = run(U);
      // The prior with its target() term is the whole density minus the likelihood.
      expect(got.value).toBeCloseTo(whole - likelihood + power * likelihood, 11);
      expect(engine.memory.f64(binding.likelihood, 1)[0]).toBeCloseTo(likelihood, 11);
      expect(value(U, 5)).toEqual({ value: got.value, gradient: [5, 5, 5] });
      expect(engine.memory.f64(alone.likelihood, 1)[0]).toBe(engine.memory.f64(binding.likelihood, 1)[0]);
      const h = 1e-4;
      got.gradient.forEach((slope, i) => {
        const moved = (by: number) => run(U.map((x, k) => (k === i ? x + by : x))).value;
        expect(slope).toBeCloseTo((8 * (moved(h) - moved(-h)) - (moved(2 * h) - moved(-2 * h))) / (12 * h), 7);
      });
      if (power < 1) continue;
      posterior.evaluate(U).gradient.forEach((slope, i) => {
        expect(got.gradient[i]).toBeCloseTo(slope, 10);
      });
    }
    binding.dispose();
    alone.dispose();
  });

  it("equals the prior at power 0 even if the likelihood is not finite", async () => {
    const engine = await openEngine();
    using posterior = await conditioned(
      ({ data, param, observe }) => {
        const { y } = data({ y: vector("N") });
        observe(y, uniform(0, exp(param("a", normal(0, 1)))));
      },
      { y: [1, 2] },
    );
    const binding = posterior.bindTempered({ lane: 0, purpose: "test" });
    const run = await evaluation(binding, 1);
    // e^0.5 < 2, so the second datum is impossible.
    const got = run([0.5]);
    expect(got.value).toBeCloseTo(logNormal(0.5, 0, 1), 12);
    expect(got.gradient[0]).toBeCloseTo(-0.5, 12);
    expect(engine.memory.f64(binding.likelihood, 1)[0]).toBe(-Infinity);
    engine.memory.f64(binding.power, 1)[0] = 0.5;
    expect(run([0.5]).value).toBe(-Infinity);
    binding.dispose();
  });
});

/** Two clusters. The cluster of each datum is a parameter. */
const clusters = ({ data, param, observe, generated }: ModelContext) => {
  const { y } = data({ y: vector("N") });
  const theta = param("theta", dirichlet([2, 3]));
  const mu = param("mu", normal(0, 3), { shape: 2 });
  const z = param("z", categorical(theta), { shape: "N" });
  generated("first", at(z, 0));
  observe(y, normal(take(mu, z), 0.5));
};
const Y = [-1.1, 2.2, 1.7];

describe("a model is refused", () => {
  it("async functions are refused", async () => {
    const later = model(async ({ param }) => {
      param("a", normal(0, 1));
    });
    await expect(later.condition({})).rejects.toThrow(
      /the model's function is async, but must run synchronously.*COMPILE_OPERAND/,
    );
  });

  it("values that break a constraint are refused with the parameter's name", async () => {
    using posterior = await conditioned(({ param }) => {
      param("s", "positive");
      param("t", normal(0, 1));
    }, {});
    expect(() => posterior.unconstrain({ s: -1, t: 0 })).toThrow(/^"s": positive: the value is -1, .*OPTION_RANGE/);
  });
});

describe("parameters that are whole numbers", () => {
  it("appear unchanged in u with gradient 0 and can be indices", async () => {
    using posterior = await conditioned(clusters, { y: Y });
    expect(posterior.discrete).toEqual([{ name: "z", offset: 3, size: 3, low: 0, high: 1 }]);
    expect(posterior.parameters.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ["theta", 0, 1],
      ["mu", 1, 2],
      ["z", 3, 3],
    ]);
    const mu = [-1, 2];
    const z = [0, 1, 1];
    const u = posterior.unconstrain({ theta: [0.4, 0.6], mu, z });
    expect([...u.slice(1)]).toEqual([...mu, ...z]);
    const wanted =
      Math.log(12 * 0.4 * 0.6 ** 2) +
      mu.reduce((total, m) => total + logNormal(m, 0, 3), 0) +
      z.reduce((total, k, i) => total + Math.log([0.4, 0.6][k]) + logNormal(Y[i], mu[k], 0.5), 0);
    expect(posterior.logDensityOfValues(u)).toBeCloseTo(wanted, 11);
    const { value, gradient } = posterior.evaluate(u);
    expect(value).toBeCloseTo(posterior.logDensity(u), 11);
    expect([...gradient.slice(3)]).toEqual([0, 0, 0]);
    // ∂/∂μ₀ = −μ₀/9 + (y₀ − μ₀)/¼ for the only datum in that cluster.
    expect(gradient[1]).toBeCloseTo(1 / 9 + (Y[0] + 1) / 0.25, 10);
    const values = posterior.constrain(u);
    expect([...values.z]).toEqual(z);
    expect([...values.first]).toEqual([0]);
    expect(posterior.predict(u, stream(1, "y").at(0)).y).toHaveLength(3);
    // Another cluster changes the value. A cluster that does not exist is impossible, whatever the likelihood returns
    // (NaN).
    expect(posterior.evaluate(posterior.unconstrain({ theta: [0.4, 0.6], mu, z: [1, 1, 1] })).value).not.toBe(value);
    expect(posterior.evaluate([...u.slice(0, 5), 2]).value > -Infinity).toBe(false);
    expect(() => posterior.unconstrain({ theta: [0.4, 0.6], mu, z: [0, 1, 2] })).toThrow(
      "the value is 2, but must be a whole number >= 0 and <= 1",
    );
    expect(() => posterior.unconstrain({ theta: [0.4, 0.6], mu, z: [0, 0.5, 1] })).toThrow("must be a whole number");
  });

  it("have bounds as far as the data determine them", async () => {
    using posterior = await conditioned(
      ({ data, param, observe }) => {
        const { n } = data({ n: vector("K") });
        const p = param("p", beta(1, 1));
        const count = param("count", poisson(param("rate", gamma(2, 1))));
        param("hits", binomial(n, p));
        param("few", truncated(poisson(4), { lower: 1, upper: 9 }));
        param("open", binomial(count, p));
        const on = param("on", bernoulli(p));
        observe(2, poisson(add(0.1, on)));
      },
      { n: [3, 5] },
    );
    expect(posterior.discrete.map(({ name, low, high, size }) => [name, low, high, size])).toEqual([
      ["count", 0, Infinity, 1],
      ["hits", 0, 5, 2],
      ["few", 1, 9, 1],
      ["open", 0, Infinity, 1],
      ["on", 0, 1, 1],
    ]);
    const prior = stream(4, "prior");
    for (let i = 0; i < 20; i++) {
      const u = posterior.drawPrior(prior.at(i));
      const { count, hits, few, open } = posterior.constrain(u);
      expect(hits[0] <= 3 && hits[1] <= 5 && few[0] >= 1 && few[0] <= 9 && open[0] <= count[0]).toBe(true);
      expect(Number.isFinite(posterior.evaluate(u).value)).toBe(true);
    }
  });

  it("are refused by samplers that follow gradients", async () => {
    using posterior = await conditioned(clusters, { y: Y });
    const engine = await openEngine();
    const plan = { chains: 1, warmup: 10, draws: 10, seed: 1, workers: 1, deterministic: true };
    const begin = () => nuts().start(posterior, plan, engine);
    expect(begin).toThrow(CapabilityError);
    expect(begin).toThrow(
      '"z" is discrete, and has no gradient to follow; sum it out with marginalise(), or use algorithm: gibbs()',
    );
  });
});

describe("many points at once", () => {
  const body = (context: ModelContext) => {
    regression(context);
    context.generated("again", normal(context.param("c", normal(0, 1)), 1));
  };
  it("return the same values as single points", async () => {
    using posterior = await conditioned(body, DATA);
    const points = Float64Array.of(...U, 0.1, 1, -1, 0.5, 2);
    const draws = stream(3, "many");
    const all = posterior.pointwiseOf(points);
    const predicted = posterior.predictOf(points, draws);
    const generated = posterior.generatedOf(points, draws);
    for (const i of [0, 1]) {
      const u = points.slice(4 * i, 4 * i + 4);
      const part = (values: Float64Array, size: number) => [...values.slice(i * size, (i + 1) * size)];
      expect(part(all.y, 4)).toEqual([...posterior.pointwise(u).y]);
      const [a, b, logSigma] = u;
      part(all.y, 4).forEach((x, j) => {
        expect(x).toBeCloseTo(logNormal(DATA.y[j], a + b * DATA.x[j], Math.exp(logSigma)), 11);
      });
      expect(part(predicted.y, 4)).toEqual([...posterior.predict(u, draws.at(i)).y]);
      expect(part(generated.again, 1)).toEqual([...posterior.constrain(u, draws.at(i)).again]);
    }
  });
});
