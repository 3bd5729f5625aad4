/**
 * Copies of a graph's states, as chains and as bits: their values, swaps and new ladders, and their stationary
 * distribution at a power.
 */
import { afterAll, describe, expect, it } from "vitest";
import { KeptPart } from "../../../../src/engine/loop/kept-part.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { atOnce } from "../../../../src/engine/threads/steps.ts";
import { JointState } from "../../../../src/graphs/parts/joint-state.ts";
import { LogTables } from "../../../../src/graphs/parts/log-tables.ts";
import { tableColumns } from "../../../../src/graphs/parts/table-columns.ts";
import { ChainCopies } from "../../../../src/graphs/sampling/ensembles/chain-copies.ts";
import type { Copies } from "../../../../src/graphs/sampling/ensembles/copies.ts";
import { ReplicaCopies } from "../../../../src/graphs/sampling/ensembles/replica-copies.ts";
import { bitOf } from "../../../reference/replica-exchange.ts";

const engine = await openEngine({ families: ["graphs"] });
const used = engine.memory.usedBytes;
const made: Copies[] = [];
afterAll(() => {
  for (const one of made) one.dispose();
  expect(engine.memory.usedBytes).toBeLessThanOrEqual(used);
});
const plan = { task: "marginals", seed: 3, workers: 1, memory: 2 ** 28 } as const;
const powers = Float64Array.of(1, 0.5, 0.2, 0);

/** A ring of Booleans with fields, couplings of both signs, and a chord. */
function ring(count: number) {
  const pair = (a: number, b: number, c: number) => ({
    scope: [a, b],
    shape: [2, 2],
    values: Float64Array.of(c, -0.1, -c, 0.3 * c),
    logs: true,
    scale: 0.2,
    range: 0,
  });
  const tables = Array.from({ length: count }, (_, i) => pair(i, (i + 1) % count, i % 2 === 0 ? 0.7 : -0.7));
  const fields = Array.from({ length: count }, (_, i) => ({
    scope: [i],
    shape: [2],
    values: Float64Array.of(0, i % 3 === 0 ? 0.5 : -0.25),
    logs: true,
    scale: 0,
    range: 0,
  }));
  return LogTables.of({ cardinalities: Array(count).fill(2), tables: [...tables, pair(0, count >> 1, 0.7), ...fields] });
}

/** Variables of two to four states, with a table of three variables. */
function mixed() {
  const draws = stream(8, "mixed").at(0);
  const cardinalities = [2, 3, 4, 2, 3];
  const tables = [[0, 1], [1, 2, 3], [3, 4], [4, 0], [2]].map((scope) => {
    const shape = scope.map((v) => cardinalities[v]);
    const size = shape.reduce((product, count) => product * count, 1);
    return { scope, shape, values: Float64Array.from({ length: size }, () => draws.normal()), logs: true, scale: 0, range: 0 };
  });
  return LogTables.of({ cardinalities, tables });
}

/** States of an ensemble at a power, by variable. */
type Reader = (ensemble: number, power: number) => number[];

function chains(tables: LogTables): { copies: Copies; read: Reader } {
  const copies = new ChainCopies(tableColumns(tables), plan, engine, 9);
  made.push(copies);
  const { layout, chains: rows } = copies as unknown as {
    layout: { positions: Uint32Array };
    chains: { current: Uint8Array }[][];
  };
  return { copies, read: (e, k) => Array.from(layout.positions, (position) => rows[e][k].current[position]) };
}

function bits(tables: LogTables): { copies: Copies; read: Reader } {
  const copies = new ReplicaCopies(tableColumns(tables), plan, engine);
  made.push(copies);
  const { layout, rungs } = copies as unknown as {
    layout: { positionOf: Int32Array };
    rungs: { replicas: { words: Uint32Array } }[];
  };
  return { copies, read: (e, k) => Array.from(layout.positionOf, (position) => bitOf(rungs[k].replicas.words, position, e)) };
}

const all: [string, () => { copies: Copies; read: Reader }, LogTables][] = [
  ["chains", () => chains(mixed()), mixed()],
  ["chains of Booleans", () => chains(ring(11)), ring(11)],
  ["bits", () => bits(ring(11)), ring(11)],
  ["bits of an even number", () => bits(ring(8)), ring(8)],
];

async function swept(copies: Copies, sweep: number, how: { search?: number; keep?: boolean } = {}): Promise<void> {
  let place = 0;
  do place = await copies.sweep(sweep, place, how);
  while (place > 0);
}

