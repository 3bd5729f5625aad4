/**
 * Compares marginalised discrete variables with sums over all their values: mixtures, change points and hidden Markov
 * chains.
 */
import { describe, expect, it } from "vitest";
import {
  bernoulli,
  binomial,
  type ConditionedModel,
  categorical,
  cauchy,
  dirichlet,
  discreteUniform,
  gamma,
  hiddenMarkov,
  type ModelContext,
  type ModelData,
  matrix,
  mixture,
  model,
  normal,
  poisson,
  vector,
} from "../../../src/bayes/model/index.ts";
import {
  add,
  at,
  cumsum,
  full,
  less,
  mul,
  range,
  type SymbolicArray,
  stack,
  sub,
  sum,
  take,
  where,
} from "../../../src/engine/compiler/index.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";

const conditioned = (body: (context: ModelContext) => void, data: ModelData = {}): Promise<ConditionedModel> =>
  model(body).condition(data, { deterministic: true });

const logNormal = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
const logTotal = (logs: readonly number[]): number => {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((total, x) => total + Math.exp(x - most), 0));
};

/** Compares the compiled density with the interpreter and its gradient with finite differences. */
function checkCompiled(posterior: ConditionedModel, u: Float64Array): void {
  const { value, gradient } = posterior.evaluate(u);
  expect(Math.abs(value - posterior.logDensity(u))).toBeLessThan(1e-11 * Math.max(1, Math.abs(value)));
  const h = 1e-4;
  for (let i = 0; i < u.length; i++) {
    const moved = (steps: number) => posterior.evaluate(u.map((x, k) => (k === i ? x + steps * h : x))).value;
    const slope = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h);
    expect(Math.abs(gradient[i] - slope), `${i}: ${gradient[i]} for ${slope}`).toBeLessThan(1e-8 * Math.max(1, Math.abs(slope)));
  }
}

const Y = [-1.1, 2.2, 1.7, 0.3];
const THETA = [0.2, 0.5, 0.3];
const MU = [-1, 0.5, 2];

