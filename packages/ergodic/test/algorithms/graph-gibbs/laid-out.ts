import { Chain } from "../../../src/algorithms/graph-gibbs/chain.ts";
import { Layout } from "../../../src/algorithms/graph-gibbs/layout.ts";
import type { Schedule } from "../../../src/algorithms/graph-gibbs/schedules/schedule.ts";
import { sequential } from "../../../src/algorithms/graph-gibbs/schedules/sequential.ts";
import { type Stream, stream } from "../../../src/base/stream.ts";
import type { Conditionals } from "../../../src/contract.ts";
import type { Engine } from "../../../src/host/engine.ts";

/** A chain over a graph, to be driven by hand. Variables of one state count as observed. */
export function laidOut(
  given: Conditionals,
  engine: Engine,
  { schedule = sequential, workers = 1, seed = 0 }: LaidOutOptions = {},
) {
  const observed = given.observed.map((state, variable) => (state < 0 && given.cardinalities[variable] === 1 ? 0 : state));
  const columns: Conditionals = { ...given, observed };
  const visits = schedule.visits(columns);
  const layout = new Layout(columns, visits.order, engine.memory);
  const random: Stream = stream(seed, "graph gibbs", 0);
  const chain = new Chain(layout, engine, random, workers);
  const dispose = (): void => {
    chain.dispose();
    layout.dispose();
  };
  const sweep = async (number: number, sweeps = 1, keep = true): Promise<void> => {
    for (const stretch of visits.stretches)
      await engine.run(chain.calls(stretch, schedule, number, sweeps, keep, workers), { workers, deterministic: false });
  };
  /** By variable. */
  const states = (): number[] => Array.from(layout.positions, (position) => chain.current[position]);
  return { columns, visits, layout, chain, random, sweep, states, dispose };
}

interface LaidOutOptions {
  readonly schedule?: Schedule;
  readonly workers?: number;
  readonly seed?: number;
}
