import type { Conditionals } from "../../../../src/engine/contract/index.ts";
import type { Engine } from "../../../../src/engine/memory/engine.ts";
import { type Stream, stream } from "../../../../src/engine/random/stream.ts";
import { atOnce } from "../../../../src/engine/threads/steps.ts";
import { BlockLayout } from "../../../../src/graphs/sampling/gibbs/block-layout.ts";
import { Chain } from "../../../../src/graphs/sampling/gibbs/chain.ts";
import { Layout } from "../../../../src/graphs/sampling/gibbs/layout.ts";
import type { Schedule } from "../../../../src/graphs/sampling/gibbs/schedules/schedule.ts";
import { sequential } from "../../../../src/graphs/sampling/gibbs/schedules/sequential.ts";
import { logValueAt } from "../../../reference/conditionals.ts";

/** A chain over a graph that the test drives. Variables of one state count as observed. */
export function laidOut(
  given: Conditionals,
  engine: Engine,
  { schedule = sequential, workers = 1, seed = 0 }: LaidOutOptions = {},
) {
  const observed = given.observed.map((state, variable) => (state < 0 && given.cardinalities[variable] === 1 ? 0 : state));
  const columns: Conditionals = { ...given, observed };
  const visits = atOnce(schedule.visits(columns));
  const layout = Layout.of(columns, visits.order, engine.memory);
  const random: Stream = stream(seed, "graph gibbs", 0);
  const together = visits.blocks && BlockLayout.of(columns, layout, visits.blocks, engine.memory);
  const chain = new Chain(layout, engine, random, workers, together);
  const dispose = (): void => {
    chain.dispose();
    layout.dispose();
  };
  const sweep = async (number: number, sweeps = 1, keep = true): Promise<void> => {
    for (const stretch of visits.stretches)
      await engine.run(chain.calls(stretch, schedule, number, sweeps, keep, workers), { workers, deterministic: false });
  };
  /** States by variable. */
  const states = (): number[] => Array.from(layout.positions, (position) => chain.current[position]);
  return { columns, visits, layout, together, chain, random, sweep, states, dispose };
}

interface LaidOutOptions {
  readonly schedule?: Schedule;
  readonly workers?: number;
  readonly seed?: number;
}

/** A laid-out graph with its chain. */
export type Laid = ReturnType<typeof laidOut>;

/** Joint states of positive product for the sampled variables. Observed variables keep their states. */
export function possible({ columns }: Laid): Int32Array[] {
  const { cardinalities, observed } = columns;
  const states = observed.map((state) => Math.max(0, state));
  const found: Int32Array[] = [];
  for (;;) {
    if (logValueAt(columns, states) > -Infinity) found.push(states.slice());
    let variable = states.length - 1;
    for (; variable >= 0; variable--) {
      if (observed[variable] >= 0) continue;
      if (++states[variable] < cardinalities[variable]) break;
      states[variable] = 0;
    }
    if (variable < 0) return found;
  }
}

/** Product of matrices. */
export const product = (a: number[][], b: number[][]): number[][] =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, value, k) => sum + value * b[k][j], 0)));

/** max |πP − π|. */
export const distance = (pi: number[], matrix: number[][]): number =>
  Math.max(...pi.map((value, j) => Math.abs(pi.reduce((sum, p, i) => sum + p * matrix[i][j], 0) - value)));

/** Number of literals that hold, by counted factor, computed from the states. */
export function recounted(laid: Laid): number[] {
  const counts = new Int32Array(laid.layout.counted);
  laid.layout.countInto(counts, laid.chain.current);
  return [...counts];
}
