/**
 * Draws of blocks compared with a twin that enumerates the joint states of a block, and their stationary distribution
 * by enumeration.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import type { Draws } from "../../../../src/engine/random/stream.ts";
import * as F from "../../../../src/graphs/fields.ts";
import { blocking } from "../../../../src/graphs/sampling/gibbs/blocking.ts";
import { blocks } from "../../../../src/graphs/sampling/gibbs/schedules/blocks.ts";
import type { Schedule } from "../../../../src/graphs/sampling/gibbs/schedules/schedule.ts";
import { power } from "../../../power.ts";
import { logValueAt } from "../../../reference/conditionals.ts";
import { graphFrom, graphPlans } from "../../../reference/random-factor-graph.ts";
import { distance, type Laid, laidOut, possible, product, recounted } from "./laid-out.ts";

/** Blocks with smaller tables, so that graphs of a few variables have several blocks. */
const small: Schedule = {
  ...blocks,
  name: "blocks of small tables",
  *visits(columns) {
    const found = yield* blocking(columns, { mostStates: 4, mostLinked: 9 });
    return { order: found.order, stretches: [{ from: 0, to: found.order.length, shared: false }], blocks: found };
  },
};

const engine = await openEngine({ families: ["graphs"] });

/** The probability of each joint state of a block given all others, with the last variable fastest. */
function jointOf({ columns }: Laid, states: Int32Array, block: ArrayLike<number>): { states: number[]; p: number }[] {
  const now = states.slice();
  let all: number[][] = [[]];
  for (const variable of Array.from(block))
    all = all.flatMap((one) => Array.from({ length: columns.cardinalities[variable] }, (_, s) => [...one, s]));
  const logs = all.map((one) => {
    one.forEach((s, k) => {
      now[block[k]] = s;
    });
    return logValueAt(columns, now);
  });
  const high = Math.max(...logs);
  const total = logs.reduce((sum, value) => sum + Math.exp(value - high), 0);
  return all.map((one, i) => ({ states: one, p: Math.exp(logs[i] - high) / total }));
}

const setsOf = ({ visits, together }: Laid): Uint32Array[] =>
  Array.from({ length: together!.firsts.length - 1 }, (_, b) =>
    visits.order.subarray(together!.firsts[b], together!.firsts[b + 1]),
  );

/** A sweep draws the last variable of each block first, and each variable from the remaining joint distribution. */
function sweepOfBlocks(laid: Laid, states: Int32Array, draws: Draws, sums: Float64Array[]): void {
  const uniforms = Array.from(laid.visits.order, () => draws.uniform());
  for (const [b, block] of setsOf(laid).entries()) {
    const joint = jointOf(laid, states, block);
    for (const { states: one, p } of joint)
      one.forEach((s, k) => {
        sums[block[k]][s] += p;
      });
    let left = joint;
    for (let k = block.length - 1; k >= 0; k--) {
      const variable = block[k];
      const total = left.reduce((sum, { p }) => sum + p, 0);
      const p = Array.from({ length: laid.columns.cardinalities[variable] }, (_, s) =>
        left.reduce((sum, one) => sum + (one.states[k] === s ? one.p : 0), 0),
      ).map((value) => value / total);
      let u = uniforms[laid.together!.firsts[b] + k];
      let chosen = states[variable];
      if (block.length === 1 && laid.layout.terms(laid.layout.positions[variable]) === 1) chosen = u < p[1] ? 1 : 0;
      else
        for (const [s, value] of p.entries()) {
          if (value === 0) continue;
          chosen = s;
          if (u < value) break;
          u -= value;
        }
      states[variable] = chosen;
      left = left.filter((one) => one.states[k] === chosen);
    }
  }
}

