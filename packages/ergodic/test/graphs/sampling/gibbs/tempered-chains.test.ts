/**
 * Tempered Gibbs sampling on graphs: values of states, the stationary distribution on the product space, a plain twin,
 * and graphs with modes that one chain does not leave.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Conditionals } from "../../../../src/engine/contract/index.ts";
import { KeptPart } from "../../../../src/engine/loop/kept-part.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { swapProbability } from "../../../../src/engine/statistics/temperature-ladder.ts";
import {
  type Answer,
  elimination,
  type FactorGraph,
  factorGraph,
  graphGibbs,
  infer,
  inferenceFromJson,
} from "../../../../src/entries/everything.ts";
import { Inference } from "../../../../src/graphs/infer/inference.ts";
import { Chain } from "../../../../src/graphs/sampling/gibbs/chain.ts";
import { blocks } from "../../../../src/graphs/sampling/gibbs/schedules/blocks.ts";
import { chromatic } from "../../../../src/graphs/sampling/gibbs/schedules/chromatic.ts";
import { sequential } from "../../../../src/graphs/sampling/gibbs/schedules/sequential.ts";
import { type GraphTemperingOptions, TemperedChains, temperedOf } from "../../../../src/graphs/sampling/gibbs/tempered-chains.ts";
import { isSlow, power } from "../../../power.ts";
import { logValueAt, sweepOf } from "../../../reference/conditionals.ts";
import { enumerateGraph } from "../../../reference/enumerate-graph.ts";
import { heldTo } from "../../../reference/held-to-certificate.ts";
import { graphFrom, graphPlans } from "../../../reference/random-factor-graph.ts";
import { denseGraphs, gridEdges, randomGraphs } from "../../../reference/random-graph.ts";
import { expectShared } from "./continued-runs.ts";
import { laidOut } from "./laid-out.ts";

const engine = await openEngine({ families: ["graphs"] });

type Laid = ReturnType<typeof laidOut>;

/** All joint states of sampled variables, or those of positive product. */
function statesOf({ columns }: Laid, all = false): Int32Array[] {
  const { cardinalities, observed } = columns;
  let found = [observed.map((state) => Math.max(0, state))];
  observed.forEach((state, variable) => {
    if (state >= 0) return;
    found = found.flatMap((one) => Array.from({ length: cardinalities[variable] }, (_, s) => one.with(variable, s)));
  });
  return found.filter((one) => all || logValueAt(columns, one) > -Infinity);
}

function valueAt({ chain }: Laid, states: ArrayLike<number>): number {
  chain.begin((variable) => states[variable]);
  const { kernel, args } = chain.valueCall();
  engine.kernel(kernel as string, false)(...args);
  return chain.value;
}

/** ln p^β up to a constant: the same graph with all logarithms multiplied by β. */
const atPower = (columns: Conditionals, power: number): Conditionals => ({
  ...columns,
  shapeValues: columns.shapeValues.map((value) => (value === -Infinity ? value : power * value)),
});

const normalised = (logs: number[]): number[] => {
  const high = Math.max(...logs);
  const shares = logs.map((value) => Math.exp(value - high));
  const total = shares.reduce((a, b) => a + b);
  return shares.map((share) => share / total);
};

/** max |πP − π|. */
const distance = (pi: number[], matrix: number[][]): number =>
  Math.max(...pi.map((value, j) => Math.abs(pi.reduce((sum, p, i) => sum + p * matrix[i][j], 0) - value)));