describe("a mixture", () => {
  const parameters = ({ data, param }: ModelContext) => {
    const { y } = data({ y: vector("N") });
    const theta = param("theta", dirichlet([2, 3, 2]));
    const mu = param("mu", normal(0, 3), { shape: 3 });
    return { y, theta, mu };
  };
  const summed = (context: ModelContext) => {
    const { y, theta, mu } = parameters(context);
    const z = context.marginalise(categorical(theta), (k) => normal(at(mu, k), 0.5), { value: y });
    context.generated("z", z.probabilities);
  };
  const values = { theta: THETA, mu: MU };
  const joint = (y: number): number[] => THETA.map((p, k) => Math.log(p) + logNormal(y, MU[k], 0.5));

  it("equals mixture(), with terms as distributions or densities", async () => {
    using posterior = await conditioned(summed, { y: Y });
    using terms = await conditioned(
      (context) => {
        const { y, theta, mu } = parameters(context);
        context.marginalise(categorical(theta), (k) => normal(at(mu, k), 0.5).logDensity(y), { name: "clusters" });
      },
      { y: Y },
    );
    using reference = await conditioned(
      (context) => {
        const { y, theta, mu } = parameters(context);
        context.observe(y, mixture(theta, [0, 1, 2].map((k) => normal(at(mu, k), 0.5)))); // biome-ignore format: one line
      },
      { y: Y },
    );
    const u = posterior.unconstrain(values);
    const wanted = reference.evaluate(u);
    for (const each of [posterior, terms]) {
      const got = each.evaluate(u);
      expect(got.value).toBeCloseTo(wanted.value, 11);
      got.gradient.forEach((slope, i) => {
        expect(slope).toBeCloseTo(wanted.gradient[i], 10);
      });
      checkCompiled(each, u);
    }
    const draws = () => stream(1, "y").at(0);
    // Weights are exp(log θ), so weights and draws agree only to rounding.
    posterior.predict(u, draws()).y.forEach((x, i) => {
      expect(x).toBeCloseTo(reference.predict(u, draws()).y[i], 12);
    });
    expect(terms.predict(u, draws())).toEqual({});
    Y.forEach((y, i) => {
      expect(posterior.pointwise(u).y[i]).toBeCloseTo(logTotal(joint(y)), 11);
      expect(terms.pointwise(u).clusters[i]).toBeCloseTo(logTotal(joint(y)), 11);
    });
  });

  it("reports the probabilities of its components", async () => {
    using posterior = await conditioned(summed, { y: Y });
    const { z } = posterior.constrain(posterior.unconstrain(values));
    Y.forEach((y, i) => {
      const logs = joint(y);
      logs.forEach((log, k) => {
        expect(z[3 * i + k]).toBeCloseTo(Math.exp(log - logTotal(logs)), 12);
      });
    });
  });

  it("is the sum over all values of a discrete parameter", async () => {
    using posterior = await conditioned(summed, { y: Y });
    using kept = await conditioned(
      (context) => {
        const { y, theta, mu } = parameters(context);
        context.observe(y, normal(take(mu, context.param("z", categorical(theta), { shape: "N" })), 0.5));
      },
      { y: Y },
    );
    const logs: number[] = [];
    for (let code = 0; code < 81; code++) {
      const z = [0, 1, 2, 3].map((i) => Math.floor(code / 3 ** i) % 3);
      logs.push(kept.evaluate(kept.unconstrain({ ...values, z })).value);
    }
    expect(posterior.evaluate(posterior.unconstrain(values)).value).toBeCloseTo(logTotal(logs), 10);
  });

  it("accepts other components, other state distributions and weights per row", async () => {
    const P = [0.1, 0.5, 0.7, 0.9];
    using posterior = await conditioned(
      ({ data, param, marginalise }) => {
        const { y, p } = data({ y: vector("N"), p: vector("N") });
        const m = param("m", normal(0, 1));
        marginalise(bernoulli(p), (k) => (k === 0 ? normal(m, 1) : cauchy(m, 2)), { value: y, name: "first" });
        marginalise(binomial(2, 0.3), (k) => normal(add(m, k), 1).logDensity(sum(y)));
      },
      { y: Y, p: P },
    );
    const m = 0.4;
    const total = Y.reduce((a, b) => a + b, 0);
    const logCauchy = (y: number) => -Math.log(Math.PI * 2 * (1 + ((y - m) / 2) ** 2));
    const rows = Y.map((y, i) => logTotal([Math.log(1 - P[i]) + logNormal(y, m, 1), Math.log(P[i]) + logCauchy(y)]));
    const shifts = [0.49, 0.42, 0.09].map((p, k) => Math.log(p) + logNormal(total, m + k, 1));
    const wanted = logNormal(m, 0, 1) + rows.reduce((a, b) => a + b, 0) + logTotal(shifts);
    const u = Float64Array.of(m);
    expect(posterior.evaluate(u).value).toBeCloseTo(wanted, 11);
    checkCompiled(posterior, u);
    expect([...posterior.pointwise(u).first]).toEqual(rows.map((x) => expect.closeTo(x, 11)));
    expect(posterior.pointwise(u)["observed 2"]).toHaveLength(1);
    expect(posterior.predict(u, stream(1, "y").at(0)).first).toHaveLength(4);
  });

  it("counts as likelihood", async () => {
    const engine = await openEngine();
    using posterior = await conditioned(summed, { y: Y });
    const u = posterior.unconstrain(values);
    const binding = posterior.bindTempered({ lane: 0, purpose: "test" });
    const memory = engine.memory.allocate(16 * u.length, "test");
    engine.memory.f64(memory.pointer, u.length).set(u);
    engine.atSlot(binding.slot)(binding.model, memory.pointer, memory.pointer + 8 * u.length);
    const likelihood = Y.reduce((sum, y) => sum + logTotal(joint(y)), 0);
    expect(engine.memory.f64(binding.likelihood, 1)[0]).toBeCloseTo(likelihood, 11);
    memory.dispose();
    binding.dispose();
  });
});