it.each([
  // One pause for each power except the first. Chains pause once per few thousand variables.
  ["bits", () => new ReplicaCopies(tableColumns(ring(64)), plan, engine), 3],
  ["chains", () => new ChainCopies(tableColumns(ring(64)), plan, engine, 256), 4],
] as const)("%s start with pauses", (_, make, least) => {
  const copies = make();
  made.push(copies);
  copies.resize(powers, []);
  const pauses = [...copies.begin(stream(1, "begin"))].length;
  expect(pauses).toBeGreaterThanOrEqual(least);
  expect(pauses).toBeLessThan(2 * least);
});

describe.each(all)("%s", (_, make, tables) => {
  const worth = (states: number[]): number => new JointState(tables, states).value;

  it("report the values of their states, relative to the first state", async () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(1, "begin")));
    const offset = worth(tables.cardinalities.map(() => 0)) - (await copies.firstValue());
    for (const sweep of [0, 1, 2]) {
      await swept(copies, sweep);
      for (let e = 0; e < copies.ensembles; e++)
        for (let k = 0; k < 4; k++) expect(copies.values[4 * e + k] + offset).toBeCloseTo(worth(read(e, k)), 8);
    }
  });

  it("start anywhere: every variable takes each of its states in some ensemble at some power", () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(2, "begin")));
    const found = tables.cardinalities.map(() => new Set<number>());
    for (let e = 0; e < copies.ensembles; e++)
      for (let k = 0; k < 4; k++) for (const [variable, state] of read(e, k).entries()) found[variable].add(state);
    // 36 draws miss the rarest state with a probability of 3e-5 per state. The seed is fixed.
    expect(found.map((states) => [...states].sort())).toEqual(
      tables.cardinalities.map((count) => Array.from({ length: count }, (_, state) => state)),
    );
  });

  it("start independently at each power", () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(2, "begin")));
    const seen = new Set(
      [0, 1, 2, 3].map((k) => Array.from({ length: copies.ensembles }, (__, e) => read(e, k).join("")).join()),
    );
    expect(seen.size).toBe(4);
  });

  it("swap states of the named ensembles", async () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(2, "begin")));
    await swept(copies, 0);
    const some = Array.from({ length: copies.ensembles }, (__, e) => e).filter((e) => e % 3 !== 1);
    const before = Array.from({ length: copies.ensembles }, (__, e) => [0, 1, 2, 3].map((k) => read(e, k)));
    copies.trade(1, some);
    for (const [e, [a, b, c, d]] of before.entries())
      expect([0, 1, 2, 3].map((k) => read(e, k))).toEqual(some.includes(e) ? [a, c, b, d] : [a, b, c, d]);
  });

  it("move to new powers with the named states, and return to where they searched", async () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(3, "begin")));
    await swept(copies, 0);
    const before = [0, 1, 2, 3].map((k) => read(2, k));
    copies.resize(Float64Array.of(1, 0.8, 0.5, 0.3, 0), [0, 0, 1, 2, 3]);
    expect([0, 1, 2, 3, 4].map((k) => read(2, k))).toEqual([before[0], before[0], ...before.slice(1)]);
    copies.resize(Float64Array.of(1, 0.3, 0), [0, 3, 4]);
    expect([0, 1, 2].map((k) => read(2, k))).toEqual([before[0], before[2], before[3]]);
    // A search changes only the first half at power 1.
    const rest = [1, 2].map((k) => read(0, k));
    for (let sweep = 1; sweep < 30; sweep++) await swept(copies, sweep, { search: 6 });
    expect([1, 2].map((k) => read(0, k))).toEqual(rest);
    copies.spread();
    expect([1, 2].map((k) => read(0, k))).toEqual([read(0, 0), read(0, 0)]);
    const last = copies.ensembles - 1;
    expect([0, 1, 2].map((k) => read(last, k).join(""))).not.toEqual(Array(3).fill(read(last, 0).join("")));
  });

  it("sample the distribution at their power, searches their own, and sum probabilities at power 1", async () => {
    const { copies } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(4, "begin")));
    const exact = enumerated(tables);
    const sums = [0, 0, 0, 0];
    const [burn, sweeps] = [100, Math.ceil(60_000 / copies.ensembles)];
    const offset = worth(tables.cardinalities.map(() => 0)) - (await copies.firstValue());
    const means: number[][] = [];
    for (let sweep = 0; sweep < burn + sweeps; sweep++) {
      await swept(copies, sweep, { keep: sweep >= burn });
      if (sweep < burn) continue;
      for (let at = 0; at < copies.values.length; at++) {
        sums[at % 4] += copies.values[at] + offset;
        (means[at] ??= []).push(copies.values[at] + offset);
      }
    }
    for (const [k, power] of powers.entries()) {
      const own = Array.from({ length: copies.ensembles }, (__, e) => average(means[4 * e + k]));
      const error = Math.sqrt(own.reduce((sum, m) => sum + (m - average(own)) ** 2, 0) / (own.length - 1) / own.length);
      // One of 16 such checks fails with a probability of at most 3e-4: Student's t with 8 degrees, 7.
      expect(Math.abs(average(own) - exact.mean(power)) / error).toBeLessThan(7);
    }
    const shares = new Float64Array(copies.groups * copies.slots);
    copies.addShares(shares);
    const { from, count } = copies.slotsOf(1);
    const at = from + (count === 1 ? 0 : 1);
    const own = Array.from({ length: copies.groups }, (__, g) => shares[g * copies.slots + at] / sweeps);
    const error = Math.sqrt(own.reduce((sum, m) => sum + (m - average(own)) ** 2, 0) / (own.length - 1) / own.length);
    expect(Math.abs(average(own) - exact.share) / error).toBeLessThan(7);
    expect(error).toBeLessThan(0.01);
    copies.clearShares();
    const cleared = new Float64Array(shares.length);
    copies.addShares(cleared);
    expect(cleared.every((sum) => sum === 0)).toBe(true);
    // At a power of 30 a search soon reaches a local optimum. Back at 1 it samples as before.
    for (let sweep = 10_000; sweep < 10_050; sweep++) await swept(copies, sweep, { search: 30 });
    const searched = average(Array.from({ length: copies.ensembles >> 1 }, (__, e) => copies.values[4 * e] + offset));
    expect(searched).toBeGreaterThan(exact.mean(1) + (exact.most - exact.mean(1)) / 2);
    await swept(copies, 10_051);
    let after = 0;
    for (let sweep = 10_052; sweep < 10_152; sweep++) {
      await swept(copies, sweep);
      after += average(Array.from({ length: copies.ensembles >> 1 }, (__, e) => copies.values[4 * e] + offset)) / 100;
    }
    expect(after).toBeLessThan(exact.mean(1) + (exact.most - exact.mean(1)) / 2);
  });

  it("restore their snapshots", async () => {
    const { copies, read } = make();
    copies.resize(powers, []);
    atOnce(copies.begin(stream(5, "begin")));
    for (let sweep = 0; sweep < 300; sweep++) await swept(copies, sweep, { keep: true });
    const kept = copies.snapshot();
    const second = make();
    second.copies.resize(powers, []);
    second.copies.restore(new KeptPart("test", { tensors: kept, state: {} }));
    await second.copies.weigh();
    expect([...second.copies.values]).toEqual([...copies.values]);
    for (const one of [copies, second.copies]) await swept(one, 300, { keep: true });
    expect(second.copies.snapshot()).toEqual(copies.snapshot());
    expect(read(1, 2)).toEqual(second.read(1, 2));
    expect(() =>
      second.copies.restore(new KeptPart("test", { tensors: { ...kept, states: new Uint32Array(3) }, state: {} })),
    ).toThrow(/there are 3 numbers in "states"/);
  });
});

