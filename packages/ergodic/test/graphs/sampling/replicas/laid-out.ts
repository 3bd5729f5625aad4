import type { Conditionals } from "../../../../src/engine/contract/index.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { BitLayout } from "../../../../src/graphs/sampling/replicas/bit-layout.ts";
import { Replicas } from "../../../../src/graphs/sampling/replicas/replicas.ts";

/** 64 replicas of a graph that the test drives. */
export function bitsLaidOut(columns: Conditionals, engine: Engine, seed = 0) {
  const layout = new BitLayout(columns, engine.memory);
  const random = stream(seed, "replica gibbs", 0);
  const replicas = new Replicas(layout, engine, random, 1);
  replicas.begin(stream(seed, "replica gibbs, start", 0).at(0));
  /** Sweeps all positions, with one call per range between two `cuts`. */
  const sweep = (number: number, sweeps = 1, keep = false, cuts: readonly number[] = [0, layout.positions]): void => {
    for (let i = 1; i < cuts.length; i++)
      for (const { kernel, args } of replicas.calls({ from: cuts[i - 1], to: cuts[i], shared: false }, number, sweeps, keep, 1))
        engine.kernel(kernel as string, false)(...args);
  };
  const bit = (variable: number, replica: number): number => {
    const word = replicas.words[2 * layout.positionOf[variable] + (replica >> 5)];
    return (word >>> (replica & 31)) & 1;
  };
  const setBit = (variable: number, replica: number, state: number): void => {
    const at = 2 * layout.positionOf[variable] + (replica >> 5);
    const mask = 1 << (replica & 31);
    replicas.words[at] = state ? replicas.words[at] | mask : replicas.words[at] & ~mask;
  };
  /** States of a replica by variable. Observed variables keep their states. */
  const states = (replica: number): Int32Array =>
    Int32Array.from(columns.observed, (state, variable) => (state < 0 ? bit(variable, replica) : state));
  const dispose = (): void => {
    replicas.dispose();
    layout.dispose();
  };
  return { columns, layout, replicas, key: random.key, sweep, bit, setBit, states, dispose };
}