describe("a change point", () => {
  const COUNTS = [4, 5, 4, 0, 1, 4, 1, 0, 0, 1];
  const T = COUNTS.length;
  const rates = ({ data, param }: ModelContext) => ({
    counts: data({ counts: vector("T") }).counts,
    early: param("early", gamma(2, 1)),
    late: param("late", gamma(2, 1)),
  });
  const all = (context: ModelContext) => {
    const { counts, early, late } = rates(context);
    const first = poisson(early).logDensity(counts);
    const second = poisson(late).logDensity(counts);
    const before = sub(cumsum(first), first);
    const after = sub(sum(second), sub(cumsum(second), second));
    const { probabilities } = context.marginalise(discreteUniform(0, T - 1), add(before, after));
    context.generated("s", probabilities);
  };
  const byState = (context: ModelContext) => {
    const { counts, early, late } = rates(context);
    const { probabilities } = context.marginalise(categorical(full(1 / T, [T])), (s) =>
      sum(poisson(where(less(range(T), s), early, late)).logDensity(counts)),
    );
    context.generated("s", probabilities);
  };
  const logPoisson = (x: number, rate: number): number => {
    let factorial = 0;
    for (let i = 2; i <= x; i++) factorial += Math.log(i);
    return x * Math.log(rate) - rate - factorial;
  };

  it.each([
    ["all terms at once", all],
    ["one term a state", byState],
  ])("%s", async (_, body) => {
    using posterior = await conditioned(body, { counts: COUNTS });
    const [early, late] = [3.5, 0.8];
    const u = posterior.unconstrain({ early, late });
    const logs = COUNTS.map((_, s) => COUNTS.reduce((total, x, t) => total + logPoisson(x, t < s ? early : late), -Math.log(T)));
    const prior = Math.log(early) - early + Math.log(late) - late;
    expect(posterior.logDensityOfValues(u)).toBeCloseTo(prior + logTotal(logs), 11);
    checkCompiled(posterior, u);
    const { s } = posterior.constrain(u);
    logs.forEach((log, k) => {
      expect(s[k]).toBeCloseTo(Math.exp(log - logTotal(logs)), 12);
    });
  });
});

