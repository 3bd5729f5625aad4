/**
 * Hidden states: several values per state, the most probable path and the start of chains. The tests compare them with
 * sums and maxima over all paths.
 */
import { describe, expect, it } from "vitest";
import {
  type ConditionedModel,
  categorical,
  dirichlet,
  discreteUniform,
  hiddenMarkov,
  type ModelContext,
  type ModelData,
  matrix,
  model,
  multivariateNormal,
  normal,
  poisson,
  vector,
} from "../../../src/bayes/model/index.ts";
import { add, at, mul, type SymbolicArray, stack } from "../../../src/engine/compiler/index.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { calibrate, sample } from "../../../src/entries/everything.ts";
import { power } from "../../power.ts";

const conditioned = (body: (context: ModelContext) => void, data: ModelData = {}): Promise<ConditionedModel> =>
  model(body).condition(data, { deterministic: true });

const PI = [0.5, 0.2, 0.3];
const A = [[0.7, 0.2, 0.1], [0.3, 0.3, 0.4], [0.05, 0.15, 0.8]]; // biome-ignore format: rows
const MU = [-1, 0.5, 2];
const RATE = [1, 4, 9];
const Y = [-1.1, 2.2, 1.7, 0.3, 0.1];
const C = [0, 7, 11, 3, 2];

const logNormal = (x: number, m: number, s: number): number =>
  -0.5 * ((x - m) / s) ** 2 - Math.log(s) - 0.5 * Math.log(2 * Math.PI);
const logPoisson = (k: number, rate: number): number =>
  k * Math.log(rate) - rate - Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0);
const logTotal = (logs: readonly number[]): number => {
  const most = Math.max(...logs);
  return most + Math.log(logs.reduce((total, x) => total + Math.exp(x - most), 0));
};

/** All paths of three states, lower states first, with log p(path, observations). */
function paths(initial: readonly number[], term: (k: number, t: number) => number, length = Y.length) {
  return Array.from({ length: 3 ** length }, (_, code) => {
    const states = Array.from({ length }, (_, t) => Math.floor(code / 3 ** (length - 1 - t)) % 3);
    const log = states.reduce((sum, k, t) => sum + Math.log(t === 0 ? initial[k] : A[states[t - 1]][k]) + term(k, t), 0);
    return { states, log };
  });
}

const best = (all: ReturnType<typeof paths>): number[] => all.reduce((a, b) => (b.log > a.log ? b : a)).states;

/** Stationary distribution of the chain A, by powers of its matrix. */
function stationaryOf(rows: readonly (readonly number[])[]): number[] {
  let p = rows.map(() => 1 / rows.length);
  for (let i = 0; i < 2000; i++) p = rows.map((_, j) => p.reduce((sum, x, k) => sum + x * rows[k][j], 0));
  return p;
}

/** Compares the gradient with finite differences. */
function checkGradient(posterior: ConditionedModel, u: Float64Array): void {
  const { gradient } = posterior.evaluate(u);
  const h = 1e-4;
  for (let i = 0; i < u.length; i++) {
    const moved = (steps: number) => posterior.evaluate(u.map((x, k) => (k === i ? x + steps * h : x))).value;
    const slope = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * h);
    expect(Math.abs(gradient[i] - slope)).toBeLessThan(1e-8 * Math.max(1, Math.abs(slope)));
  }
}

