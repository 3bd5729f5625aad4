/**
 * stochastic-gradient: the posterior of a logistic regression on a million rows of nine columns, by Langevin dynamics
 * with control variates and by a long run of NUTS. Compares passes over the data, where a pass is one gradient of all
 * rows.
 *
 * Ours counts everything that it reads: batches twice (at x and at x*), and the search for the mode. For NUTS only the
 * leapfrogs of kept draws are counted. Both are judged by the normal distribution with the density's mode and its
 * curvature there, from which a posterior of a million rows differs by about 1 / √N standard deviations. The answer is
 * correct if every mean is within 0.1 standard deviations, every standard deviation is within 5 %, and an update costs
 * about the same on 10,000 rows as on a million. The draws of NUTS do not change between rounds, so it runs once.
 */
import { openEngineOf } from "../ergodic.mjs";
import { median } from "../measure.mjs";
import { sized } from "../size.mjs";

const COLUMNS = 9;
const ROWS = sized(1_000_000, 2000);
const FEW_ROWS = sized(10_000, 500);
const BATCH = 100;
/** Number of timed updates of a chain. */
const TIMED = sized(20_000, 200);
/** At tiny size the draws are too few to judge them, and speed is not judged. */
const MEAN_TOLERANCE = sized(0.1, 3);
const SD_TOLERANCE = sized(0.05, 3);
const FLAT = sized(1.25, Infinity);
const WORKERS = 2;
const CHAINS = 4;
/** Draws per chain of ours, and updates per draw. */
const [SGLD_DRAWS, THIN] = sized([1500, 100], [50, 10]);
/** Draws per chain of NUTS, which starts at the truth, a few standard deviations from the mode. */
const DRAWS = sized(250, 50, 1000);
const WARMUP = sized(150, 50);
/** The intercept and coefficients that generate the data. */
const truth = Float64Array.from({ length: COLUMNS + 1 }, (_, i) => (i === 0 ? -0.5 : 0.5 * Math.cos(i - 1)));

/** Step size: 0.02 of a posterior variance, which is about 1 / (0.2 N). */
const stepSize = (rowCount) => 0.02 / (0.2 * rowCount);

async function posteriorOf(rowCount) {
  const { engine, stream } = await openEngineOf("engine/random/stream.js");
  const { bernoulliLogitGlm, matrix, model, normal, vector } = await openEngineOf("bayes/model/index.js");
  const draws = stream(1, "stochastic-gradient").at(0);
  const x = new Float64Array(rowCount * COLUMNS);
  const y = new Float64Array(rowCount);
  for (let i = 0; i < rowCount; i++) {
    let z = truth[0];
    for (let j = 0; j < COLUMNS; j++) {
      x[i * COLUMNS + j] = draws.normal();
      z += truth[j + 1] * x[i * COLUMNS + j];
    }
    y[i] = draws.uniform() < 1 / (1 + Math.exp(-z)) ? 1 : 0;
  }
  const regression = model(({ data, param, observe }) => {
    const given = data({ y: vector("N"), x: matrix("N", "K") });
    const alpha = param("alpha", normal(0, 2.5));
    observe(given.y, bernoulliLogitGlm(given.x, alpha, param("beta", normal(0, 1), { shape: "K" })));
  });
  return {
    engine,
    density: await regression.condition({ x, y, K: COLUMNS }, { rows: "N" }),
    wanted: normalLimit(x, y, rowCount),
  };
}

/** Means and standard deviations of the normal distribution at the mode, by three Newton steps from the truth. */
function normalLimit(x, y, rowCount) {
  const D = COLUMNS + 1;
  const mode = Float64Array.from(truth);
  let inverse;
  for (let step = 0; step < 3; step++) {
    const precision = Array.from({ length: D }, (_, i) => (i === 0 ? 1 / 2.5 ** 2 : 1));
    const gradient = precision.map((p, i) => -p * mode[i]);
    const curvature = precision.map((p, i) => precision.map((_, j) => (i === j ? p : 0)));
    const row = new Float64Array(D).fill(1);
    for (let n = 0; n < rowCount; n++) {
      row.set(x.subarray(n * COLUMNS, (n + 1) * COLUMNS), 1);
      const share = 1 / (1 + Math.exp(-row.reduce((z, v, i) => z + v * mode[i], 0)));
      for (let i = 0; i < D; i++) {
        gradient[i] += (y[n] - share) * row[i];
        for (let j = 0; j < D; j++) curvature[i][j] += share * (1 - share) * row[i] * row[j];
      }
    }
    inverse = inverseOf(curvature);
    for (let i = 0; i < D; i++) mode[i] += inverse[i].reduce((sum, v, j) => sum + v * gradient[j], 0);
  }
  return Array.from(mode, (mean, i) => ({ mean, sd: Math.sqrt(inverse[i][i]) }));
}

