import { readFileSync } from "node:fs";
import type { Engine } from "../../src/engine/memory/engine.ts";
import { stream } from "../../src/engine/random/stream.ts";
import { atOnce } from "../../src/engine/threads/steps.ts";
import { factorGraph } from "../../src/graphs/model/graph.ts";
import { Chain } from "../../src/graphs/sampling/gibbs/chain.ts";
import { Layout } from "../../src/graphs/sampling/gibbs/layout.ts";
import { chromatic } from "../../src/graphs/sampling/gibbs/schedules/chromatic.ts";
import { BitLayout } from "../../src/graphs/sampling/replicas/bit-layout.ts";
import { Replicas } from "../../src/graphs/sampling/replicas/replicas.ts";

/** Energy and heat capacity per site of the Ising magnet with coupling 1 on a torus. */
export interface Moments {
  readonly energy: number;
  readonly capacity: number;
}

/**
 * Exact values from the numbers of states: line i, from 0, is ln of the number of states with energy −2N + 4i, or
 * −10000 if there are none.
 */
export function exactMoments(file: string, side: number, temperature: number): Moments & { readonly logZ: number } {
  const sites = side * side;
  const levels = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((line, i) => ({ log: Number.parseFloat(line), energy: -2 * sites + 4 * i }))
    .filter(({ log }) => log > -10000);
  const logs = levels.map(({ log, energy }) => log - energy / temperature);
  const high = Math.max(...logs);
  let [total, first, second] = [0, 0, 0];
  for (const [i, { energy }] of levels.entries()) {
    const weight = Math.exp(logs[i] - high);
    total += weight;
    first += weight * energy;
    second += weight * energy * energy;
  }
  const mean = first / total;
  const capacity = (second / total - mean * mean) / temperature ** 2 / sites;
  return { energy: mean / sites, capacity, logZ: high + Math.log(total) };
}

/** Pairs of neighbours in the magnet. */
function bondsOf(side: number): [number, number][] {
  return Array.from({ length: side * side }, (_, i) => {
    const [row, column] = [Math.floor(i / side), i % side];
    return [i, row * side + ((column + 1) % side), ((row + 1) % side) * side + column];
  }).flatMap(([i, right, down]): [number, number][] => [
    [i, right],
    [i, down],
  ]);
}

function magnet(side: number, temperature: number) {
  const graph = factorGraph();
  for (let i = 0; i < side * side; i++) graph.variable();
  const weight = graph.weight(undefined, 1 / temperature);
  for (const bond of bondsOf(side)) graph.equal(bond, { weight });
  return graph.conditionals();
}

/** Estimates with standard errors from means over independent units: replicas, or batches of chains. */
export interface Estimates extends Moments {
  readonly energyError: number;
  readonly capacityError: number;
}

function estimates(
  units: readonly { sum: number; squares: number; count: number }[],
  side: number,
  temperature: number,
): Estimates {
  const sites = side * side;
  const means = units.map(({ sum, count }) => sum / count);
  const mean = average(means);
  // Contribution of each unit to the variance, to first order.
  const variances = units.map(({ squares, count }, u) => squares / count - 2 * mean * means[u] + mean * mean);
  const scale = temperature ** 2 * sites;
  return {
    energy: mean / sites,
    energyError: errorOf(means) / sites,
    capacity: average(variances) / scale,
    capacityError: errorOf(variances) / scale,
  };
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const errorOf = (values: readonly number[]): number => {
  const mean = average(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1) / values.length);
};

/** Length of a run, and number of sweeps between two measurements of the energy. */
export interface Length {
  readonly warmup: number;
  readonly sweeps: number;
  readonly every: number;
  readonly seed?: number;
}

/** Estimates from 64 replicas stored as bits. */
export function replicaMoments(
  engine: Engine,
  side: number,
  temperature: number,
  { warmup, sweeps, every, seed = 0 }: Length,
): Estimates {
  const layout = new BitLayout(magnet(side, temperature), engine.memory);
  const replicas = new Replicas(layout, engine, stream(seed, "ising"), 1);
  replicas.begin(stream(seed, "ising, start").at(0));
  const bonds = Uint32Array.from(bondsOf(side).flat(), (variable) => 2 * layout.positionOf[variable]);
  const units = Array.from({ length: 64 }, () => ({ sum: 0, squares: 0, count: 0 }));
  /** Bits of the number of broken bonds, by half of the replicas and power of two. */
  const planes = new Int32Array(64);
  const all = { from: 0, to: layout.positions, shared: false };
  const run = (from: number, count: number): void => {
    for (const { kernel, args } of replicas.calls(all, from, count, false, 1)) engine.kernel(kernel as string, false)(...args);
  };
  run(0, warmup);
  for (let n = warmup; n < warmup + sweeps; n += every) {
    run(n, every);
    const { words } = replicas;
    planes.fill(0);
    for (let bond = 0; bond < bonds.length; bond += 2)
      for (let half = 0; half < 2; half++) {
        let carry = words[bonds[bond] + half] ^ words[bonds[bond + 1] + half];
        for (let plane = half; carry !== 0; plane += 2) {
          const both = planes[plane] & carry;
          planes[plane] ^= carry;
          carry = both;
        }
      }
    units.forEach((unit, replica) => {
      let broken = 0;
      for (let power = 0; power < 32; power++)
        broken += ((planes[2 * power + (replica >> 5)] >>> (replica & 31)) & 1) * 2 ** power;
      add(unit, 2 * broken - bonds.length / 2);
    });
  }
  replicas.dispose();
  layout.dispose();
  return estimates(units, side, temperature);
}

function add(unit: { sum: number; squares: number; count: number }, energy: number): void {
  unit.sum += energy;
  unit.squares += energy * energy;
  unit.count++;
}

/** Estimates from four chains with the chromatic schedule, in twenty batches each. */
export function chromaticMoments(
  engine: Engine,
  side: number,
  temperature: number,
  { warmup, sweeps, every, seed = 0 }: Length,
): Estimates {
  const columns = magnet(side, temperature);
  const { order, stretches } = atOnce(chromatic.visits(columns));
  const layout = Layout.of(columns, order, engine.memory);
  const bonds = Uint32Array.from(bondsOf(side).flat(), (variable) => layout.positions[variable]);
  const units: { sum: number; squares: number; count: number }[] = [];
  for (let c = 0; c < 4; c++) {
    const chain = new Chain(layout, engine, stream(seed, "ising", c), 1);
    chain.begin(() => c % 2);
    const run = (from: number, count: number): void => {
      for (const stretch of stretches)
        for (const { kernel, args } of chain.calls(stretch, chromatic, from, count, false, 1))
          engine.kernel(kernel as string, false)(...args);
    };
    run(0, warmup);
    for (let batch = 0, n = warmup; batch < 20; batch++) {
      const unit = { sum: 0, squares: 0, count: 0 };
      for (const end = warmup + ((batch + 1) * sweeps) / 20; n < end; n += every) {
        run(n, every);
        const states = chain.current;
        let broken = 0;
        for (let bond = 0; bond < bonds.length; bond += 2) broken += states[bonds[bond]] ^ states[bonds[bond + 1]];
        add(unit, 2 * broken - bonds.length / 2);
      }
      units.push(unit);
    }
    chain.dispose();
  }
  layout.dispose();
  return estimates(units, side, temperature);
}
