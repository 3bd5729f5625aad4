/**
 * learn: seconds until the weights of a graph predict held-out variables, for contrastive divergence against the peer's
 * stochastic gradient on Gibbs sampling.
 *
 * The graph is a lattice of 200 × 100 Booleans with 30 weights: a feature per variable from a pool of 10, and
 * equal-factors between neighbours from a pool of 20. The truth is drawn by 2000 sweeps at known weights. 30 % of the
 * variables are unobserved, and a tenth of the others is held out. The loss is −ln p(state | all others in their true
 * states) per held-out variable. The target level is 98 % of the way from weights of 0 to the true weights, which is
 * independent of both sides. Each side uses the best of several steps and decays, and the fewest passes after which the
 * median loss of five runs reaches the level; these are found beforehand. Both are timed including set-up from the
 * graph in memory: ours is `fit`, the peer's begins with the columns of the files.
 */
import { join } from "node:path";
import { openErgodic } from "../ergodic.mjs";
import { drawStates, emptyGraph, openDimmWitted } from "../graphs.mjs";
import { median } from "../measure.mjs";
import { readNumbers } from "../peer.mjs";
import { sized } from "../size.mjs";

const [WIDE, HIGH] = sized([200, 100], [30, 20]);
const SWEEPS = sized(2000, 100);
const [FEATURES, COUPLINGS] = [10, 20];
const UNOBSERVED = 0.3;
const HELD_OUT = 0.1;
/** A few hundred variables determine 30 weights badly. */
const SHARE = sized(0.98, 0.3);
const MOST_PASSES = 50;
const RUNS = sized(5, 1);
/** Our rates of plain gradient steps, and their decay with time: rate / (1 + decay t). */
const RATES = [3, 6, 10, 20];
const SLOWER = [0.1, 0.3, 1];
/** The peer's steps: step · decay^pass. */
const STEPS = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2];
const DECAYS = [0.6, 0.8, 0.9, 0.95, 1];

async function makeData(folder) {
  const variables = WIDE * HIGH;
  const { graph, random, below } = await emptyGraph({ variables, seed: 4 });
  const truth = Array.from({ length: FEATURES + COUPLINGS }, (_, id) =>
    id < FEATURES ? 0.4 * random.normal() : 0.2 + 0.2 * random.normal(),
  );
  for (const _ of truth) graph.weight();
  /** Each variable's feature weight, and its neighbours with the weights of the factors that join them. */
  const feature = Array.from({ length: variables }, () => below(FEATURES));
  const neighbours = Array.from({ length: variables }, () => []);
  for (let v = 0; v < variables; v++) graph.addFactor("isTrue", [v], [1], feature[v]);
  for (let v = 0; v < variables; v++)
    for (const other of [...((v + 1) % WIDE ? [v + 1] : []), ...(v + WIDE < variables ? [v + WIDE] : [])]) {
      const weight = FEATURES + below(COUPLINGS);
      graph.addFactor("equal", [v, other], [1, 1], weight);
      neighbours[v].push([other, weight]);
      neighbours[other].push([v, weight]);
    }
  const states = await drawStates(graph.withWeights(truth), SWEEPS);
  const heldOut = [];
  for (let v = 0; v < variables; v++) {
    if (random.uniform() < UNOBSERVED) continue;
    if (random.uniform() < HELD_OUT) heldOut.push(v);
    else graph.observe(v, states[v]);
  }
  const loss = (weights) => {
    let sum = 0;
    for (const v of heldOut) {
      const odds = neighbours[v].reduce(
        (z, [other, weight]) => z + (states[other] ? 2 : -2) * weights[weight],
        2 * weights[feature[v]],
      );
      sum += Math.log1p(Math.exp(states[v] ? -odds : odds));
    }
    return sum / heldOut.length;
  };
  const [least, most] = [loss(truth), loss(truth.map(() => 0))];
  return { graph, folder, loss, least, most, level: most + SHARE * (least - most) };
}

/**
 * Returns the settings with the fewest passes after which the median loss of several runs is at the level;
 * `train(passes, settings)` resolves to { loss }.
 */
async function fewest(level, all, train) {
  const enough = async (passes, settings) => {
    const losses = [];
    for (let run = 0; run < RUNS; run++) losses.push((await train(passes, settings)).loss);
    return median(losses) <= level;
  };
  for (let passes = 1; passes <= MOST_PASSES; passes++)
    for (const settings of all) if (await enough(passes, settings)) return { passes, settings };
  throw new Error(`learn: no setting reaches ${level.toFixed(4)} in ${MOST_PASSES} passes`);
}

const pairs = (first, second) => first.flatMap((a) => second.map((b) => [a, b]));

async function ours({ graph, loss, level, least, most }) {
  const { contrastiveDivergence, fit, inverseTimeDecay, sgd } = await openErgodic();
  let seed = 100;
  const train = async (epochs, [rate, decay], given) => {
    const start = performance.now();
    const rule = sgd({ rate: inverseTimeDecay({ rate, decay }) });
    const { weights, run } = await fit(graph, { algorithm: contrastiveDivergence(), rule, epochs, seed: given ?? seed++ });
    return { value: (performance.now() - start) / 1000, loss: loss(weights), inside: run.seconds };
  };
  const { passes, settings } = await fewest(level, pairs(RATES, SLOWER), train);
  return {
    name: `ergodic, contrastive divergence, rate ${settings[0]}, decay ${settings[1]}, ${passes} updates`,
    note: (rounds) =>
      `${(1000 * median(rounds.map(({ inside }) => inside))).toFixed(1)} ms in the loop; loss ${most.toFixed(4)} at 0, ${least.toFixed(4)} at the truth`,
    round: (i) => train(passes, settings, i + 1),
  };
}

async function peer({ graph, folder, loss, level }) {
  const process = await openDimmWitted(graph, join(folder, "learn"), 1);
  const file = join(folder, "weights.raw");
  const train = async (passes, [step, decay]) => {
    const { seconds } = await process.run({ anew: 1, learn: passes, step, decay, weights: file });
    return { value: seconds, loss: loss(readNumbers(file)) };
  };
  const { passes, settings } = await fewest(level, pairs(STEPS, DECAYS), train);
  return {
    name: `${process.version}, step ${settings[0]}, decay ${settings[1]}, ${passes} passes`,
    round: () => train(passes, settings),
    close: process.close,
  };
}

export default {
  name: "learn",
  measures: `${WIDE * HIGH} Booleans in a lattice, ${FEATURES + COUPLINGS} weights, partly observed: seconds to a loss of what was held out`,
  metric: "seconds",
  better: "less",
  makeData,
  ours,
  peers: (problem) => [{ name: "C++", open: () => peer(problem) }],
  compare: (mine, theirs, { level, most, least }) => {
    const slack = (1 - SHARE) * (most - least);
    return {
      text: `loss ${mine.loss.toFixed(4)} against ${theirs.loss.toFixed(4)} (level ${level.toFixed(4)})`,
      passed: mine.loss <= level + slack / 2 && theirs.loss <= level + slack / 2,
    };
  },
};
