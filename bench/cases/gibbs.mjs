/**
 * gibbs-…: Gibbs sampling over graphs of 500,000 Booleans, in millions of variables drawn per second.
 *
 * - features: 10 unary features per variable, with weights from a pool of 1,000.
 * - learning: the same with changing weights; half of the variables are observed. An update of contrastive divergence
 *   (recomputing all terms, a sweep that holds the evidence, a free sweep, the statistics, the pseudo-likelihood) is
 *   compared with a pass of the peer's stochastic gradient; each variable counts once.
 * - pairs: for each variable 4 equal-factors with another random variable (so it is in 8 on average), and a feature.
 * - votes: 50,000 heads, each with a ratio-factor of its own 9 voters, and one feature per variable.
 *
 * The peer is a C++ program written from DimmWitted's description, with one thread. The comparison fails if it is
 * slower than 0.9 of the speed that DimmWitted itself is known to reach on similar machines. Ours uses the sequential
 * schedule and one worker and accumulates probabilities, as `infer` does. Both sides' marginals must agree as closely
 * as the number of sweeps allows. …-workers: two workers against one, which must give the same bytes; and against two
 * racing workers.
 */
import { join } from "node:path";
import { openModules } from "../ergodic.mjs";
import { emptyGraph, openDimmWitted } from "../graphs.mjs";
import { readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const VARIABLES = sized(500_000, 1000);
const POOL = sized(1000, 20);
const FEATURES = 10;
const PAIRS = 4;
const VOTERS = 9;
/**
 * Known speed of DimmWitted, in millions of draws per second on one thread, and the share of it that a fair peer must
 * reach.
 */
const KNOWN = { features: 13.0, pairs: 1.4 };
const FAIR = sized(0.9, 0);

const graphs = {
  async features(observed = 0) {
    const { graph, random, pool } = await emptyGraph({ variables: VARIABLES, seed: 1 });
    const weight = pool(POOL, 0.3);
    for (let v = 0; v < VARIABLES; v++) for (let k = 0; k < FEATURES; k++) graph.addFactor("isTrue", [v], [1], weight());
    for (let v = 0; v < VARIABLES * observed; v++) graph.observe(v, random.uniform() < 0.5 ? 0 : 1);
    return graph;
  },
  learning: () => graphs.features(0.5),
  async pairs() {
    const { graph, below, pool } = await emptyGraph({ variables: VARIABLES, seed: 2 });
    const [feature, coupling] = [pool(POOL, 0.3), pool(POOL, 0.2)];
    for (let v = 0; v < VARIABLES; v++) {
      graph.addFactor("isTrue", [v], [1], feature());
      for (let k = 0; k < PAIRS; k++) {
        const other = below(VARIABLES - 1);
        graph.addFactor("equal", [v, other < v ? other : other + 1], [1, 1], coupling());
      }
    }
    return graph;
  },
  async votes() {
    const { graph, pool } = await emptyGraph({ variables: VARIABLES, seed: 3 });
    const [feature, vote] = [pool(POOL, 0.3), pool(POOL, 0.3)];
    const literals = new Array(VOTERS + 1).fill(1);
    for (let v = 0; v < VARIABLES; v++) graph.addFactor("isTrue", [v], [1], feature());
    for (let v = 0; v < VARIABLES; v += VOTERS + 1)
      graph.addFactor(
        "ratio",
        [...literals.keys()].map((k) => v + VOTERS - k),
        literals,
        vote(),
      );
    return graph;
  },
};

/** The most recently made graph, because making one takes longer than a round. */
let made;

async function makeData(kind, folder) {
  if (made?.kind !== kind) made = { kind, graph: await graphs[kind]() };
  return { kind, graph: made.graph, folder };
}

/** Opens a chain over the graph, which is then run sweep by sweep. */
async function openChain({ graph }, schedule, workers) {
  const [{ Layout }, { Chain }, schedules, { atOnce }, { stream }, { openEngine }] = await openModules(
    "graphs/sampling/gibbs/layout.js",
    "graphs/sampling/gibbs/chain.js",
    `graphs/sampling/gibbs/schedules/${schedule}.js`,
    "engine/threads/steps.js",
    "engine/random/stream.js",
    "engine/memory/engine.js",
  );
  const engine = await openEngine({ families: ["graphs"] });
  const columns = graph.conditionals();
  const order = schedules[schedule];
  const visits = atOnce(order.visits(columns));
  const layout = Layout.of(columns, visits.order, engine.memory);
  const chain = new Chain(layout, engine, stream(1, "bench"), workers);
  chain.begin(() => 0);
  const held = layout.byteLength;
  let sweep = 0;
  return {
    edges: graph.edgeCount,
    bytes: held / graph.edgeCount,
    positions: layout.positions,
    stretches: visits.stretches.length,
    chain,
    swept: () => sweep,
    async run(sweeps) {
      const start = performance.now();
      for (let k = 0; k < sweeps; k++, sweep++)
        for (const stretch of visits.stretches)
          await engine.run(chain.calls(stretch, order, sweep, 1, true, workers), { workers, deterministic: false });
      return (performance.now() - start) / 1000;
    },
    close: () => {
      chain.dispose();
      layout.dispose();
    },
  };
}

const rate = (sweeps, seconds) => (sweeps * VARIABLES) / seconds / 1e6;

async function ours(problem, { sweeps, schedule = "sequential", workers = 1 }) {
  const one = await openChain(problem, schedule, workers);
  return {
    name: `ergodic, ${schedule}${workers > 1 ? `, ${workers} workers` : ""}`,
    note: () => `${one.bytes.toFixed(1)} bytes an edge${schedule === "chromatic" ? `, ${one.stretches} colours` : ""}`,
    async round() {
      const seconds = await one.run(sweeps);
      one.chain.settle(1);
      const { totals } = one.chain.sums;
      const sums = Float64Array.from(one.positions, (position) => totals[position]);
      return { value: rate(sweeps, seconds), sums, sweeps: one.swept(), states: () => one.chain.packedStates().slice() };
    },
    close: one.close,
  };
}

async function peer({ graph, folder, kind }, { sweeps }) {
  const process = await openDimmWitted(graph, join(folder, kind));
  let swept = 0;
  return {
    name: process.version,
    note: () => `${process.ready.bytesAnEdge.toFixed(1)} bytes an edge`,
    close: process.close,
    async round() {
      const tallies = join(folder, "tallies.raw");
      const { seconds } = await process.run({ sweeps, tallies });
      swept += sweeps;
      return { value: rate(sweeps, seconds), sums: readNumbers(tallies), sweeps: swept };
    },
  };
}

/** Whether the peer is fast enough for a fair comparison. */
function fairness(kind, theirs) {
  const known = KNOWN[kind];
  if (known === undefined) return { text: "no figure of DimmWitted's is known", passed: true };
  const share = theirs.value / known;
  return { text: `the peer reaches ${share.toFixed(2)} of DimmWitted's ${known} (must be ${FAIR})`, passed: share >= FAIR };
}

/**
 * Root mean square difference of the marginals, relative to its expected value if one side were exact and the other had
 * made independent draws.
 */
function difference(mine, theirs) {
  const [p, q] = [mine, theirs].map(later);
  let [squares, expected] = [0, 0];
  for (let v = 0; v < VARIABLES; v++) {
    squares += (p.at(v) - q.at(v)) ** 2;
    expected += (p.at(v) * (1 - p.at(v))) / q.sweeps;
  }
  return Math.sqrt(squares / expected);
}

/** Marginals from the sweeps after the first round, if there were several rounds; the first round is burn-in. */
function later({ rounds }) {
  const [first, last] = [rounds[0], rounds.at(-1)];
  const before = rounds.length > 1 ? first : { sums: [], sweeps: 0 };
  const sweeps = last.sweeps - before.sweeps;
  return { sweeps, at: (v) => (last.sums[v] - (before.sums[v] ?? 0)) / sweeps };
}

/**
 * Draws of a chain are correlated: correct chains differ by 1.0 to 1.5 in five rounds. With the wrong sign of the
 * equal-factors the value is 2.2.
 */
const MAY_DIFFER = 1.75;

function compare(kind) {
  return (mine, theirs) => {
    const apart = difference(mine, theirs);
    const fair = fairness(kind, theirs);
    return {
      text: `${fair.text}; marginals differ by ${apart.toFixed(2)} of the error of independent draws (may be ${MAY_DIFFER})`,
      passed: fair.passed && apart <= MAY_DIFFER,
    };
  };
}

const describe = {
  features: `${VARIABLES} Booleans with ${FEATURES} unary features each`,
  pairs: `${VARIABLES} Booleans, ${PAIRS} equal-factors and a feature a variable`,
  votes: `${VARIABLES} Booleans, ${VOTERS} voters a head in ratio-factors, a feature a variable`,
};

const sampling = (kind, goal, sweeps) => ({
  name: `gibbs-${kind}`,
  measures: `${describe[kind]}: million variables a second`,
  metric: "M/s",
  better: "more",
  makeData: (folder) => makeData(kind, folder),
  ours: (problem) => ours(problem, { sweeps }),
  peers: (problem) => [{ name: "C++", ...(goal ? { goal } : {}), open: () => peer(problem, { sweeps }) }],
  compare: compare(kind),
});

function sameBytes(mine, theirs) {
  const [a, b] = [mine, theirs].map(({ rounds }) => rounds.at(-1).states());
  const differing = a.reduce((count, word, i) => count + (word === b[i] ? 0 : 1), 0);
  if (theirs.name.includes("hogwild")) return { text: "racing: biased", passed: true };
  return { text: differing === 0 ? "the same bytes" : `${differing} of ${a.length} words differ`, passed: differing === 0 };
}

const workers = (kind, sweeps) => ({
  name: `gibbs-${kind}-workers`,
  measures: `${describe[kind]}, two chromatic workers against one: million variables a second`,
  metric: "M/s",
  better: "more",
  makeData: (folder) => makeData(kind, folder),
  ours: (problem) => ours(problem, { sweeps, schedule: "chromatic", workers: 2 }),
  peers: (problem) => [
    { name: "one worker", goal: 1.7, open: () => ours(problem, { sweeps, schedule: "chromatic" }) },
    { name: "Hogwild", open: () => ours(problem, { sweeps, schedule: "hogwild", workers: 2 }) },
  ],
  compare: sameBytes,
});

/** Updates of contrastive divergence with changing weights. */
async function oursLearning({ graph }, updates) {
  const [{ contrastiveDivergence }, { openEngine }] = await openModules(
    "graphs/learn/contrastive-divergence.js",
    "engine/memory/engine.js",
  );
  const engine = await openEngine({ families: ["graphs", "training"] });
  const objective = contrastiveDivergence({ particles: 1 }).objective(
    graph.conditionals(),
    { seed: 1, workers: 1, memory: 2 ** 30 },
    engine,
  );
  const weights = objective.start.slice();
  const gradient = new Float64Array(objective.count);
  let update = 0;
  return {
    name: "ergodic, contrastive divergence",
    async round() {
      const start = performance.now();
      for (let k = 0; k < updates; k++) {
        await objective.evaluateOnWorkers(weights, gradient, update++);
        for (let w = 0; w < weights.length; w++) weights[w] -= 0.1 * gradient[w];
      }
      return { value: rate(updates, (performance.now() - start) / 1000) };
    },
    close: () => objective.dispose(),
  };
}

async function peerLearning({ graph, folder }, updates) {
  const process = await openDimmWitted(graph, join(folder, "learning"));
  return {
    name: `${process.version}, stochastic gradient`,
    close: process.close,
    async round() {
      const { seconds } = await process.run({ learn: updates, step: 1e-4 });
      return { value: rate(updates, seconds) };
    },
  };
}

const learning = (goal, updates) => ({
  name: "gibbs-learning",
  measures: `${describe.features}, half observed, while learning: million variables a second`,
  metric: "M/s",
  better: "more",
  makeData: (folder) => makeData("learning", folder),
  ours: (problem) => oursLearning(problem, updates),
  peers: (problem) => [{ name: "C++", goal, open: () => peerLearning(problem, updates) }],
  compare: () => ({ text: "steps differ: `learn` compares what is learnt", passed: true }),
});

export default [
  // The first sweeps, which are the whole round at tiny size, are burn-in: more of them follow there.
  sampling("features", 1, sized(10, 200)),
  workers("features", sized(40, 2)),
  sampling("pairs", 1.5, sized(8, 200)),
  workers("pairs", sized(4, 2)),
  sampling("votes", undefined, sized(8, 200)),
  learning(1, sized(3, 1)),
];