describe("graphValue", () => {
  it("is ln of the product of all factors up to a constant, and −∞ if it is 0", () => {
    let [same, zeros, forms] = [0, 0, 0];
    fc.assert(
      fc.property(graphPlans({ most: 6, widest: 5 }), (plan) => {
        for (const schedule of [sequential, chromatic, blocks]) {
          const laid = laidOut(graphFrom(plan).conditionals(), engine, { schedule });
          const all = statesOf(laid, true);
          // If no state is possible, the cause can be a factor of observed variables alone, which is part of the
          // constant.
          const base = all.find((one) => logValueAt(laid.columns, one) > -Infinity);
          const constant = base ? valueAt(laid, base) - logValueAt(laid.columns, base) : 0;
          for (const one of base ? all : []) {
            const wanted = logValueAt(laid.columns, one);
            const found = valueAt(laid, one);
            if (wanted === -Infinity) {
              expect(found).toBe(-Infinity);
              zeros++;
              continue;
            }
            expect(Math.abs(found - wanted - constant)).toBeLessThan(1e-9 * Math.max(1, Math.abs(wanted)));
            if (Math.abs(wanted - logValueAt(laid.columns, base!)) > 1e-3) same++;
          }
          if (laid.layout.counted > 0) forms++;
          laid.dispose();
        }
      }),
      { numRuns: power(80, 400), seed: 21 },
    );
    expect(same).toBeGreaterThan(power(600, 3000));
    expect(zeros).toBeGreaterThan(power(60, 300));
    expect(forms).toBeGreaterThan(power(10, 50));
  });
});

describe("stationary distributions on the product space", () => {
  const powers = [1, 0.6, 0.25];

  it("Π p^β is stationary for visits at every power and for even and odd swaps, to 1e-12; wrong signs are detected", () => {
    let worst = 0;
    let [graphsSeen, seen, zeros] = [0, 0, 0];
    fc.assert(
      fc.property(graphPlans({ most: 3, widest: 3 }), (plan) => {
        const laid = laidOut(graphFrom(plan).conditionals(), engine);
        const states = statesOf(laid);
        if (states.length > 1 && states.length <= 8) {
          if (states.length < statesOf(laid, true).length) zeros++;
          const logs = states.map((one) => logValueAt(laid.columns, one));
          const each = powers.map((power) => normalised(logs.map((value) => power * value)));
          powers.forEach((power, k) => {
            for (let position = 0; position < laid.layout.drawn; position++)
              worst = Math.max(worst, distance(each[k], visitAt(laid, states, position, power)));
          });
          const values = states.map((one) => valueAt(laid, one));
          const joint = states.flatMap((_, a) => states.flatMap((__, b) => states.map((___, c) => [a, b, c])));
          const pi = joint.map(([a, b, c]) => each[0][a] * each[1][b] * each[2][c]);
          for (const k of [0, 1]) {
            const matrix = (sign: number): number[][] =>
              joint.map((from) => {
                const row = new Array<number>(joint.length).fill(0);
                const p = swapProbability(sign * (powers[k] - powers[k + 1]), values[from[k]], values[from[k + 1]]);
                const to = from.with(k, from[k + 1]).with(k + 1, from[k]);
                const place = ([a, b, c]: number[]): number => (a * states.length + b) * states.length + c;
                row[place(to)] += p;
                row[place(from)] += 1 - p;
                return row;
              });
            worst = Math.max(worst, distance(pi, matrix(1)));
            if (distance(pi, matrix(-1)) > 1e-6) seen++;
            graphsSeen++;
          }
        }
        laid.dispose();
      }),
      { numRuns: power(60, 120), seed: 22 },
    );
    expect(worst).toBeLessThan(1e-12);
    expect(graphsSeen).toBeGreaterThan(power(30, 60));
    expect(zeros).toBeGreaterThan(power(2, 5));
    expect(seen).toBeGreaterThan(0.7 * graphsSeen);
  });

  it("an impossible state always moves to the lower power, and two impossible states stay", () => {
    expect(swapProbability(0.5, -Infinity, 3)).toBe(1);
    expect(swapProbability(0.5, 3, -Infinity)).toBe(0);
    expect(swapProbability(0.5, -Infinity, -Infinity)).toBe(0);
    expect(swapProbability(0.5, 2, 1)).toBe(Math.exp(-0.5));
  });
});