describe("a hidden Markov chain", () => {
  const PI = [0.5, 0.2, 0.3];
  const A = [[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.15, 0.8]]; // biome-ignore format: rows
  const chain = (context: ModelContext, body: (mu: SymbolicArray, rows: SymbolicArray) => void) => {
    const mu = context.param("mu", normal(0, 3), { shape: 3 });
    body(mu, context.param("a", dirichlet([1, 1, 1]), { shape: 3 }));
  };
  const hidden = (context: ModelContext) => {
    const { y } = context.data({ y: vector("T") });
    chain(context, (mu, rows) => {
      const z = context.marginalise(hiddenMarkov(PI, rows), (k) => normal(at(mu, k), 0.7), { value: y });
      context.generated("z", z.probabilities);
    });
  };

  /** All paths of states, with log p(states, y). */
  function paths(y: readonly number[]): { states: number[]; log: number }[] {
    return Array.from({ length: 3 ** y.length }, (_, code) => {
      const states = y.map((_, t) => Math.floor(code / 3 ** t) % 3);
      const log = states.reduce(
        (total, k, t) => total + Math.log(t === 0 ? PI[k] : A[states[t - 1]][k]) + logNormal(y[t], MU[k], 0.7),
        0,
      );
      return { states, log };
    });
  }

  it.each([[[0.4]], [[-1.1, 2.2, 1.7, 0.3, 0.1]]])("sums over all paths of %j", async (y) => {
    using posterior = await conditioned(hidden, { y });
    const u = posterior.unconstrain({ mu: MU, a: A.flat() });
    const each = paths(y);
    const whole = logTotal(each.map(({ log }) => log));
    const { z } = posterior.constrain(u);
    y.forEach((_, t) => {
      for (let k = 0; k < 3; k++) {
        const through = each.filter(({ states }) => states[t] === k).map(({ log }) => log);
        expect(z[3 * t + k]).toBeCloseTo(Math.exp(logTotal(through) - whole), 11);
      }
    });
    const pointwise = posterior.pointwise(u).y;
    expect(pointwise).toHaveLength(y.length);
    expect(pointwise.reduce((a, b) => a + b, 0)).toBeCloseTo(whole, 11);
    // Terms are conditional on earlier values: their sum is log p(y₀ … y_t) of the first part of the series.
    const first = y.length - 1;
    if (first > 0)
      expect(pointwise.slice(0, first).reduce((a, b) => a + b, 0)).toBeCloseTo(
        logTotal(paths(y.slice(0, first)).map(({ log }) => log)),
        11,
      );
    const prior = MU.reduce((total, m) => total + logNormal(m, 0, 3), 0) + 3 * Math.log(2);
    expect(posterior.logDensityOfValues(u)).toBeCloseTo(prior + whole, 10);
    checkCompiled(posterior, u);
  });

  it("accepts all terms in one array and several parallel chains", async () => {
    const series = [
      [-1.1, 0.2],
      [2.2, 1],
      [1.7, -0.4],
    ];
    using posterior = await conditioned(
      (context) => {
        const { y } = context.data({ y: matrix("T", "S") });
        chain(context, (mu, rows) => {
          const emissions = stack(
            [0, 1, 2].map((k) => normal(at(mu, k), 0.7).logDensity(y)),
            -1,
          );
          context.generated("z", context.marginalise(hiddenMarkov(PI, rows), emissions, { name: "y" }).probabilities);
        });
      },
      { y: series },
    );
    using alone = await conditioned(hidden, { y: series.map(([first]) => first) });
    using second = await conditioned(hidden, { y: series.map((row) => row[1]) });
    const u = posterior.unconstrain({ mu: MU, a: A.flat() });
    const both = posterior.pointwise(u).y;
    expect([0, 2, 4].map((i) => both[i])).toEqual([...alone.pointwise(u).y].map((x) => expect.closeTo(x, 11)));
    expect([1, 3, 5].map((i) => both[i])).toEqual([...second.pointwise(u).y].map((x) => expect.closeTo(x, 11)));
    const { z } = posterior.constrain(u);
    expect([...z.slice(3, 6)]).toEqual([...second.constrain(u).z.slice(0, 3)].map((x) => expect.closeTo(x, 11)));
    checkCompiled(posterior, u);
  });

  /** Series drawn by predict() for two parallel chains. Each value reveals its state. */
  async function transitions(initial: readonly number[], rows: readonly (readonly number[])[]) {
    const [T, S] = [8, 2];
    using posterior = await conditioned(
      ({ data, param, marginalise }) => {
        const { y } = data({ y: matrix("T", "S") });
        const m = param("m", normal(0, 1));
        marginalise(hiddenMarkov(initial, rows), (k) => normal(add(m, 10 * k), 0.1), { value: y });
      },
      { y: Array.from({ length: T }, () => [0, 10]) },
    );
    const first = new Float64Array(3);
    const moves = new Float64Array(9);
    const draws = stream(2, "series");
    for (let i = 0; i < 1500; i++) {
      const { y } = posterior.predict([1], draws.at(i));
      expect(y).toHaveLength(T * S);
      const states = y.map((x) => Math.round((x - 1) / 10));
      for (let at = 0; at < states.length; at++) {
        if (at < S) first[states[at]]++;
        else moves[3 * states[at - S] + states[at]]++;
      }
    }
    return { first, moves };
  }

  it("is predicted state by state", async () => {
    // z scores of 3 + 9 counts. Each exceeds 4.9 by chance with probability 10⁻⁶, so 1.2e-5 in all. The mutant draws
    // each state independently from the initial weights.
    const scores = ({ first, moves }: Awaited<ReturnType<typeof transitions>>): number[] => {
      const z = (hits: number, count: number, p: number) => (hits - count * p) / Math.sqrt(count * p * (1 - p));
      const rowTotal = (k: number) => moves[3 * k] + moves[3 * k + 1] + moves[3 * k + 2];
      return [
        ...PI.map((p, k) => z(first[k], 3000, p)),
        ...A.flatMap((row, k) => row.map((p, j) => z(moves[3 * k + j], rowTotal(k), p))),
      ];
    };
    expect(Math.max(...scores(await transitions(PI, A)).map(Math.abs))).toBeLessThan(4.9);
    expect(Math.max(...scores(await transitions(PI, [PI, PI, PI])).map(Math.abs))).toBeGreaterThan(4.9);
  });

  it("neither underflows nor drifts over thousands of times", async () => {
    const draws = stream(1, "chain").at(0);
    const y = Array.from({ length: 3000 }, () => 2 * draws.normal());
    using posterior = await conditioned(hidden, { y });
    const u = posterior.unconstrain({ mu: MU, a: A.flat() });
    const { value, gradient } = posterior.evaluate(u);
    expect(value).toBeLessThan(-5000);
    expect(gradient.every(Number.isFinite)).toBe(true);
    const { z } = posterior.constrain(u);
    for (let t = 0; t < 3000; t++) expect(z[3 * t] + z[3 * t + 1] + z[3 * t + 2]).toBeCloseTo(1, 12);
  });
});

