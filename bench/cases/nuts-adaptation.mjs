/**
 * nuts-adaptation: smallest bulk ESS per thousand gradients on ten posteriors, 4 × (1000 + 1000) transitions, including
 * warm-up, against rstan.
 *
 * Time is not measured: the sides differ in how warm-up chooses a metric and a step size. A contestant's value is the
 * geometric mean over the posteriors. Ours is the default, a low-rank metric from overlapping estimates; the text also
 * reports nuts({ metric: "fisher" }), the best diagonal metric. Means must agree as in `nuts`.
 */
import { openModules } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { dataOf, disagreement, geometricMean, openOurs, openStan, posteriors } from "../posteriors.mjs";
import { sized } from "../size.mjs";

const MOST_ERRORS = 6;
/** Posteriors with strongly correlated coordinates, where the low-rank metric must be twice as efficient. */
const CORRELATED = ["earnings", "kilpisjarvi", "kidscore", "nes1972"];
const names = process.env.ERGODIC_BENCH_POSTERIORS?.split(",") ?? sized(Object.keys(posteriors), ["eight_schools"]);
const efficiency = ({ least, leapfrogs }) => (1000 * least) / leapfrogs;

async function openSides(open, runsOf) {
  const opened = {};
  for (const name of names) opened[name] = await open(name);
  return {
    async round(i) {
      const results = {};
      for (const name of names) results[name] = await runsOf(opened[name], i + 1);
      return { value: geometricMean(names.map((name) => efficiency(results[name].best))), results };
    },
    close: async () => {
      for (const one of Object.values(opened)) await one.close();
    },
  };
}

async function ours() {
  const [{ nuts }] = await openModules("bayes/samplers/index.js");
  const sides = await openSides(openOurs, async (side, seed) => ({
    best: await side.run(nuts(), seed),
    diagonal: await side.run(nuts({ metric: "fisher" }), seed),
  }));
  return { name: "ergodic nuts()", ...sides };
}

async function rstan(folder) {
  const sides = await openSides(
    (name) => openStan(name, folder),
    async (side, seed) => ({ best: await side.run(seed) }),
  );
  return { name: "rstan", ...sides };
}

function compare(ours, theirs) {
  const ratio = (name, kind) => {
    const of = (side, which) => median(side.rounds.map(({ results }) => efficiency(results[name][which])));
    return of(ours, kind) / of(theirs, "best");
  };
  const rows = names.map((name) => ({ name, lowRank: ratio(name, "best"), diagonal: ratio(name, "diagonal") }));
  const off = Math.max(
    ...names.flatMap((name) => {
      const [{ results: a }] = ours.rounds;
      const [{ results: b }] = theirs.rounds;
      return [disagreement(a[name].best, b[name].best), disagreement(a[name].diagonal, b[name].best)];
    }),
  );
  const correlated = rows.filter(({ name }) => CORRELATED.includes(name)).map(({ lowRank }) => lowRank);
  const least =
    correlated.length > 0 ? `, at least ${Math.min(...correlated).toFixed(1)} on ${CORRELATED.join(", ")} (goal 2)` : "";
  const listed = rows.map(({ name, lowRank, diagonal }) => `${name} ${lowRank.toFixed(2)} (${diagonal.toFixed(2)})`).join(", ");
  return {
    text: `low rank (diagonal Fisher) of each: ${listed}; diagonal Fisher ${median(rows.map(({ diagonal }) => diagonal)).toFixed(2)} in the median (goal 1.2); low rank ${median(rows.map(({ lowRank }) => lowRank)).toFixed(1)}${least}; means differ by ${off.toFixed(1)} standard errors at most (may be ${MOST_ERRORS})`,
    passed: off <= MOST_ERRORS,
  };
}

export default {
  name: "nuts-adaptation",
  measures: `NUTS on ${names.length} posteriors, 4 × (1000 + 1000): least bulk ESS a thousand gradients`,
  metric: "ESS/1000",
  better: "more",
  // A round of rstan takes a minute. Time is not measured.
  rounds: sized(1, 1, 5),
  warmUp: false,
  makeData(folder) {
    dataOf(names[0]);
    return { folder };
  },
  ours,
  // Compiling the Stan programs takes minutes, and a few draws do not determine the means.
  peers: ({ folder }) => sized([{ name: "rstan", goal: 2, open: () => rstan(folder) }], []),
  compare,
};