/** The transition matrix of one visit at a power, from the state that the kernel stores. */
function visitAt(laid: Laid, states: Int32Array[], position: number, power: number): number[][] {
  const { chain, layout, columns } = laid;
  const variable = layout.variables[position];
  const [from, to] = [layout.slots[position], layout.slots[position + 1]];
  const places = new Map(states.map((one, i) => [one.join(), i]));
  chain.setPower(power);
  const matrix = states.map((one) => {
    chain.begin((v) => one[v]);
    chain.forget();
    const [call] = chain.calls({ from: position, to: position + 1, shared: false }, sequential, 0, 1, true, 1);
    engine.kernel(call.kernel as string, false)(...call.args);
    chain.settle(1);
    const kept = chain.sums.totals.slice(from, to);
    const p = kept.length === columns.cardinalities[variable] ? kept : Float64Array.of(1 - kept[0], kept[0]);
    const row = new Array<number>(states.length).fill(0);
    p.forEach((value, s) => {
      const place = places.get(one.with(variable, s).join());
      if (place === undefined) expect(value).toBe(0);
      else row[place] += value;
    });
    return row;
  });
  chain.setPower(1);
  return matrix;
}

/** Two chains with ladders that the test drives. */
function ladderOf(laid: Laid, options: GraphTemperingOptions, seed: number) {
  const { layout } = laid;
  const make = (c: number, k: number): Chain => new Chain(layout, engine, stream(seed, "twin", c, "rung", k), 1);
  const chains = [make(0, 0), make(1, 0)];
  const begin = (states: (chain: number) => Int32Array): TemperedChains => {
    chains.forEach((chain, c) => {
      chain.begin((v) => states(c)[v]);
    });
    return new TemperedChains(temperedOf("test", options)!, chains, make, { seed, name: "twin" });
  };
  const sweep = async (ladder: TemperedChains, number: number): Promise<void> => {
    for (const stretch of laid.visits.stretches)
      for (const chain of [...chains, ...ladder.copies])
        for (const { kernel, args } of chain.calls(stretch, sequential, number, 1, false, 1))
          engine.kernel(kernel as string, false)(...args);
    if (!ladder.isDue(number + 1)) return;
    for (const { kernel, args } of ladder.valueCalls()) engine.kernel(kernel as string, false)(...args);
    ladder.swap(number + 1);
  };
  /** States by chain, rung and variable. */
  const states = (ladder: TemperedChains): number[][][] =>
    chains.map((chain, c) =>
      [chain, ...ladder.copies.slice((c * ladder.copies.length) / 2, ((c + 1) * ladder.copies.length) / 2)].map((one) =>
        Array.from(layout.positions, (position) => one.current[position]),
      ),
    );
  const dispose = (ladder: TemperedChains): void => {
    ladder.dispose();
    for (const chain of chains) chain.dispose();
  };
  return { chains, begin, sweep, states, dispose };
}