describe("errors", () => {
  const withM = (body: (context: ModelContext, m: SymbolicArray) => void) => (context: ModelContext) => {
    body(context, context.param("m", normal(0, 1)));
  };
  const half = [0.5, 0.5];
  const cases: [string, (context: ModelContext, m: SymbolicArray) => void, string][] = [
    ["no list of states", ({ marginalise }) => marginalise(poisson(2), () => full(0, [])), "no finite list of values"],
    ["states that are numbers", ({ marginalise }) => marginalise(normal(0, 1), () => full(0, [])), "no finite list of values"],
    ["no states", ({ marginalise }) => marginalise(3 as never, () => full(0, [])), "states are number"],
    ["no value", ({ marginalise }, m) => marginalise(bernoulli(0.5), () => normal(m, 1)), "add { value: y }"],
    [
      "a value of nothing",
      ({ marginalise }, m) => marginalise(bernoulli(0.5), () => m, { value: 3 }),
      "leave value out, or give distributions",
    ],
    ["mixed terms", ({ marginalise }, m) => marginalise(bernoulli(0.5), (k) => (k ? m : normal(m, 1))), "or all distributions"],
    ["numbers", ({ marginalise }) => marginalise(bernoulli(0.5), () => 3 as never), "a term is number"],
    ["too few terms", ({ marginalise }, m) => marginalise(categorical([0.2, 0.3, 0.5]), add(m, full(0, [2]))), "with 3 states"],
    ["terms counted twice", ({ marginalise }, m) => marginalise(bernoulli(half), (k) => mul(k, m)), "count them several times"],
    ["no time", ({ marginalise }, m) => marginalise(hiddenMarkov(half, [half, half]), (k) => mul(k, m)), "no axis of time"],
    ["no square", ({ marginalise }, m) => marginalise(hiddenMarkov(half, [half]), (k) => mul(k, m)), "[K] and [K, K] are wanted"],
    [
      "other sizes",
      ({ marginalise }, m) => marginalise(hiddenMarkov([0.2, 0.3, 0.5], [half, half]), (k) => mul(k, m)),
      "[K] and [K, K] are wanted",
    ],
    [
      "an unknown option",
      ({ marginalise }, m) => marginalise(bernoulli(0.5), () => m, { values: m } as never),
      'unknown option "values"',
    ],
  ];
  it.each(cases)("%s", async (_, body, message) => {
    await expect(conditioned(withM((context, m) => void body(context, m)))).rejects.toThrow(message);
  });
});