/** The inverse of a positive definite matrix, by Gauss-Jordan elimination. */
function inverseOf(matrix) {
  const both = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < both.length; k++) {
    both[k] = both[k].map((v) => v / both[k][k]);
    for (let i = 0; i < both.length; i++) if (i !== k) both[i] = both[i].map((v, j) => v - both[i][k] * both[k][j]);
  }
  return both.map((row) => row.slice(both.length));
}

async function makeData(_folder, closing) {
  const many = await posteriorOf(ROWS);
  const few = await posteriorOf(FEW_ROWS);
  for (const { density } of [many, few]) closing.push({ close: () => density.dispose() });
  const samplers = await openEngineOf("bayes/samplers/index.js");
  return { many, few, samplers };
}

/** Means and standard deviations of each coordinate, over all chains. */
function momentsOf(draws) {
  return Array.from({ length: COLUMNS + 1 }, (_, i) => {
    const values = draws.coordinate(i);
    const mean = values.reduce((sum, v) => sum + v / values.length, 0);
    const squares = values.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    return { mean, sd: Math.sqrt(squares / (values.length - 1)) };
  });
}

const planOf = (given) => ({ chains: CHAINS, seed: 1, workers: WORKERS, deterministic: false, ...given });

async function finished(sampler, { engine, density }, plan) {
  const run = sampler.start(density, planOf(plan), engine);
  while (run.converged === false) await run.advance(500);
  const [draws, report] = [run.draws(), run.report()];
  run.dispose();
  return { draws, report };
}

/** Microseconds per update of one chain on one worker. */
async function microseconds(sampler, { engine, density }) {
  const run = sampler.start(density, planOf({ chains: 1, workers: 1, warmup: 100, draws: TIMED / 10 }), engine);
  await run.advance(100);
  const start = performance.now();
  await run.advance(TIMED / 10);
  const seconds = (performance.now() - start) / 1000;
  run.dispose();
  return (seconds * 1e6) / TIMED;
}

async function ours({ many, few, samplers: { sgld } }) {
  const sampler = (rowCount, thin) => sgld({ stepSize: stepSize(rowCount), batch: BATCH, thin, controlVariate: "mode" });
  return {
    name: `ergodic sgld, control variates, batches of ${BATCH}`,
    async round() {
      const { draws, report } = await finished(sampler(ROWS, THIN), many, { warmup: 10, draws: SGLD_DRAWS });
      const times = { few: [], many: [] };
      for (let i = 0; i < 3; i++) {
        times.few.push(await microseconds(sampler(FEW_ROWS, 10), few));
        times.many.push(await microseconds(sampler(ROWS, 10), many));
      }
      const [fewRows, manyRows] = [Math.min(...times.few), Math.min(...times.many)];
      return { value: report.dataPasses, moments: momentsOf(draws), fewRows, manyRows };
    },
    note: ([{ fewRows, manyRows }]) =>
      `${fewRows.toFixed(1)} µs an update on ${FEW_ROWS} rows, ${manyRows.toFixed(1)} µs on ${ROWS}`,
  };
}

async function reference({ many, samplers: { nuts } }) {
  let made;
  // The steps are so long that three leapfrogs usually make a half-turn, which needs the fewest passes per draw.
  return {
    name: `ergodic nuts, ${CHAINS} × ${DRAWS} draws`,
    async round() {
      if (!made) {
        const { draws } = await finished(nuts({ targetAcceptance: 0.6 }), many, { warmup: WARMUP, draws: DRAWS, start: truth });
        made = { value: draws.transition("leapfrogs").reduce((sum, count) => sum + count, 0), moments: momentsOf(draws) };
      }
      return made;
    },
  };
}

function compare(ours, theirs, { many: { wanted } }) {
  const [off, theirOff] = [ours, theirs].map(({ rounds: [{ moments }] }) => ({
    mean: Math.max(...moments.map(({ mean }, i) => Math.abs(mean - wanted[i].mean) / wanted[i].sd)),
    sd: Math.max(...moments.map(({ sd }, i) => Math.abs(sd / wanted[i].sd - 1))),
  }));
  const percent = (share) => `${(100 * share).toFixed(1)} %`;
  const cost = median(ours.rounds.map(({ fewRows, manyRows }) => manyRows / fewRows));
  return {
    text: `means within ${off.mean.toFixed(3)} sd (may be ${MEAN_TOLERANCE}; NUTS ${theirOff.mean.toFixed(3)}), sds within ${percent(off.sd)} (may be ${percent(SD_TOLERANCE)}; NUTS ${percent(theirOff.sd)}); an update on ${ROWS} rows costs ${cost.toFixed(2)} times one on ${FEW_ROWS} (may be ${FLAT})`,
    passed: off.mean <= MEAN_TOLERANCE && off.sd <= SD_TOLERANCE && cost <= FLAT,
  };
}

export default {
  name: "stochastic-gradient",
  measures: "posterior of a logistic regression on 1,000,000 × 9: passes over the data to means within 0.1 sd and sds within 5 %",
  metric: "passes",
  better: "less",
  makeData,
  ours,
  peers: (problem) => [{ name: "ergodic nuts", goal: 20, open: () => reference(problem) }],
  compare,
};
