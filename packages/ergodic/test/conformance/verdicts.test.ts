/**
 * A trusting verdict is right, on forty posteriors (verdicts/posteriors.ts) and every sampler with a verdict.
 *
 * Only this file catches draws that miss part of the mass, or have another spread than the posterior, but are trusted.
 * This applies to samplers and approximations alike. ERGODIC_CONFORMANCE names a file to which a row per run is
 * appended (scripts/conformance.mjs). ERGODIC_SEEDS is the number of runs per posterior and sampler, then 3 by default.
 * ERGODIC_SAMPLERS selects samplers by name. Without a file, two samplers make one run on each posterior with several
 * modes, and no run may be both trusted and wrong. `npm test` runs NUTS on half of these posteriors and fullRank() on a
 * quarter.
 */
import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Sampler } from "../../src/bayes/samplers/index.ts";
import {
  fullRank,
  meanField,
  nuts,
  parallelTempering,
  pathfinder,
  sample,
  sequentialMonteCarlo,
  svgd,
} from "../../src/entries/everything.ts";
import { isSlow } from "../power.ts";
import { errorOf } from "./verdicts/judge.ts";
import { type Drawn, posteriors, seedOf } from "./verdicts/posteriors.ts";
import { isReached, leastReached } from "./verdicts/reach.ts";

const FILE = process.env.ERGODIC_CONFORMANCE;
const SEEDS = Number(process.env.ERGODIC_SEEDS ?? 1);
const every: readonly Sampler[] = [
  nuts(),
  parallelTempering(),
  sequentialMonteCarlo(),
  meanField(),
  fullRank(),
  pathfinder(),
  svgd(),
];
const samplers = FILE
  ? every.filter(({ name }) => (process.env.ERGODIC_SAMPLERS ?? name).split(",").includes(name))
  : [nuts(), fullRank()];
const some = FILE ? posteriors : posteriors.filter(({ kind }) => kind === "modes");
/** Functions and likelihoods alternate, so the samplers take pairs. */
const isTaken = (sampler: Sampler, pair: number): boolean => (sampler.name === "nuts" ? pair % 2 === 0 : pair % 4 === 1);
const takenBy = (sampler: Sampler): readonly Drawn[] =>
  FILE || isSlow ? some : some.filter((_, i) => isTaken(sampler, Math.floor(i / 2)));

/** Undefined if the sampler refuses the posterior, as sequential Monte Carlo refuses plain functions. */
async function judged({ name, model, data, marginals }: Drawn, algorithm: Sampler, k: number) {
  const before = process.cpuUsage();
  const draws = await sample(model, data as never, { algorithm, seed: seedOf(name, k), workers: 1 });
  const { trusted, findings } = draws.verdict();
  const { user, system } = process.cpuUsage(before);
  const error = errorOf(
    marginals,
    (quantity, i) => (i === undefined ? draws.series(quantity as never) : draws.series(quantity as never, i)),
    draws.chains,
  );
  return {
    trusted,
    error,
    codes: findings.filter(({ serious }) => serious).map(({ code }) => code),
    seconds: (user + system) / 1e6,
  };
}

const reaches = new Map<Drawn, Promise<number>>();
function reachOf(drawn: Drawn): Promise<number> {
  const known = reaches.get(drawn) ?? leastReached(drawn);
  reaches.set(drawn, known);
  return known;
}

describe.each(samplers)("$name", (algorithm) => {
  it.each(takenBy(algorithm))("$name", async (drawn) => {
    const { name, kind } = drawn;
    for (let k = 0; k < SEEDS; k++) {
      const run = await judged(drawn, algorithm, k).catch((error: { code?: string }) => {
        if (!FILE || !["SAMPLE_PRIOR", "MODEL_PRIOR", "SAMPLE_STEP"].includes(String(error.code))) throw error;
      });
      if (FILE) {
        const row = { name, kind, reached: await reachOf(drawn), sampler: algorithm.name, k, ...(run ?? { refused: true }) };
        appendFileSync(FILE, `${JSON.stringify(row)}\n`);
        continue;
      }
      // Counting the starts that lead to each mode is slow, and matters only if a verdict is wrong.
      const wrong = run?.trusted === true && run.error > 1 && isReached(await reachOf(drawn));
      expect(wrong, `trusted, and off by ${run?.error} of what is tolerated`).toBe(false);
    }
  });
});