describe("graphBlocks", () => {
  it.each([blocks, small])("draws the same as the twin, and stores the marginals of blocks: $name", async (schedule) => {
    let [drawn, together, counted] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(graphPlans({ most: 7, widest: 6 }), fc.nat(), async (plan, seed) => {
        const laid = laidOut(graphFrom(plan).conditionals(), engine, { schedule, seed });
        const { columns, visits, chain, layout, random } = laid;
        const starts = possible(laid);
        if (starts.length > 0) {
          const states = starts[seed % starts.length].slice();
          const changed = new Uint8Array(states.length);
          chain.begin((variable) => states[variable]);
          const sums = Array.from(columns.cardinalities, (count) => new Float64Array(count));
          for (let n = 0; n < 3; n++) {
            const before = states.slice();
            await laid.sweep(n);
            sweepOfBlocks(laid, states, random.at(n), sums);
            expect(laid.states()).toEqual([...states]);
            states.forEach((state, variable) => {
              changed[variable] |= state === before[variable] ? 0 : 1;
            });
          }
          chain.settle(3);
          const { totals, changed: marked } = chain.sums;
          for (const [position, variable] of visits.order.entries()) {
            const own = totals.subarray(layout.slots[position], layout.slots[position + 1]);
            const wanted = own.length === 1 ? sums[variable].subarray(1) : sums[variable];
            wanted.forEach((value, s) => {
              expect(Math.abs(own[s] - value)).toBeLessThan(1e-11);
            });
            expect(marked[position]).toBe(changed[variable]);
          }
          expect([...chain.kept]).toEqual(recounted(laid));
          drawn += visits.order.length;
          for (const block of setsOf(laid)) if (block.length > 1) together += block.length;
          counted += layout.counted;
        }
        laid.dispose();
      }),
      { numRuns: power(100, 300), seed: 4 },
    );
    console.log(`${drawn} variables drawn, ${together} of them in blocks of several, ${counted} functions with counts`);
    expect(together).toBeGreaterThan(0.5 * drawn);
    expect(counted).toBeGreaterThan(power(33, 100));
  });

  it("draws from the tempered distribution at another power", async () => {
    const graph = graphFrom({
      counts: [2, 3, 2, 3],
      factors: [0, 1, 2].map((i) => ({
        kind: "table",
        variables: [i, i + 1],
        draws: Array.from({ length: 32 }, (_, k) => 0.3 + ((7 * k + 3 * i) % 11) / 16),
      })),
      observed: [],
      soft: [],
    });
    const laid = laidOut(graph.conditionals(), engine, { schedule: blocks });
    laid.chain.setPower(2.5);
    laid.chain.begin(() => 0);
    await laid.sweep(0);
    laid.chain.settle(1);
    const powers = possible(laid).map((states) => ({ states, weight: Math.exp(2.5 * logValueAt(laid.columns, states)) }));
    const total = powers.reduce((sum, { weight }) => sum + weight, 0);
    for (let variable = 0; variable < 4; variable++) {
      const position = laid.layout.positions[variable];
      const one = powers.reduce((sum, { states, weight }) => sum + (states[variable] === 1 ? weight : 0), 0) / total;
      const slot = laid.layout.slots[position] + (laid.layout.terms(position) === 1 ? 0 : 1);
      expect(laid.chain.sums.totals[slot]).toBeCloseTo(one, 12);
    }
    laid.dispose();
  });
});

/** The kernel's probabilities of all joint states of a block: products of the rows in its tables. */
function transitions(laid: Laid, from: Int32Array, b: number): { states: number[]; p: number }[] {
  const { chain, layout, visits, together, columns } = laid;
  const block = setsOf(laid)[b];
  const [first, end] = [together!.firsts[b], together!.firsts[b + 1]];
  chain.begin((variable) => from[variable]);
  const [call] = chain.calls({ from: first, to: end, shared: false }, blocks, 0, 1, false, 1);
  engine.kernel(call.kernel as string, false)(...call.args);
  const { memory } = engine;
  const tables = memory.u32(chain.block, F.GRAPH_BYTES / 4)[F.GRAPH_TABLES / 4];
  const { begins, separators } = visits.blocks!;
  const count = (position: number): number => columns.cardinalities[layout.variables[position]];
  return jointOf(laid, from, block).map(({ states }) => {
    let p = 1;
    for (let position = first; position < end; position++) {
      let row = 0;
      for (const other of separators.subarray(begins[position], begins[position + 1]))
        row = row * count(other) + states[other - first];
      const entry = row * count(position) + states[position - first];
      p *= memory.f64(tables + together!.tables[position] + 8 * entry, 1)[0];
    }
    return { states, p };
  });
}

describe("stationary distributions of blocks", () => {
  it("π is stationary for each block's draw and for sweeps, to 1e-12, and a wrong probability is detected", () => {
    let worst = 0;
    let [seen, several, graphs] = [0, 0, 0];
    fc.assert(
      fc.property(graphPlans({ most: 5, widest: 5 }), fc.constantFrom(blocks, small), (plan, schedule) => {
        const laid = laidOut(graphFrom(plan).conditionals(), engine, { schedule });
        const states = possible(laid);
        const all = [...setsOf(laid).keys()].filter((b) => setsOf(laid)[b].length > 1);
        if (states.length > 1 && all.length > 0) {
          const logs = states.map((one) => logValueAt(laid.columns, one));
          const high = Math.max(...logs);
          const total = logs.reduce((sum, value) => sum + Math.exp(value - high), 0);
          const pi = logs.map((value) => Math.exp(value - high) / total);
          const matrix = (b: number, change: (p: number, s: number) => number): number[][] => {
            const places = new Map(states.map((one, i) => [one.join(), i]));
            return states.map((from) => {
              const row = new Array<number>(states.length).fill(0);
              for (const { states: block, p } of transitions(laid, from, b)) {
                const to = from.slice();
                block.forEach((s, k) => {
                  to[setsOf(laid)[b][k]] = s;
                });
                const place = places.get(to.join());
                if (place !== undefined) row[place] += change(p, block[0]);
                else expect(p).toBe(0);
              }
              return row;
            });
          };
          const matrices = all.map((b) => matrix(b, (p) => p));
          for (const one of [...matrices, matrices.reduce(product)]) worst = Math.max(worst, distance(pi, one));
          const wrong = all.map((b) => matrix(b, (p, s) => p * (s === 0 ? 1.001 : 1))).reduce(product);
          if (distance(pi, wrong) > 1e-6) seen++;
          if (setsOf(laid).length > 1) several++;
          graphs++;
        }
        laid.dispose();
      }),
      { numRuns: power(150, 500), seed: 6 },
    );
    console.log(`${graphs} graphs, ${several} of several blocks: ${worst}`);
    expect(several).toBeGreaterThan(power(15, 50));
    expect(worst).toBeLessThan(1e-12);
    expect(graphs).toBeGreaterThan(power(24, 80));
    expect(seen).toBeGreaterThan(0.8 * graphs);
  });
});
