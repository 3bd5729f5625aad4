/**
 * nuts: NUTS on ten posteriors against rstan, 4 × (1000 + 1000) transitions on one thread: smallest bulk ESS per
 * second, including warm-up.
 *
 * Both sides use the defaults of their samplers. A contestant's value is the geometric mean over the posteriors, so
 * that the ratio is the geometric mean of the ratios; the text lists each. It also lists leapfrogs per second, and the
 * time from a model's source to its first draw in a separate process: loading, tracing and compiling the library,
 * against compiling the Stan program. Means must agree within MOST_ERRORS standard errors of both. Source of models and
 * data: posteriordb (Magnusson et al. 2025).
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { openModules } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { dataOf, disagreement, geometricMean, openOurs, openStan, posteriors } from "../posteriors.mjs";
import { sized } from "../size.mjs";

const MOST_ERRORS = 6;
const FIRST_DRAW = fileURLToPath(new URL("../first-draw.mjs", import.meta.url));
/** ERGODIC_BENCH_POSTERIORS selects some of them. */
const names = process.env.ERGODIC_BENCH_POSTERIORS?.split(",") ?? sized(Object.keys(posteriors), ["eight_schools"]);

/** One round: every posterior in turn. */
async function sampledBy(sides, seed) {
  const results = {};
  for (const name of names) results[name] = await sides[name](seed);
  return { value: geometricMean(names.map((name) => results[name].least / results[name].seconds)), results };
}

const closeAll = (opened) => async () => {
  for (const one of Object.values(opened)) await one.close();
};

async function openAll(open) {
  const opened = {};
  for (const name of names) opened[name] = await open(name);
  return opened;
}

async function ours() {
  const [{ nuts }] = await openModules("bayes/samplers/index.js");
  const opened = await openAll(openOurs);
  const sides = Object.fromEntries(names.map((name) => [name, (seed) => opened[name].run(nuts(), seed)]));
  const firstDraw = Object.fromEntries(
    names.map((name) => [name, Number(execFileSync(process.execPath, [FIRST_DRAW, name], { encoding: "utf8" }))]),
  );
  return {
    name: "ergodic nuts()",
    round: async (i) => ({ ...(await sampledBy(sides, i + 1)), firstDraw }),
    close: closeAll(opened),
  };
}

async function rstan(folder) {
  const opened = await openAll((name) => openStan(name, folder));
  const sides = Object.fromEntries(names.map((name) => [name, (seed) => opened[name].run(seed)]));
  return {
    name: opened[names[0]].version,
    round: (i) => sampledBy(sides, i + 1),
    warmUp: async () => {},
    close: closeAll(opened),
  };
}

function compare(ours, theirs) {
  const rows = names.map((name) => {
    const of = (side, f) => median(side.rounds.map(({ results }) => f(results[name])));
    const ratio = (f) => of(ours, f) / of(theirs, f);
    const compiled = of(theirs, ({ compileSeconds }) => compileSeconds);
    return {
      name,
      ess: ratio(({ least, seconds }) => least / seconds),
      leapfrogs: ratio(({ leapfrogs, seconds }) => leapfrogs / seconds),
      firstDraw: compiled > 0 ? compiled / ours.rounds[0].firstDraw[name] : undefined,
      off: disagreement(ours.rounds[0].results[name], theirs.rounds[0].results[name]),
    };
  });
  const listed = rows.map(({ name, ess, leapfrogs }) => `${name} ${ess.toFixed(2)} (${leapfrogs.toFixed(2)})`).join(", ");
  const first = rows.map(({ firstDraw }) => firstDraw).filter((value) => value !== undefined);
  const sooner =
    first.length > 0
      ? `, first draw ${Math.round(Math.min(...first))} to ${Math.round(Math.max(...first))} times sooner (goal 100)`
      : "";
  const off = Math.max(...rows.map((row) => row.off));
  return {
    text: `ESS a second (leapfrogs a second) of each: ${listed}; leapfrogs a second ${geometricMean(rows.map((row) => row.leapfrogs)).toFixed(2)} times (goal 3)${sooner}; means differ by ${off.toFixed(1)} standard errors at most (may be ${MOST_ERRORS})`,
    passed: off <= MOST_ERRORS,
  };
}

export default {
  name: "nuts",
  measures: `NUTS on ${names.length} posteriors, 4 × (1000 + 1000), one thread: least bulk ESS a second`,
  metric: "ESS/s",
  better: "more",
  // A round of rstan takes a minute.
  rounds: sized(1, 1, 5),
  makeData(folder) {
    dataOf(names[0]);
    return { folder };
  },
  ours,
  // Compiling the Stan programs takes minutes, and a few draws do not determine the means.
  peers: ({ folder }) => sized([{ name: "rstan", goal: 2.5, open: () => rstan(folder) }], []),
  compare,
};
