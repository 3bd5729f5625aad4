/**
 * A verdict that trusts is right: forty posteriors (verdicts/posteriors.ts), by every sampler that has a verdict.
 *
 * What only this file catches: draws that miss part of the mass, or have other spreads than the posterior, and are trusted
 * nevertheless, by samplers and approximations alike. ERGODIC_CONFORMANCE names a file to which a row is added for each run
 * (scripts/conformance.mjs); ERGODIC_SEEDS is the number of runs of each posterior and sampler, 3 there; ERGODIC_SAMPLERS
 * names some of them. Without a file two
 * samplers make one run of each posterior that has several modes, and none may be trusted and wrong.
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

/** undefined: the sampler refuses the posterior, as sequential Monte Carlo does a plain function. */
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
  it.each(some)("$name", async (drawn) => {
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
      // Whether starts lead to each mode takes long to find out, and matters only where a verdict is wrong.
      const wrong = run?.trusted === true && run.error > 1 && isReached(await reachOf(drawn));
      expect(wrong, `trusted, and off by ${run?.error} of what is tolerated`).toBe(false);
    }
  });
});
