/**
 * Sweeps compared with a plain twin that multiplies all factors for each draw, and their stationary distribution by
 * enumeration.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { factorGraph } from "../../../../src/entries/everything.ts";
import { chromatic } from "../../../../src/graphs/sampling/gibbs/schedules/chromatic.ts";
import { hogwild } from "../../../../src/graphs/sampling/gibbs/schedules/hogwild.ts";
import { sequential } from "../../../../src/graphs/sampling/gibbs/schedules/sequential.ts";
import { power } from "../../../power.ts";
import { conditionalAt, logValueAt, sweepOf } from "../../../reference/conditionals.ts";
import { graphFrom, graphPlans } from "../../../reference/random-factor-graph.ts";
import { distance, type Laid, laidOut, possible, product, recounted } from "./laid-out.ts";

const engine = await openEngine({ families: ["graphs"] });

/** The kernel's conditional probabilities at one position, from the state after a single visit. */
function kernelConditional(laid: Laid, states: Int32Array, position: number): Float64Array {
  const { chain, layout, columns } = laid;
  const before = sumsAt(laid, position);
  chain.begin((variable) => states[variable]);
  const [call] = chain.calls({ from: position, to: position + 1, shared: false }, sequential, 0, 1, true, 1);
  engine.kernel(call.kernel as string, false)(...call.args);
  chain.settle(1);
  const found = sumsAt(laid, position).map((value, s) => value - before[s]);
  const count = columns.cardinalities[layout.variables[position]];
  return layout.terms(position) === count ? found : Float64Array.of(1 - found[0], found[0]);
}

function sumsAt({ chain, layout }: Laid, position: number): Float64Array {
  return chain.sums.totals.slice(layout.slots[position], layout.slots[position + 1]);
}

const graphs = graphPlans({ most: 6, widest: 6 });

describe("graphSweep", () => {
  it.each([sequential, chromatic])("draws the same as the twin, $name", async (schedule) => {
    let drawn = 0;
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(), async (plan, seed) => {
        const laid = laidOut(graphFrom(plan).conditionals(), engine, { schedule, seed });
        const { columns, visits, chain, layout, random } = laid;
        const starts = possible(laid);
        if (starts.length > 0) {
          const states = starts[seed % starts.length].slice();
          chain.begin((variable) => states[variable]);
          const sums = Array.from(columns.cardinalities, (count) => new Float64Array(count));
          const soft = (variable: number): boolean => layout.terms(layout.positions[variable]) === 1;
          for (let n = 0; n < 3; n++) {
            await laid.sweep(n);
            sweepOf(columns, visits.order, states, random.at(n), soft, sums);
            expect(laid.states()).toEqual([...states]);
            drawn += visits.order.length;
          }
          chain.settle(3);
          const { totals } = chain.sums;
          for (const [position, variable] of visits.order.entries()) {
            const own = totals.subarray(layout.slots[position], layout.slots[position + 1]);
            const wanted = own.length === 1 && soft(variable) ? sums[variable].subarray(1) : sums[variable];
            wanted.forEach((value, s) => {
              expect(Math.abs(own[s] - value)).toBeLessThan(1e-11);
            });
          }
          expect([...chain.kept]).toEqual(recounted(laid));
        }
        laid.dispose();
      }),
      { numRuns: power(200, 700), seed: 4 },
    );
    expect(drawn).toBeGreaterThan(power(570, 2000));
  });

  it("draws the same in one call for several sweeps as in several calls for ranges", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 40; i++) graph.variable(undefined, i % 5 === 0 ? 3 : 2);
    const weight = graph.weight(undefined, 0.8);
    for (let i = 0; i < 39; i++) graph.addFactor("isTrue", [i], [1], weight.id, Math.sin(i));
    for (let i = 0; i < 39; i++) graph.addFactor("equal", [i, i + 1], [1, 1], weight.id, Math.cos(i));
    const [whole, parts] = [0, 1].map(() => laidOut(graph.conditionals(), engine));
    for (const { chain } of [whole, parts]) chain.begin(() => 0);
    await whole.sweep(0, 5);
    for (let n = 0; n < 5; n++)
      for (const [from, to] of [
        [0, 3],
        [3, 11],
        [11, 40],
      ]) {
        const [call] = parts.chain.calls({ from, to, shared: false }, sequential, n, 1, true, 1);
        engine.kernel(call.kernel as string, false)(...call.args);
      }
    expect(parts.states()).toEqual(whole.states());
    for (const { chain } of [whole, parts]) chain.settle(5);
    expect(parts.chain.sums.totals).toEqual(whole.chain.sums.totals);
    expect(parts.chain.sums.changed).toEqual(whole.chain.sums.changed);
    for (const laid of [whole, parts]) laid.dispose();
  });
});