describe("ladders", () => {
  it("draw and swap the same as a plain twin, and count its round trips", async () => {
    let [moved, trips] = [0, 0];
    await fc.assert(
      fc.asyncProperty(graphPlans({ most: 5, widest: 4 }), fc.nat(), async (plan, seed) => {
        const laid = laidOut(graphFrom(plan).conditionals(), engine);
        const starts = statesOf(laid);
        if (starts.length > 1) {
          const temperatures = [1, 0.5, 0.2].slice(0, 2 + (seed % 2));
          const swapEvery = 1 + (seed % 3 === 0 ? 1 : 0);
          const hand = ladderOf(laid, { temperatures, swapEvery }, seed);
          const ladder = hand.begin((c) => starts[(seed + c) % starts.length]);
          const twin = [0, 1].map((c) => temperatures.map(() => starts[(seed + c) % starts.length].slice()));
          /** The end that each state visited last, by chain and rung: "top", then "low". */
          const been = twin.map((rungs) => rungs.map(() => ({ end: "" })));
          let counted = 0;
          const soft = (variable: number): boolean => laid.layout.terms(laid.layout.positions[variable]) === 1;
          for (let n = 0; n < 24; n++) {
            await hand.sweep(ladder, n);
            for (const [c, rungs] of twin.entries()) {
              rungs.forEach((one, k) => {
                const draws = stream(seed, "twin", c, "rung", k).at(n);
                sweepOf(atPower(laid.columns, temperatures[k]), laid.visits.order, one, draws, soft);
              });
              if ((n + 1) % swapEvery !== 0) continue;
              const number = (n + 1) / swapEvery;
              const draws = stream(seed, "twin", c, "swap").at(number);
              for (let k = number % 2; k + 1 < rungs.length; k += 2) {
                const [a, b] = [rungs[k], rungs[k + 1]].map((one) => logValueAt(laid.columns, one));
                const u = draws.uniform();
                if (!(Math.log(u) < (temperatures[k] - temperatures[k + 1]) * (b - a))) continue;
                if (rungs[k].join() !== rungs[k + 1].join()) moved++;
                [rungs[k], rungs[k + 1]] = [rungs[k + 1], rungs[k]];
                [been[c][k], been[c][k + 1]] = [been[c][k + 1], been[c][k]];
              }
              const [top, low] = [been[c][0], been[c][rungs.length - 1]];
              if (top.end === "low") counted++;
              top.end = "top";
              if (low.end === "top") low.end = "low";
            }
            expect(hand.states(ladder)).toEqual(twin.map((rungs) => rungs.map((one) => [...one])));
          }
          expect(ladder.roundTrips).toBe(counted);
          trips += counted;
          hand.dispose(ladder);
        }
        laid.dispose();
      }),
      { numRuns: power(50, 150), seed: 23 },
    );
    expect(moved).toBeGreaterThan(power(160, 500));
    expect(trips).toBeGreaterThan(power(33, 100));
  });

  it("record changes by a swap alone, in the upper chain", () => {
    const graph = factorGraph();
    for (let i = 0; i < 4; i++) graph.variable();
    graph.ratio([0, 1, 2], 3, { weight: 1 });
    const laid = laidOut(graph.conditionals(), engine);
    const hand = ladderOf(laid, { temperatures: [1, 0.5] }, 1);
    const ladder = hand.begin(() => Int32Array.of(0, 0, 1, 1));
    const [upper, lower] = [hand.chains[0], ladder.copies[0]];
    lower.begin((v) => [0, 1, 0, 1][v]);
    const before = [[...upper.kept], [...lower.kept]];
    upper.trade(lower);
    const changed = (chain: Chain): number[] => Array.from(laid.layout.positions, (p) => chain.sums.changed[p]);
    expect(changed(upper)).toEqual([0, 1, 1, 0]);
    expect(changed(lower)).toEqual([0, 0, 0, 0]);
    expect([[...lower.kept], [...upper.kept]]).toEqual(before);
    expect(hand.states(ladder)[0]).toEqual([
      [0, 1, 0, 1],
      [0, 0, 1, 1],
    ]);
    hand.dispose(ladder);
    laid.dispose();
  });

  it("find as many powers as half of all swaps need, from any start, and keep given powers", async () => {
    const laid = laidOut(ising(8, 2.5, 0.1).conditionals(), engine);
    const found: number[] = [];
    for (const options of [{}, { lowest: 0.02 }]) {
      const hand = ladderOf(laid, options, 3);
      const ladder = hand.begin((c) => new Int32Array(64).fill(c));
      let n = 0;
      for (const end of [200, 400, 800, 1600]) {
        for (; n < end; n++) await hand.sweep(ladder, n);
        ladder.adapt();
      }
      for (; n < 3000; n++) await hand.sweep(ladder, n);
      const [, low, high] = /, (\d\.\d+) to (\d\.\d+) of swaps/.exec(ladder.words)!.map(Number);
      expect(low).toBeGreaterThan(0.4);
      expect(high).toBeLessThan(0.65);
      expect(ladder.powers[0]).toBe(1);
      expect(ladder.powers.at(-1)).toBe(options.lowest ?? geometricEnd);
      found.push(ladder.powers.length);
      hand.dispose(ladder);
    }
    expect(Math.abs(found[0] - found[1])).toBeLessThan(3);
    for (const [options, count] of [
      [{ count: 5 }, 5],
      [{ temperatures: [1, 0.9, 0.1] }, 3],
    ] as const) {
      const hand = ladderOf(laid, options, 3);
      const ladder = hand.begin((c) => new Int32Array(64).fill(c));
      const before = [...ladder.powers];
      for (let n = 0; n < 50; n++) await hand.sweep(ladder, n);
      ladder.adapt();
      expect(ladder.powers.length).toBe(count);
      if ("temperatures" in options) expect([...ladder.powers]).toEqual([1, 0.9, 0.1]);
      else expect([...ladder.powers]).not.toEqual(before);
      hand.dispose(ladder);
    }
    laid.dispose();
  });

  it("track whether states found by a chain are seen again later", async () => {
    const laid = laidOut(ising(4, 0.5, 0).conditionals(), engine);
    const hand = ladderOf(laid, { temperatures: [1, 0.9] }, 1);
    const [cold, hot] = [new Int32Array(16), Int32Array.from({ length: 16 }, (_, i) => (i + (i >> 2)) % 2)];
    const ladder = hand.begin(() => cold);
    const put = (states: Int32Array, swap: number, warming: boolean): void => {
      for (const chain of [...hand.chains, ...ladder.copies]) chain.begin((v) => states[v]);
      for (const { kernel, args } of ladder.valueCalls()) engine.kernel(kernel as string, false)(...args);
      ladder.swap(swap, warming);
    };
    for (let s = 1; s <= 20; s++) put(cold, s, true);
    ladder.begin();
    for (let s = 1; s < 8; s++) put(s < 4 ? cold : hot, s, false);
    expect(ladder.lost).toBe(false);
    put(hot, 8, false);
    expect(ladder.lost).toBe(true);
    for (let s = 9; s < 40; s++) put(s === 20 ? cold : hot, s, false);
    expect(ladder.lost).toBe(false);
    for (let s = 40; s <= 64; s++) put(hot, s, false);
    expect(ladder.lost).toBe(true);
    put(cold, 65, false);
    expect(ladder.lost).toBe(false);
    // Too few values for a conclusion.
    ladder.forget();
    for (let s = 1; s <= 8; s++) put(cold, s, true);
    ladder.begin();
    put(hot, 9, false);
    expect(ladder.lost).toBe(false);
    hand.dispose(ladder);
    laid.dispose();
  });

  it("save all they need, and refuse snapshots that do not fit", async () => {
    const laid = laidOut(ising(4, 2, 0.1).conditionals(), engine);
    const [one, two] = [0, 1].map(() => ladderOf(laid, { count: 4 }, 5));
    const [a, b] = [one, two].map((hand) => hand.begin((c) => new Int32Array(16).fill(c)));
    for (let n = 0; n < 40; n++) await one.sweep(a, n);
    a.adapt();
    for (let n = 40; n < 61; n++) await one.sweep(a, n);
    const snapshot = { tensors: a.snapshot(), state: {} };
    one.chains.forEach((_, c) => {
      two.chains[c].begin((v) => one.states(a)[c][0][v]);
    });
    b.restore(new KeptPart("test", snapshot));
    expect(b.snapshot()).toEqual(snapshot.tensors);
    for (let n = 61; n < 90; n++) {
      await one.sweep(a, n);
      await two.sweep(b, n);
    }
    expect(b.snapshot()).toEqual(a.snapshot());
    const damaged = (change: object) => () =>
      b.restore(new KeptPart("test", { tensors: { ...snapshot.tensors, ...change }, state: {} }));
    expect(damaged({ powers: Float64Array.of(1, 0.5, 0.6, 0.1) })).toThrow(/powers do not descend/);
    expect(damaged({ walkers: new Uint32Array(8) })).toThrow(/at two powers/);
    expect(damaged({ ends: new Uint32Array(8).fill(3) })).toThrow(/ends/);
    one.dispose(a);
    two.dispose(b);
    laid.dispose();
  });
});

