/**
 * nuts-varying: NUTS with all defaults against rstan's on posteriors with varying scales (varying.mjs), 4 × (1000 +
 * 1000) transitions, seed by seed.
 *
 * Time is not measured. For each posterior it checks: runs with R-hat below 1.01 (wherever rstan's is); divergences (at
 * most 1.5 times rstan's); the smallest bulk ESS per draw (at least half of rstan's) and per gradient, including
 * warm-up (0.8). These are means over the rounds, and a run with R-hat above 1.01 counts as 0. A contestant's value is
 * the geometric mean over the posteriors of the smallest ESS per thousand gradients. A round is a seed; `--long` has
 * five.
 */
import { openModules } from "../ergodic.mjs";
import { disagreement, geometricMean, openOurs, openStan } from "../posteriors.mjs";
import { sized } from "../size.mjs";
import { varying } from "../varying.mjs";

const MOST_ERRORS = 6;
const MOST_RHAT = 1.01;
const names = process.env.ERGODIC_BENCH_POSTERIORS?.split(",") ?? sized(Object.keys(varying), ["hierarchy_centred"]);
const counted = ({ least, rhat }) => (rhat < MOST_RHAT ? least : 0);
const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;

async function openAll(name, open) {
  const opened = {};
  for (const one of names) opened[one] = await open(one);
  return {
    name,
    async round(i) {
      const results = {};
      for (const one of names) results[one] = await opened[one].run(i + 1);
      return { value: geometricMean(names.map((one) => (1000 * results[one].least) / results[one].leapfrogs)), results };
    },
    close: async () => {
      for (const one of Object.values(opened)) await one.close();
    },
  };
}

async function ours() {
  const [{ nuts }] = await openModules("bayes/samplers/index.js");
  return openAll("ergodic nuts()", async (name) => {
    const { run, close } = await openOurs(name);
    return { run: (seed) => run(nuts(), seed), close };
  });
}

function compare(ours, theirs) {
  const rows = names.map((name) => {
    const of = (side, f) => side.rounds.map(({ results }) => f(results[name]));
    const ratio = (f) => mean(of(ours, f)) / mean(of(theirs, f));
    const [settled, theirsSettled] = [ours, theirs].map((side) => of(side, ({ rhat }) => (rhat < MOST_RHAT ? 1 : 0)));
    return {
      name,
      settled: settled.reduce((a, b) => a + b, 0),
      theirsSettled: theirsSettled.reduce((a, b) => a + b, 0),
      runs: settled.length,
      divergences: [ours, theirs].map((side) => of(side, (one) => one.divergences).reduce((a, b) => a + b, 0)),
      draw: ratio(counted),
      gradient: ratio((one) => counted(one) / one.leapfrogs),
    };
  });
  const off = Math.max(...names.map((name) => disagreement(ours.rounds[0].results[name], theirs.rounds[0].results[name])));
  const listed = rows.map(
    ({ name, settled, theirsSettled, runs, divergences, draw, gradient }) =>
      `${name}: R-hat below ${MOST_RHAT} in ${settled} of ${runs} (rstan ${theirsSettled}), divergences ${divergences.join(" against ")}, least ESS a draw ${draw.toFixed(2)} (goal 0.5), a gradient ${gradient.toFixed(2)} (goal 0.8)`,
  );
  return {
    text: `${listed.join("; ")}; means differ by ${off.toFixed(1)} standard errors at most (may be ${MOST_ERRORS})`,
    passed: off <= MOST_ERRORS,
  };
}

export default {
  name: "nuts-varying",
  measures: `NUTS on ${names.length} posteriors whose scales vary, 4 × (1000 + 1000): least bulk ESS a thousand gradients`,
  metric: "ESS/1000",
  better: "more",
  // A round takes more than a minute. Time is not measured.
  rounds: sized(1, 1, 5),
  warmUp: false,
  makeData: (folder) => ({ folder }),
  ours,
  // Compiling the Stan programs takes minutes, and a few draws do not determine the means.
  peers: ({ folder }) =>
    sized([{ name: "rstan", goal: 0.8, open: () => openAll("rstan", (name) => openStan(name, folder)) }], []),
  compare,
};