describe("stationary distributions", () => {
  it("π is stationary for every visit, sweeps in both orders and random scan, to 1e-12; a wrong term is detected", () => {
    let worst = 0;
    let seen = 0;
    let graphsSeen = 0;
    fc.assert(
      fc.property(graphPlans({ most: 4, widest: 4 }), (plan) => {
        for (const schedule of [sequential, chromatic]) {
          const laid = laidOut(graphFrom(plan).conditionals(), engine, { schedule });
          const states = possible(laid);
          if (states.length > 1) {
            const logs = states.map((one) => logValueAt(laid.columns, one));
            const high = Math.max(...logs);
            const total = logs.reduce((sum, value) => sum + Math.exp(value - high), 0);
            const pi = logs.map((value) => Math.exp(value - high) / total);
            const matrices = visitsOf(laid, states, (p) => p);
            const sweep = matrices.reduce(product);
            const scan = sweep.map((row, i) =>
              row.map((_, j) => matrices.reduce((sum, m) => sum + m[i][j], 0) / matrices.length),
            );
            for (const matrix of [...matrices, sweep, scan]) worst = Math.max(worst, distance(pi, matrix));
            // Mutant: the first state of each conditional is slightly more likely.
            const wrong = visitsOf(laid, states, (p) => p.map((value, s) => value * (s === 0 ? 1.001 : 1))).reduce(product);
            if (distance(pi, wrong) > 1e-6) seen++;
            graphsSeen++;
          }
          laid.dispose();
        }
      }),
      { numRuns: power(60, 150), seed: 6 },
    );
    expect(worst).toBeLessThan(1e-12);
    expect(graphsSeen).toBeGreaterThan(power(60, 150));
    expect(seen).toBeGreaterThan(0.8 * graphsSeen);
  });
});

/** Transition matrices of single visits, by position. */
function visitsOf(laid: Laid, states: Int32Array[], change: (p: Float64Array) => Float64Array): number[][][] {
  const places = new Map(states.map((one, i) => [one.join(), i]));
  return Array.from({ length: laid.layout.drawn }, (_, position) => {
    const variable = laid.layout.variables[position];
    return states.map((from) => {
      const row = new Array<number>(states.length).fill(0);
      change(kernelConditional(laid, from, position)).forEach((p, s) => {
        const to = places.get(from.with(variable, s).join());
        if (to !== undefined) row[to] += p;
        else expect(p).toBe(0);
      });
      return row;
    });
  });
}

describe("shared counts of racing workers", () => {
  it("are correct after millions of simultaneous updates by two workers", async () => {
    const graph = factorGraph();
    for (let i = 0; i < 20000; i++) graph.variable();
    for (let i = 0; i < 4; i++)
      graph.ratio(
        Array.from({ length: 4999 }, (_, k) => 5000 * i + k),
        5000 * i + 4999,
        { weight: 1 },
      );
    const laid = laidOut(graph.conditionals(), engine, { schedule: hogwild, workers: 2 });
    laid.chain.begin(() => 0);
    // Voters have almost no preference: a draw changes one in nearly half of all cases, of 20,000 per sweep.
    const [rounds, sweeps] = [power(1, 11), power(200, 1000)];
    for (let n = 0; n < rounds; n++) {
      await laid.sweep(sweeps * n, sweeps);
      expect([...laid.chain.kept]).toEqual(recounted(laid));
    }
    const before = laid.states();
    await laid.sweep(sweeps * rounds);
    const changed = laid.states().filter((state, variable) => state !== before[variable]).length;
    expect(changed).toBeGreaterThan(9000);
    laid.dispose();
  });
});

it("the twin's conditional equals enumeration", () => {
  const graph = factorGraph();
  for (const name of ["a", "b", "c"]) graph.variable(name);
  graph.imply(["a", "b"], "c", { weight: 2 });
  const p = conditionalAt(graph.conditionals(), Int32Array.of(1, 1, 0), 2);
  expect(p[1]).toBeCloseTo(Math.exp(2) / (1 + Math.exp(2)), 12);
});