it("refuse factors with too many strengths, as bits", () => {
  const many = Array.from({ length: 40 }, (_, i) => ({
    scope: [i, (i + 1) % 40],
    shape: [2, 2],
    values: Float64Array.of(0, 0, 0, 0.01 * (i + 1)),
    logs: true,
    scale: 0,
    range: 0,
  }));
  const tables = LogTables.of({ cardinalities: Array(40).fill(2), tables: many });
  expect(() => new ReplicaCopies(tableColumns(tables), plan, engine)).toThrow(
    /its factors have 40 different strengths, but must have at most 32.*GRAPH_REPLICAS/,
  );
});

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * From all joint states: the mean value at a power, the largest value, and the probability of state 1 of variable 1 at
 * power 1.
 */
function enumerated(tables: LogTables) {
  const count = tables.cardinalities.reduce((product, own) => product * own, 1);
  const states = Array.from({ length: count }, (_, index) =>
    tables.cardinalities.map((own) => {
      const state = index % own;
      index = Math.floor(index / own);
      return state;
    }),
  );
  const values = states.map((one) => new JointState(tables, one).value);
  const weighted = (power: number, of: (i: number) => number): number => {
    const weights = values.map((value) => Math.exp(power * value));
    return weights.reduce((sum, w, i) => sum + w * of(i), 0) / weights.reduce((sum, w) => sum + w, 0);
  };
  return {
    mean: (power: number) => weighted(power, (i) => values[i]),
    most: Math.max(...values),
    share: weighted(1, (i) => (states[i][1] === 1 ? 1 : 0)),
  };
}
