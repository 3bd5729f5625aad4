/**
 * elimination: seconds to compute all marginals of graphs from the UAI competition on one thread, by message passing
 * over the same junction tree as the peer.
 *
 * Both sides receive the tree of our elimination order; reading and ordering are not timed. The peer contracts each
 * clique with einsum and stores its belief; ours sweeps the clique. The marginals must agree to 1e-9. The graphs are in
 * the reference data next to the repository. Our note reports the size of each graph's largest table in bytes, and the
 * memory speed relative to a plain copy if each table were read once in each of the two passes.
 *
 * elimination-logz: ln Z of the same graphs by `infer`, including ordering, against toulbar2 -logz, with one process
 * per graph and at most LOGZ_SECONDS. Reported without a goal. If toulbar2 does not finish or prints another number,
 * the report says so.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { share } from "../data.mjs";
import { openErgodic, openModules } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { openPeer, Skipped } from "../peer.mjs";
import { sized } from "../size.mjs";

const folder = fileURLToPath(new URL("../../../shared/data/graphs/uai/", import.meta.url));
/** The largest clique of each graph takes less than 2 GB in NumPy. */
const GRAPHS = sized(
  ["Alchemy_11", "DBN_11", "Grids_11", "ObjectDetection_11", "Promedus_11", "Segmentation_11"],
  ["Segmentation_11"],
);

const LOGZ_SECONDS = sized(20, 1);

/** Returns the bytes per second that a plain copy of 256 MB reads and writes. */
function copyBandwidth() {
  const [from, to] = [new Float64Array(2 ** 25).fill(1), new Float64Array(2 ** 25)];
  const rates = Array.from({ length: 7 }, () => {
    const start = performance.now();
    to.set(from);
    return (2 * from.byteLength) / ((performance.now() - start) / 1000);
  });
  return median(rates);
}

async function makeData(temporary) {
  if (!existsSync(folder)) throw new Skipped("../shared/data/graphs/uai is not here");
  const { readUai } = await import(new URL("../../packages/ingest/dist/graphs/index.js", import.meta.url).href);
  const [{ reduce }, { eliminationOrder }, { junctionTree, treeCost }] = await openModules(
    "graphs/parts/reduction.js",
    "graphs/parts/elimination-orders.js",
    "graphs/exact/junction-tree.js",
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
  const [{ TreePass }, { openEngine }] = await openModules("graphs/exact/tree-pass.js", "engine/memory/engine.js");
  const engine = await openEngine({ families: ["graphs"] });
  return {
    name: "ergodic",
    note: (rounds) => {
      const largest = problems.map(({ name, cost }) => `${name} ${megabytes(8 * cost.largest)}`).join(", ");
      const bytes = problems.reduce((sum, { cost }) => sum + 2 * 8 * cost.total, 0);
      const share = bytes / median(rounds.map(({ value }) => value)) / copyBandwidth();
      return `largest tables: ${largest}; all tables twice: ${megabytes(bytes)}, at ${(100 * share).toFixed(0)} % of a copy's speed`;
    },
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

const megabytes = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const oursLogZ = async () => {
  const { infer } = await openErgodic();
  const { readUai } = await import(new URL("../../packages/ingest/dist/graphs/index.js", import.meta.url).href);
  return {
    name: "ergodic",
    async round() {
      const start = performance.now();
      const values = [];
      for (const name of GRAPHS) {
        const graph = await readUai(`${folder}${name}.uai`, { evidence: `${folder}${name}.uai.evid` });
        const { logZ } = await infer(graph, { task: "partition" });
        values.push(logZ / Math.LN10);
      }
      return { value: (performance.now() - start) / 1000, values };
    },
  };
};

/** @throws Skipped if toulbar2 is missing */
async function toulbar2() {
  const { error, stdout: told } = spawnSync("toulbar2", ["--help"], { encoding: "utf8" });
  if (error) throw new Skipped("toulbar2 is not installed (Debian: apt-get install toulbar2)");
  return {
    name: `toulbar2 ${/version : ([\d.]+)/.exec(told)?.[1] ?? ""}`.trim(),
    note: (rounds) => rounds.at(-1).said.join("; "),
    /** Each graph has a new process, in which nothing is warm. */
    async warmUp() {},
    async round() {
      const start = performance.now();
      const [values, said] = [[], []];
      for (const name of GRAPHS) {
        const begun = performance.now();
        const options = { encoding: "utf8", timeout: 1000 * LOGZ_SECONDS };
        const { stdout } = spawnSync("toulbar2", [`${folder}${name}.uai`, `${folder}${name}.uai.evid`, "-logz"], options);
        const bounds = /(-?[\d.]+) <= Log10\(Z\) <= (-?[\d.]+)/.exec(stdout ?? "");
        const [low, high] = bounds ? [Number(bounds[1]), Number(bounds[2])] : [-Infinity, Infinity];
        values.push((low + high) / 2);
        const seconds = `${((performance.now() - begun) / 1000).toFixed(2)} s`;
        said.push(
          `${name} ${bounds ? `${seconds}${high > low ? `, from ${low} to ${high}` : ""}` : `no answer in ${LOGZ_SECONDS} s`}`,
        );
      }
      return { value: (performance.now() - start) / 1000, values, said };
    },
  };
}

function compareLogZ(mine, theirs) {
  const [found, other] = [mine.rounds[0].values, theirs.rounds[0].values];
  const off = GRAPHS.filter((_, i) => Math.abs(found[i] - other[i]) > 1e-3 + 1e-9).map(
    (name) => `${name}: ${other[GRAPHS.indexOf(name)]} for our ${found[GRAPHS.indexOf(name)].toFixed(4)}`,
  );
  const ended = other.filter((value) => !Number.isNaN(value)).length;
  const agree = off.length === 0 ? "and agrees to 1e-3" : `and differs: ${off.join(", ")}`;
  return {
    text: ended === 0 ? "the peer has ended on none" : `the peer has ended on ${ended} of ${other.length}, ${agree}`,
    passed: true,
  };
}

/** Returns the largest difference between the numbers of two answers. */
function furthest(a, b) {
  const theirs = b.flat(2);
  return a.flat(2).reduce((most, value, i) => Math.max(most, Math.abs(value - theirs[i])), 0);
}

const marginals = {
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

const partition = {
  name: "elimination-logz",
  measures: `log10 Z of ${GRAPHS.length} graphs, reading and ordering included: seconds on one thread`,
  metric: "seconds",
  better: "less",
  rounds: 1,
  makeData: async () => {
    if (!existsSync(folder)) throw new Skipped("../shared/data/graphs/uai is not here");
    return {};
  },
  ours: oursLogZ,
  peers: () => [{ name: "toulbar2", open: toulbar2 }],
  compare: compareLogZ,
};

export default [marginals, partition];