const geometricEnd = 0.01;

function ising(side: number, temperature: number, field: number): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < side * side; i++) graph.variable();
  for (const [a, b] of gridEdges(side, side)) graph.equal([a, b], { weight: 1 / temperature });
  const weight = graph.weight("field", field, { fixed: true });
  for (let i = 0; i < side * side; i++) graph.isTrue(i, { weight });
  return graph;
}

/** Two groups of variables with strong links within and weak links between them. */
function clusters(size: number): FactorGraph {
  const graph = factorGraph();
  for (let i = 0; i < 2 * size; i++) graph.variable();
  for (const first of [0, size])
    for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) graph.equal([first + i, first + j], { weight: 4 / size });
  graph.equal([0, size], { weight: 0.4 });
  graph.isTrue(1, { weight: 0.3 });
  return graph;
}

const numbersOf = (answer: Answer): string => JSON.stringify(answer).replace(/"run":\{[^}]*\}/, "");

/** The largest error of a probability in its standard errors. */
function worstOf(answer: Answer, exact: Answer): number {
  return Math.max(
    ...answer.variables.map((name) => {
      const { p, certificate } = answer.marginal(name);
      if (!("mcse" in certificate)) throw new Error(`${name}: ${JSON.stringify(certificate)}`);
      return Math.abs(p[1] - exact.marginal(name).p[1]) / certificate.mcse[1];
    }),
  );
}

