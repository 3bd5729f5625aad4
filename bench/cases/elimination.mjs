/**
 * elimination: seconds for all marginals of graphs of the UAI competition on one thread, by messages over the same junction tree as the peer's.
 *
 * The tree comes from our elimination order and is given to both sides; reading and ordering are not timed. The peer contracts each clique with einsum and
 * writes its belief out; ours sweeps it. The marginals must agree to 1e-9. The graphs are among the reference data next to the repository.
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { share } from "../data.mjs";
import { openModules } from "../ergodic.mjs";
import { openPeer, Skipped } from "../peer.mjs";

const folder = fileURLToPath(new URL("../../../shared/data/graphs/uai/", import.meta.url));
/** The largest clique of each takes NumPy less than 2 GB. */
const GRAPHS = ["Alchemy_11", "DBN_11", "Grids_11", "ObjectDetection_11", "Promedus_11", "Segmentation_11"];

async function makeData(temporary) {
  if (!existsSync(folder)) throw new Skipped("../shared/data/graphs/uai is not here");
  const { readUai } = await import(new URL("../../packages/ingest/dist/index.js", import.meta.url).href);
  const [{ reduce }, { eliminationOrder }, { junctionTree, treeCost }] = await openModules(
    "algorithms/inference/reduction.js",
    "algorithms/elimination/order.js",
    "algorithms/elimination/junction-tree.js",
  );
  const problems = [];
  for (const name of GRAPHS) {
    const graph = await readUai(`${folder}${name}.uai`, { evidence: `${folder}${name}.uai.evid` });
    const part = reduce(graph.factorTables("marginals")).components.sort((a, b) => b.variables.length - a.variables.length)[0];
    const tables = part.tables.map(({ scope, shape, values, logs }) => ({
      scope,
      shape,
      values: logs ? values.map(Math.exp) : values,
    }));
    const scopes = tables.map(({ scope }) => scope);
    const cliques = junctionTree(eliminationOrder(part.cardinalities, scopes).order, scopes);
    problems.push({ name, part, tables, cliques, cost: treeCost(cliques, part.cardinalities) });
  }
  return { folder: temporary, problems };
}

const ours = async ({ problems }) => {
  const [{ TreePass }, { openEngine }] = await openModules("algorithms/elimination/tree-pass.js", "host/engine.js");
  const engine = await openEngine({ families: ["graphs"] });
  return {
    name: "ergodic",
    note: () => problems.map(({ name, cost }) => `${name} 2^${Math.log2(cost.largest).toFixed(0)}`).join(", "),
    async round() {
      const answers = [];
      const start = performance.now();
      for (const { cliques, part } of problems) {
        const pass = new TreePass(cliques, part, "marginals", engine);
        for await (const _ of pass.work());
        if (pass.lost) throw new Error("a careful pass would be needed");
        answers.push(pass.answer);
        pass.dispose();
      }
      return {
        value: (performance.now() - start) / 1000,
        marginals: answers.map(({ marginals }) => marginals.map((p) => [...p])),
      };
    },
  };
};

async function numpy({ folder: temporary, problems }) {
  const peers = [];
  for (const [i, { tables, cliques }] of problems.entries()) {
    const values = Float64Array.from(tables.flatMap((table) => [...table.values]));
    const described = `${temporary}/tree${i}.json`;
    writeFileSync(described, JSON.stringify({ tables: tables.map(({ scope, shape }) => ({ scope, shape })), cliques }));
    const own = mkdirSync(`${temporary}/${i}`, { recursive: true }) ?? `${temporary}/${i}`;
    peers.push(await openPeer("numpy_elimination.py", { ...share(own, { values }), described }));
  }
  return {
    name: peers[0].version,
    close: async () => {
      for (const peer of peers) await peer.close();
    },
    async round() {
      let value = 0;
      const marginals = [];
      for (const peer of peers) {
        const answer = await peer.run({});
        value += answer.seconds;
        marginals.push(answer.marginals);
      }
      return { value, marginals };
    },
  };
}

/** The largest difference of two answers' numbers. */
function furthest(a, b) {
  const theirs = b.flat(2);
  return a.flat(2).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}

export default {
  name: "elimination",
  measures: `all marginals of ${GRAPHS.length} graphs by the same junction trees: seconds on one thread`,
  metric: "seconds",
  better: "less",
  makeData,
  ours,
  peers: (problem) => [{ name: "NumPy einsum", goal: 3, open: () => numpy(problem) }],
  compare: (mine, theirs) => {
    const most = furthest(mine.rounds[0].marginals, theirs.rounds[0].marginals);
    return { text: `marginals differ by at most ${most.toExponential(1)} (may be 1e-9)`, passed: most <= 1e-9 };
  },
};
