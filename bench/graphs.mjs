/**
 * Graphs of Booleans for the sampling benchmarks, and the peer that reads them as DimmWitted files written by
 * `writeDimmWitted`. All weights come from pools that factors share.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomNumbers } from "./data.mjs";
import { openErgodic, openModules } from "./ergodic.mjs";
import { openPeer } from "./peer.mjs";

/**
 * Returns an empty graph that takes factors by number, and `pool`, which makes a pool of normal weights with a standard
 * deviation and returns a function that picks one of their ids.
 */
export async function emptyGraph({ variables, seed }) {
  const { factorGraph } = await openErgodic();
  const graph = factorGraph();
  const random = randomNumbers(seed);
  for (let v = 0; v < variables; v++) graph.variable();
  const below = (count) => Math.floor(random.uniform() * count);
  const pool = (count, deviation) => {
    const ids = Array.from({ length: count }, () => graph.weight(undefined, random.normal() * deviation).id);
    return () => ids[below(count)];
  };
  return { graph, random, below, pool };
}

/** Returns the states of all variables after `sweeps` sweeps of Gibbs sampling. */
export async function drawStates(graph, sweeps) {
  const [{ Layout }, { Chain }, { sequential }, { atOnce }, { stream }, { openEngine }] = await openModules(
    "graphs/sampling/gibbs/layout.js",
    "graphs/sampling/gibbs/chain.js",
    "graphs/sampling/gibbs/schedules/sequential.js",
    "engine/threads/steps.js",
    "engine/random/stream.js",
    "engine/memory/engine.js",
  );
  const engine = await openEngine({ families: ["graphs"] });
  const columns = graph.conditionals();
  const { order, stretches } = atOnce(sequential.visits(columns));
  const layout = Layout.of(columns, order, engine.memory);
  const chain = new Chain(layout, engine, stream(1, "truth"), 1);
  chain.begin(() => 0);
  await engine.run(chain.calls(stretches[0], sequential, 0, sweeps, false, 1), { workers: 1, deterministic: false });
  const states = Array.from(layout.positions, (position) => chain.current[position]);
  chain.dispose();
  layout.dispose();
  return states;
}

/** Opens the peer on a graph. `keep`: whether it can rebuild the graph from its columns. */
export async function openDimmWitted(graph, folder, keep = 0) {
  const { writeDimmWitted } = await import(new URL("../packages/ingest/dist/graphs/index.js", import.meta.url).href);
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(writeDimmWitted(graph))) writeFileSync(join(folder, name), bytes);
  return openPeer("dimmwitted.cpp", { folder, keep });
}
