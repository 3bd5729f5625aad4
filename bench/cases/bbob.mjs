/**
 * bbob: number of the 24 noiseless BBOB functions in 5 and 10 dimensions that are solved (to 1e-8 above the minimum)
 * with 1000 evaluations per dimension.
 *
 * A round is one of three instances of all functions, with different minima, rotations and starts. Both sides begin at
 * the same point in [−4, 4]^d with a step of 2, can restart in [−5, 5]^d until the evaluations are used up, and
 * minimise the same functions: the peer requests each value. Nothing is timed. Every method is deterministic, so the
 * results of a round are reused. One instance takes scipy a minute, so `--long` or `--rounds 3` is needed for all.
 */
import { bbob } from "../bbob/functions.mjs";
import { randomNumbers } from "../data.mjs";
import { openErgodic } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { openPeer } from "../peer.mjs";
import { sized } from "../size.mjs";

const DIMENSIONS = sized([5, 10], [2]);
const EVALUATIONS_A_DIMENSION = sized(1000, 150);
const BOX = [-5, 5];
const STEP = 2;
const SOLVED = 1e-8;
const NEARLY = 1e-2;
/** The settings of all sides were chosen on instances 1 to 3, so other instances are used here. */
const INSTANCES = [4, 5, 6];

/**
 * Returns the functions of a round, each with its start and a `value` that counts evaluations and records the smallest
 * gap.
 */
function tasksOf(instance) {
  return DIMENSIONS.flatMap((d) =>
    Array.from({ length: 24 }, (_, k) => {
      const { value, fopt } = bbob(k + 1, d, instance);
      const random = randomNumbers(100_000 * instance + 100 * (k + 1) + d);
      const task = { seed: instance, evaluations: EVALUATIONS_A_DIMENSION * d, target: fopt + SOLVED, used: 0, gap: Infinity };
      task.start = Array.from({ length: d }, () => 8 * random.uniform() - 4);
      task.value = (x) => {
        task.used += 1;
        const found = value(x);
        // Evaluations beyond the budget do not count.
        if (task.used <= task.evaluations) task.gap = Math.min(task.gap, found - fopt);
        return found;
      };
      task.ended = () => task.gap <= SOLVED || task.used >= task.evaluations;
      return task;
    }),
  );
}

const count = (tasks, most) => tasks.filter(({ gap }) => gap <= most).length;

/** `search(task)` calls task.value until the task has ended. */
function contestant(name, search, close) {
  const rounds = new Map();
  const solve = async (instance) => {
    const tasks = tasksOf(instance);
    for (const task of tasks) await search(task);
    return { value: count(tasks, SOLVED), nearly: count(tasks, NEARLY) };
  };
  return {
    name,
    async round(i) {
      const instance = INSTANCES[i % INSTANCES.length];
      if (!rounds.has(instance)) rounds.set(instance, await solve(instance));
      return rounds.get(instance);
    },
    note: (results) => `to 1e-2: ${median(results.map(({ nearly }) => nearly))}`,
    close,
  };
}

async function ergodicContestant(what, algorithmOf) {
  const ergodic = await openErgodic();
  return contestant(`ergodic ${what}`, async ({ start, value, seed, evaluations, target }) => {
    const bounds = start.map(() => BOX);
    await ergodic.minimize(value, start, {
      algorithm: algorithmOf(ergodic),
      bounds,
      stepSize: STEP,
      evaluations,
      until: { target },
      seed,
    });
  });
}

async function openScipy(method) {
  const peer = await openPeer("scipy_minimize.py", { box: BOX });
  return contestant(
    `${peer.version} ${method}`,
    async (task) => {
      let answer = await peer.run({ method, start: task.start, seed: task.seed, step: STEP });
      while (!answer.ended) {
        const value = task.value(answer.x);
        answer = await peer.run({ value, end: task.ended() });
      }
    },
    peer.close,
  );
}

export default {
  name: "bbob",
  measures: "BBOB, 24 functions in 5 and 10 dimensions: how many of the 48 are solved to 1e-8 with 1000 evaluations a dimension",
  metric: "functions solved",
  better: "more",
  rounds: sized(1, 1, INSTANCES.length),
  warmUp: false,
  makeData: async () => ({}),
  ours: () => ergodicContestant("CMA-ES, BIPOP", ({ cmaEs }) => cmaEs({ covariance: "active", restarts: "bipop" })),
  peers: () => [
    { name: "scipy Nelder-Mead", goal: 1, open: () => openScipy("Nelder-Mead") },
    { name: "scipy Powell", goal: 1, open: () => openScipy("Powell") },
    {
      name: "ergodic Nelder-Mead",
      open: () => ergodicContestant("Nelder-Mead", ({ nelderMead }) => nelderMead({ restarts: "fresh" })),
    },
    { name: "ergodic Powell", open: () => ergodicContestant("Powell", ({ powell }) => powell({ restarts: "fresh" })) },
  ],
  // The metric is the answer itself.
  compare: (ours, theirs) => ({ text: `${ours.value} functions against ${theirs.value}`, passed: true }),
};