const chained = (context: ModelContext, rows: SymbolicArray, value: "record" | "list" | "y") => {
  const { y, c } = context.data({ y: vector("T"), c: vector("T") });
  const mu = context.param("mu", normal(0, 3), { shape: 3 });
  const rate = context.param("rate", "positive", { shape: 3 });
  const chain = hiddenMarkov(PI, rows);
  const [ofY, ofC] = [(k: number) => normal(at(mu, k), 0.7), (k: number) => poisson(at(rate, k))];
  if (value === "record") return context.marginalise(chain, (k) => ({ y: ofY(k), c: ofC(k) }), { value: { c, y } });
  if (value === "list") return context.marginalise(chain, (k) => [ofY(k), ofC(k)], { value: [y, c], name: "both" });
  return context.marginalise(chain, ofY, { value: y });
};
const several = (value: "record" | "list" | "y") => (context: ModelContext) => {
  const z = chained(context, context.param("a", dirichlet([1, 1, 1]), { shape: 3 }), value);
  context.generated("z", z.probabilities);
  context.generated("path", z.mostLikely);
};
const values = { mu: MU, rate: RATE, a: A.flat() };

describe("one hidden chain with several values", () => {
  it.each([
    ["record", "c, y"],
    ["list", "both"],
  ] as const)("sums over all paths if the values are in a %s", async (kind, name) => {
    using posterior = await conditioned(several(kind), { y: Y, c: C });
    const u = posterior.unconstrain(values);
    const all = paths(PI, (k, t) => logNormal(Y[t], MU[k], 0.7) + logPoisson(C[t], RATE[k]));
    const whole = logTotal(all.map(({ log }) => log));
    const pointwise = posterior.pointwise(u);
    expect(Object.keys(pointwise)).toEqual([name]);
    expect(pointwise[name].reduce((a, b) => a + b, 0)).toBeCloseTo(whole, 10);
    const { z, path } = posterior.constrain(u);
    Y.forEach((_, t) => {
      for (let k = 0; k < 3; k++) {
        const through = all.filter(({ states }) => states[t] === k).map(({ log }) => log);
        expect(z[3 * t + k]).toBeCloseTo(Math.exp(logTotal(through) - whole), 10);
      }
    });
    expect([...path]).toEqual(best(all));
    checkGradient(posterior, u);
    expect(posterior.observedValues()).toEqual({ y: Float64Array.from(Y), c: Float64Array.from(C) });
  });

  /** Both values reveal their state. */
  const told = (context: ModelContext, states: Parameters<ModelContext["marginalise"]>[0]) => {
    const { y, c } = context.data({ y: matrix("T", "S"), c: matrix("T", "S") });
    const m = context.param("m", normal(0, 1));
    context.marginalise(states, (k) => ({ y: normal(add(m, 10 * k), 0.1), c: normal(add(m, 100 * k), 0.1) }), {
      value: { y, c },
    });
  };
  const grid = Array.from({ length: 8 }, () => [0, 0]);

  it.each([
    ["a chain", hiddenMarkov(PI, A)],
    ["free states", categorical(PI)],
  ])("draws all values from the same states: %s", async (name, states) => {
    using posterior = await conditioned((context) => told(context, states), { y: grid, c: grid });
    const draws = stream(4, "several");
    const first = new Float64Array(3);
    const moves = new Float64Array(9);
    for (let i = 0; i < 1500; i++) {
      const { y, c } = posterior.predict([1], draws.at(i));
      const own = Array.from(y, (x) => Math.round(Math.abs(x - 1) / 10));
      expect(Array.from(c, (x) => Math.round(Math.abs(x - 1) / 100))).toEqual(own);
      own.forEach((state, k) => void (k < 2 ? first[state]++ : moves[3 * own[k - 2] + state]++));
    }
    // Each of 12 counts stays within 4.9 standard deviations except with probability 10⁻⁶.
    const z = (hits: number, count: number, p: number) => Math.abs(hits - count * p) / Math.sqrt(count * p * (1 - p));
    PI.forEach((p, k) => void expect(z(first[k], 3000, p)).toBeLessThan(4.9));
    for (const [k, row] of (name === "a chain" ? A : [PI, PI, PI]).entries())
      row.forEach(
        (p, j) => void expect(z(moves[3 * k + j], moves[3 * k] + moves[3 * k + 1] + moves[3 * k + 2], p)).toBeLessThan(4.9),
      );
  });

  it("sums over the states of each element, for vectors and numbers together", async () => {
    using posterior = await conditioned(
      ({ data, param, marginalise, generated }) => {
        const { v, c } = data({ v: matrix("N", 2), c: vector("N") });
        const mu = param("mu", normal(0, 3), { shape: 2 });
        const identity = [[1, 0], [0, 1]]; // biome-ignore format: rows
        const made = marginalise(discreteUniform(2, 4), (k) => ({ v: multivariateNormal(mul(mu, k), identity), c: poisson(k) }), {
          value: { v, c },
        });
        generated("p", made.probabilities);
        generated("state", made.mostLikely);
      },
      { v: [[1, 2], [3, 0], [-4, 4]], c: [1, 5, 9] }, // biome-ignore format: rows
    );
    const u = posterior.unconstrain({ mu: [0.5, 0.4] });
    const logs = [[1, 2, 1], [3, 0, 5], [-4, 4, 9]].map(([a, b, c]) =>
      [2, 3, 4].map((k) => Math.log(1 / 3) + logNormal(a, 0.5 * k, 1) + logNormal(b, 0.4 * k, 1) + logPoisson(c, k)),
    ); // biome-ignore format: rows
    expect([...posterior.pointwise(u)["v, c"]]).toEqual(logs.map((each) => expect.closeTo(logTotal(each), 10)));
    const { p, state } = posterior.constrain(u);
    logs.forEach((each, i) => {
      each.forEach((log, k) => void expect(p[3 * i + k]).toBeCloseTo(Math.exp(log - logTotal(each)), 10));
      expect(state[i]).toBe(2 + each.indexOf(Math.max(...each)));
    });
  });

  it("draws free states by their own weights", async () => {
    const weights = [[1, 0, 0], [0, 0, 1], [0, 1, 0]]; // biome-ignore format: rows
    using posterior = await conditioned(
      ({ data, param, marginalise }) => {
        const { y, c } = data({ y: vector("N"), c: vector("N") });
        const m = param("m", normal(0, 1));
        marginalise(categorical(weights), (k) => [normal(add(m, 10 * k), 0.1), normal(add(m, 100 * k), 0.1)], { value: [y, c] });
      },
      { y: [0, 20, 10], c: [0, 200, 100] },
    );
    const { y, c } = posterior.predict([0], stream(1, "own").at(0));
    expect(Array.from(y, (x) => Math.round(Math.abs(x) / 10))).toEqual([0, 2, 1]);
    expect(Array.from(c, (x) => Math.round(Math.abs(x) / 100))).toEqual([0, 2, 1]);
  });

  it("names the values by their data or their keys, and in lists by number", async () => {
    const namesOf = async (list: boolean) => {
      using posterior = await conditioned(
        ({ data, param, marginalise }) => {
          const { y } = data({ y: vector("N") });
          const m = param("m", normal(0, 1));
          const twice = mul(2, y);
          const states = categorical([0.5, 0.5]);
          if (list) marginalise(states, () => [normal(m, 1), normal(m, 2)], { value: [twice, y] });
          else marginalise(states, () => ({ twice: normal(m, 1), other: normal(m, 2) }), { value: { twice, other: y } });
        },
        { y: [1, 2] },
      );
      return Object.keys(posterior.observedValues());
    };
    expect(await namesOf(false)).toEqual(["twice", "y"]);
    expect(await namesOf(true)).toEqual(["observed 1", "y"]);
  });

  it("simulates all values in calibration", async () => {
    const seen: ModelData[] = [];
    const flat = model(({ data, param, marginalise }) => {
      const { y, c } = data({ y: vector("T"), c: vector("T") });
      const m = param("m", normal(0, 1));
      marginalise(categorical([0.5, 0.5]), (k) => ({ y: normal(add(m, k), 1), c: poisson(2 + k) }), { value: { y, c } });
    });
    const watched: typeof flat = {
      ...flat,
      condition(data, options) {
        seen.push(data);
        return flat.condition(data, options);
      },
    };
    await calibrate(watched, { y: Y, c: C }, { simulations: 2, draws: 3, bins: 2, warmup: 20, seed: 1 });
    const simulated = seen.filter(({ y }) => String(y) !== String(Y));
    expect(simulated.length).toBeGreaterThan(0);
    for (const { c } of simulated) expect(String(c)).not.toBe(String(C));
  });

  it("supports predict, check and one-step-ahead validation", async () => {
    const posterior = await sample(model(several("record")), { y: Y, c: C }, { seed: 1, chains: 2, warmup: 100, draws: 50 });
    const replicated = posterior.predict({ seed: 3 });
    expect(replicated.quantities.map(({ name, shape }) => [name, shape])).toEqual([
      ["c", [5]],
      ["y", [5]],
    ]);
    expect(replicated.draws("c").every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
    expect(posterior.check("y").suspect).toBeDefined();
    expect(() => posterior.loo()).toThrow(/depend on each other.*\[DRAWS_DEPENDENT\]/);
    expect(posterior.loo("c, y", { oneStepAhead: true }).kind).toBe("one-step-ahead");
    expect(posterior.shape("path")).toEqual([5]);
    expect(posterior.draws("path").every((state) => [0, 1, 2].includes(state))).toBe(true);
  });
});

describe("the most probable path", () => {
  const hidden = (context: ModelContext) => {
    const { y } = context.data({ y: vector("T") });
    const mu = context.param("mu", normal(0, 3), { shape: 3 });
    context.generated("path", context.marginalise(hiddenMarkov(PI, A), (k) => normal(at(mu, k), 0.7), { value: y }).mostLikely);
  };

  it("is the maximum over all paths in many series", async () => {
    const draws = stream(2, "viterbi").at(0);
    let other = 0;
    for (let i = 0; i < power(12, 40); i++) {
      const y = Array.from({ length: 5 }, () => 2 * draws.normal());
      using posterior = await conditioned(hidden, { y });
      const { path } = posterior.constrain(posterior.unconstrain({ mu: MU }));
      const all = paths(PI, (k, t) => logNormal(y[t], MU[k], 0.7));
      expect([...path]).toEqual(best(all));
      // States that are most probable one by one form another path.
      const alone = y.map((_, t) => {
        const sums = [0, 1, 2].map((k) => logTotal(all.filter(({ states }) => states[t] === k).map(({ log }) => log)));
        return sums.indexOf(Math.max(...sums));
      });
      other += Number(String(alone) !== String([...path]));
    }
    expect(other).toBeGreaterThan(0);
  });

  it("prefers lower states in ties, handles a single time and avoids impossible moves", async () => {
    const pathOf = async (rows: number[][], terms: (k: number) => number[], length: number) => {
      using posterior = await conditioned(
        ({ data, param, marginalise, generated }) => {
          const { w } = data({ w: matrix(rows.length, "T") });
          const m = param("m", normal(0, 1));
          const each = stack(
            rows.map((_, k) => add(at(w, k), mul(0, m))),
            -1,
          );
          generated("path", marginalise(hiddenMarkov("uniform", rows), each).mostLikely);
        },
        { w: rows.map((_, k) => terms(k).slice(0, length)) },
      );
      return [...posterior.constrain([0]).path];
    };
    const half = [[0.5, 0.5], [0.5, 0.5]]; // biome-ignore format: rows
    expect(await pathOf(half, () => [0, 0, 0], 3)).toEqual([0, 0, 0]);
    expect(await pathOf(half, (k) => [k], 1)).toEqual([1]);
    // State 0 has no way out, and the third value favours state 1.
    const trap = [[1, 0], [0.5, 0.5]]; // biome-ignore format: rows
    expect(await pathOf(trap, (k) => (k ? [0, 0, 20] : [5, 5, 0]), 3)).toEqual([1, 1, 1]);
    expect(await pathOf(trap, (k) => (k ? [0, 0, 4] : [5, 5, 0]), 3)).toEqual([0, 0, 0]);
  });

  it("is found for each of several parallel chains", async () => {
    const series = [[-1.1, 0.2], [2.2, 1], [1.7, -0.4], [0.3, 3]]; // biome-ignore format: rows
    using both = await conditioned(
      (context) => {
        const { y } = context.data({ y: matrix("T", "S") });
        const mu = context.param("mu", normal(0, 3), { shape: 3 });
        context.generated(
          "path",
          context.marginalise(hiddenMarkov(PI, A), (k) => normal(at(mu, k), 0.7), { value: y }).mostLikely,
        );
      },
      { y: series },
    );
    const { path } = both.constrain(both.unconstrain({ mu: MU }));
    for (const s of [0, 1]) {
      using alone = await conditioned(hidden, { y: series.map((row) => row[s]) });
      expect(series.map((_, t) => path[2 * t + s])).toEqual([...alone.constrain(alone.unconstrain({ mu: MU })).path]);
    }
  });

  it("is chosen for each element of free states", async () => {
    using posterior = await conditioned(({ param, marginalise, generated }) => {
      const mu = param("mu", normal(0, 3), { shape: 3 });
      const made = marginalise(categorical(PI), (k) => normal(at(mu, k), 0.7), { value: [-2, 0.4, 3] as never });
      generated("state", made.mostLikely);
    });
    expect([...posterior.constrain(posterior.unconstrain({ mu: MU })).state]).toEqual([0, 1, 2]);
  });
});

describe("the start of a chain", () => {
  const beginning = (initial: Parameters<typeof hiddenMarkov>[0]) => (context: ModelContext) => {
    const { y } = context.data({ y: vector("T") });
    const rows = context.param("a", dirichlet([1, 1, 1]), { shape: 3 });
    context.marginalise(hiddenMarkov(initial, rows), (k) => normal(MU[k], 0.7), { value: y });
  };

  it.each([
    ["stationary", stationaryOf(A)],
    ["uniform", [1 / 3, 1 / 3, 1 / 3]],
  ] as const)("%s", async (word, initial) => {
    using posterior = await conditioned(beginning(word), { y: Y });
    const u = posterior.unconstrain({ a: A.flat() });
    const whole = logTotal(paths(initial, (k, t) => logNormal(Y[t], MU[k], 0.7)).map(({ log }) => log));
    expect(posterior.pointwise(u).y.reduce((a, b) => a + b, 0)).toBeCloseTo(whole, 10);
    checkGradient(posterior, u);
  });

  it("a stationary chain has the same distribution at each time", async () => {
    using posterior = await conditioned(
      ({ data, param, marginalise }) => {
        const { y } = data({ y: vector("T") });
        const m = param("m", normal(0, 1));
        marginalise(hiddenMarkov("stationary", A), (k) => normal(add(m, 10 * k), 0.1), { value: y });
      },
      { y: [0, 0, 0] },
    );
    const counts = [0, 1, 2].map(() => new Float64Array(3));
    const draws = stream(6, "stationary");
    for (let i = 0; i < 3000; i++)
      posterior.predict([0], draws.at(i)).y.forEach((x, t) => void counts[t][Math.round(Math.abs(x) / 10)]++);
    const wanted = stationaryOf(A);
    // Each of nine counts stays within 4.9 standard deviations except with probability 10⁻⁶.
    for (const count of counts)
      count.forEach((hits, k) => {
        const p = wanted[k];
        expect(Math.abs(hits - 3000 * p) / Math.sqrt(3000 * p * (1 - p))).toBeLessThan(4.9);
      });
  });

  it.each([
    ["another word", () => hiddenMarkov("flat" as never, A), /initial.*"stationary" or "uniform"/],
    [
      "no square",
      () => hiddenMarkov("stationary", [[0.5, 0.5]]),
      /initial is "stationary" and transition has shape \[1, 2\], but \[K\] and \[K, K\]/,
    ],
  ])("refuses %s", (_, attempt, words) => expect(attempt).toThrow(words));
});

describe("refusals", () => {
  const bodies: [string, (context: ModelContext, m: SymbolicArray) => void, string][] = [
    [
      "distributions without values",
      ({ marginalise }, m) => marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1) })),
      "add { value: y }",
    ],
    [
      "a term without one of the keys",
      ({ marginalise }, m) =>
        marginalise(categorical([0.5, 0.5]), (k) => (k ? { y: normal(m, 1) } : { y: normal(m, 1), c: poisson(2) }) as never, {
          value: { y: 1, c: 2 },
        }),
      "value has the keys y, c, but the term of state 1 has y",
    ],
    [
      "a term with another key",
      ({ marginalise }, m) =>
        marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1), c: poisson(2) }), { value: { y: 1 } }),
      "value has the keys y, but the term of state 0 has y, c",
    ],
    [
      "one distribution for several values",
      ({ marginalise }, m) => marginalise(categorical([0.5, 0.5]), () => normal(m, 1), { value: { y: 1 } }),
      "the term of state 0 is not a record",
    ],
    [
      "several distributions for one value",
      ({ marginalise }, m) => marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1) }), { value: m }),
      "there is one value",
    ],
    [
      "densities for several values",
      ({ marginalise }, m) => marginalise(categorical([0.5, 0.5]), () => [m] as never, { value: [m] }),
      "give a distribution for each key",
    ],
    [
      "a symbol as a key",
      ({ marginalise }, m) =>
        marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1) }), { value: { y: 1, [Symbol("c")]: 2 } }),
      "Symbol(c) is a key, but the values of a state must be named by strings",
    ],
    [
      "a symbol as a key of a term",
      ({ marginalise }, m) =>
        marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1), [Symbol("c")]: poisson(2) }), { value: { y: 1 } }),
      "Symbol(c) is a key",
    ],
    ["no values", ({ marginalise }) => marginalise(categorical([0.5, 0.5]), () => [], { value: [] }), "value has no keys"],
    [
      "no operand",
      ({ marginalise }, m) => marginalise(categorical([0.5, 0.5]), () => [normal(m, 1)], { value: ["x" as never] }),
      "value.0",
    ],
  ];
  it.each(bodies)("%s", async (_, body, words) => {
    await expect(conditioned((context) => body(context, context.param("m", normal(0, 1))))).rejects.toThrow(words);
  });

  it("values of different sizes are refused", async () => {
    const body = (context: ModelContext) => {
      const { y, c } = context.data({ y: vector("N"), c: vector("M") });
      const m = context.param("m", normal(0, 1));
      context.marginalise(categorical([0.5, 0.5]), () => ({ y: normal(m, 1), c: normal(m, 2) }), { value: { y, c } });
    };
    await expect(conditioned(body, { y: [1, 2], c: [1, 2, 3] })).rejects.toThrow(
      '"y" has terms of shape [2], but "c" of shape [3]; values of one state must have as many elements',
    );
  });

  it("predictions without distributions are refused with advice", async () => {
    const terms = model(({ param, marginalise }) => {
      const m = param("m", normal(0, 1));
      marginalise(categorical([0.5, 0.5]), (k) => normal(m, 1).logDensity(k), { name: "y" });
    });
    const posterior = await sample(terms, {}, { seed: 1, chains: 1, warmup: 50, draws: 20 });
    expect(() => posterior.predict()).toThrow(
      /the terms of "y" do not say which value they are of.*give marginalise\(\) distributions and { value: y } \[DRAWS_TERMS\]/,
    );
    expect(() => posterior.check()).toThrow("give marginalise() distributions");
  });
});