describe("tempered graphGibbs", () => {
  it.each([
    ["a magnet of 8 x 8 below its critical temperature", () => ising(8, 1.3, 0.003)],
    ["two clusters that are coupled", () => clusters(12)],
  ])("has the marginals of %s within 4 standard errors, while single chains disagree", async (_, make) => {
    const graph = make();
    const exact = await infer(graph, { algorithm: elimination() });
    for (const seed of isSlow ? [0, 1] : [0]) {
      const plain = await infer(graph, { algorithm: graphGibbs({ sweeps: 3000 }), seed });
      expect(plain.certificate).toEqual({ none: expect.stringMatching(/disagree/) });
      const found = await infer(graph, {
        algorithm: graphGibbs({ tempered: true, sweeps: power(1500, 3000), mcse: 0.02 }),
        seed,
      });
      const worst = worstOf(found, exact);
      console.log(`${found.method}: ${worst.toFixed(1)} standard errors`);
      // Errors of a bimodal graph depend on one number, the share of the modes. The limit is 4 standard errors for t
      // with few degrees of freedom, four times.
      expect(worst).toBeLessThan(4);
      expect(found.certificate).toHaveProperty("mcse");
    }
  });

  it("warns of an isolated state with half of the mass", async () => {
    const graph = factorGraph();
    const names = Array.from({ length: 30 }, (_, i) => `x${i}`);
    for (const name of names) graph.variable(name);
    graph.all(names, { weight: 30 * Math.LN2 });
    graph.equal(["x0", "x1"], { weight: 0.2 });
    const steps = { temperatures: Array.from({ length: 20 }, (_, k) => 1 - 0.04 * k) };
    for (const tempered of [true, steps])
      for (let seed = 0; seed < power(1, 3); seed++) {
        const { certificate } = await infer(graph, { algorithm: graphGibbs({ tempered, sweeps: 1000 }), seed });
        expect(certificate).toEqual({ none: expect.stringMatching(/disagree|did not lead back/) });
      }
  });

  it("is never wrong without a warning, on random graphs of all kinds, with and without zeros", async () => {
    const numRuns = power(4, 40);
    const graphs = [...fc.sample(randomGraphs, { numRuns, seed: 24 }), ...fc.sample(denseGraphs, { numRuns, seed: 25 })];
    let [held, claims] = [0, 0];
    for (const graph of graphs) {
      const truth = enumerateGraph(graph);
      if (truth.logZ === -Infinity) continue;
      const algorithm = graphGibbs({ tempered: true, sweeps: 2000, mcse: 0.02 });
      const found = await infer(graph, { algorithm });
      truth.marginals.forEach((p, variable) => {
        const { p: estimate, certificate } = found.marginal(variable);
        p.forEach((value, state) => {
          const verdict = heldTo(certificate, estimate[state], value, state);
          if (verdict !== "holds") console.log(JSON.stringify(found), value);
          held += verdict === "holds" ? 1 : 0;
          claims++;
        });
      });
    }
    expect(held).toBe(claims);
    expect(claims).toBeGreaterThan(6 * graphs.length);
  });

  it("equals chains and a ladder by hand, during warm-up and after", async () => {
    const graph = ising(4, 1.6, 0.1);
    const [warmup, swapEvery] = [40, 2];
    const tempered = { temperatures: [1, 0.7, 0.4], swapEvery };
    const algorithm = graphGibbs({ schedule: "sequential", chains: 2, warmup, sweeps: 1000, tempered });
    const run = await Inference.open(
      graph.conditionals(),
      algorithm,
      { task: "marginals", seed: 6, workers: 1, memory: 2 ** 28 },
      engine,
    );
    const laid = laidOut(graph.conditionals(), engine);
    const make = (c: number, k: number): Chain =>
      new Chain(laid.layout, engine, stream(6, "graph gibbs", c, ...(k === 0 ? [] : ["rung", k])), 1);
    const chains = [make(0, 0), make(1, 0)];
    chains.forEach((chain, c) => {
      chain.begin(() => c);
    });
    const ladder = new TemperedChains(temperedOf("test", tempered)!, chains, make, { seed: 6, name: "graph gibbs" });
    let sweep = 0;
    for (const stop of [10, 40, 42, 100]) {
      while (sweep < stop) {
        for (const chain of [...chains, ...ladder.copies])
          for (const { kernel, args } of chain.calls(laid.visits.stretches[0], sequential, sweep, 1, false, 1))
            engine.kernel(kernel as string, false)(...args);
        sweep++;
        if (sweep % swapEvery === 0) {
          for (const { kernel, args } of ladder.valueCalls()) engine.kernel(kernel as string, false)(...args);
          ladder.swap(sweep, sweep <= warmup);
        }
        // Given powers stay fixed, and swaps are counted again.
        if ([2, 5, 10, 20, 30].includes(sweep)) ladder.forget();
        if (sweep === warmup) ladder.begin();
      }
      let kept = run.snapshot();
      while ((kept.state as { parts: { sweep?: number }[] }).parts[0].sweep !== stop) {
        await run.advance(1);
        kept = run.snapshot();
      }
      for (const [c, chain] of chains.entries()) expect(kept.tensors[`0.${c}.states`]).toEqual(chain.packedStates());
      for (const [name, tensor] of Object.entries(ladder.snapshot())) expect(kept.tensors[`0.ladder.${name}`]).toEqual(tensor);
    }
    run.dispose();
    ladder.dispose();
    for (const chain of chains) chain.dispose();
    laid.dispose();
  });

  it("computes the same chains at 1 and 3 workers that share colours", async () => {
    const graph = factorGraph();
    const side = 130;
    for (let i = 0; i < side * side; i++) graph.variable();
    for (const [a, b] of gridEdges(side, side)) graph.equal([a, b], { weight: 0.1 });
    for (let i = 0; i < 200; i += 10) graph.ratio([i, i + 1, i + 2, i + 3], i + 4, { weight: 0.5 });
    const algorithm = graphGibbs({ chains: 2, warmup: 8, sweeps: 100, tempered: { temperatures: [1, 0.95, 0.9] } });
    const { tensors } = await expectShared(graph, algorithm, engine, 12);
    // Walkers have changed places, so swaps were made.
    expect([...tensors["0.ladder.walkers"]]).not.toEqual([0, 1, 2, 0, 1, 2]);
  });

  it.each(["chromatic", "sequential", "random"] as const)(
    "ends with the same result after a checkpoint at any time: %s",
    async (schedule) => {
      const graph = ising(5, 1.5, 0.1);
      const algorithm = graphGibbs({ schedule, tempered: { swapEvery: 2 }, warmup: 60, sweeps: 200 });
      const plan = { task: "marginals", seed: 3, workers: 1, memory: 2 ** 28 } as const;
      const before = engine.memory.usedBytes;
      const whole = await Inference.open(graph.conditionals(), algorithm, plan, engine);
      while (!whole.converged) await whole.advance(1);
      const wanted = numbersIn(whole);
      const first = await Inference.open(graph.conditionals(), algorithm, plan, engine);
      for (const steps of [0, 1, 7, 15, 16, 30, 46, 100]) {
        while (first.step < steps) await first.advance(1);
        expect(first.converged).toBe(false);
        const second = await Inference.open(
          graph.conditionals(),
          inferenceFromJson(JSON.parse(JSON.stringify(algorithm))),
          plan,
          engine,
        );
        const snapshot = first.snapshot();
        second.restore(snapshot);
        expect(second.snapshot()).toEqual(snapshot);
        while (!second.converged) await second.advance(1);
        expect(numbersIn(second) === wanted).toBe(true);
        second.dispose();
      }
      first.dispose();
      whole.dispose();
      expect(engine.memory.usedBytes).toBeLessThanOrEqual(before);
    },
  );

  it("resumes through the public API to the same bytes", async () => {
    const graph = ising(5, 2, 0.05);
    const algorithm = graphGibbs({ tempered: true, warmup: 60, sweeps: 200 });
    const run = infer(graph, { algorithm, seed: 2 }).pause();
    const kept = [await run.checkpoint()];
    run.proceed();
    let trips = 0;
    for await (const tick of run) {
      trips = Number(tick.roundTrips ?? 0);
      if (kept.length < 3) kept.push(await run.pause().checkpoint());
      run.proceed();
    }
    const wanted = numbersOf(await run);
    expect(kept.length).toBeGreaterThan(1);
    expect(trips).toBeGreaterThan(10);
    for (const bytes of kept) expect(numbersOf(await infer.resume(bytes, graph, { workers: 2 })) === wanted).toBe(true);
  });

  it("refuses meaningless options, and is rebuilt from JSON", () => {
    expect(() => graphGibbs({ tempered: true, schedule: "hogwild" })).toThrow(/hogwild.*\[OPTION_CONFLICT\]/);
    expect(() => graphGibbs({ tempered: { temperatures: [1, 0.5], count: 2 } })).toThrow(/\[OPTION_CONFLICT\]/);
    for (const temperatures of [[1, 0], [0.5, 0.2], [1, 0.5, 0.7], []])
      expect(() => graphGibbs({ tempered: { temperatures } })).toThrow(/\[OPTION_RANGE\]/);
    expect(() => graphGibbs({ tempered: { lowest: 0 } })).toThrow(/lowest is 0.*\[OPTION_RANGE\]/);
    for (const tempered of [true, { count: 3, lowest: 0.2 }, { temperatures: [1, 0.3], swapEvery: 4 }]) {
      const json = JSON.parse(JSON.stringify(graphGibbs({ tempered })));
      expect(inferenceFromJson(json).toJSON()).toEqual(json);
      expect(json.tempered).toMatchObject({ swapEvery: 1, ...(tempered === true ? {} : tempered) });
    }
    expect(graphGibbs({ tempered: false }).toJSON()).toEqual(graphGibbs().toJSON());
  });
});

/** All stored state except the number of steps, because a new layout adds a step. */
function numbersIn(inference: Inference): string {
  const { tensors, state } = inference.snapshot();
  const plainly = (_: string, one: unknown): unknown => (ArrayBuffer.isView(one) ? Array.from(one as Float64Array, String) : one);
  return JSON.stringify([tensors, (state as { parts: unknown }).parts], plainly);
}
