/**
 * Posteriors with several modes: draws that miss a mode are not trusted, and draws from a single mode are.
 *
 * Each posterior is sampled with all defaults and many seeds. A run is wrong if the verdict trusts it although a mean
 * or a mean square is more than 4.5 of its standard errors off. At most 1 of 100 runs may be wrong. For posteriors with
 * one mode, or with a mode that holds all but e^-100 of the mass, 95 of 100 runs must be trusted. At least a quarter of
 * random starts reach each heavy mode, as counted here, so 24 scouts miss such a mode in one run of 1000. A mode that
 * few starts reach can be missed (places/scouts.ts).
 *
 * ERGODIC_SEEDS is the number of seeds, by default 2, or 6 in test:slow. ERGODIC_CONFORMANCE names a file to which a
 * JSON row per posterior is appended (scripts/conformance.mjs).
 */
import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DensityPoint } from "../../src/bayes/approximate/density-point.ts";
import { scouted } from "../../src/bayes/places/scouts.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { mcseMean } from "../../src/engine/statistics/index.ts";
import { sample } from "../../src/entries/everything.ts";
import { power } from "../power.ts";
import { type Posterior, posteriors } from "./modes/posteriors.ts";

const SEEDS = Number(process.env.ERGODIC_SEEDS ?? power(2, 6));
const CHAINS = 4;
const STARTS = process.env.ERGODIC_CONFORMANCE ? 200 : power(80, 200);

/** Smallest share of starts that lead to a heavy mode. */
async function leastReached({ density, parts }: Posterior): Promise<number> {
  const point = new DensityPoint(await openEngine(), density, "modes");
  const plan = { chains: 1, warmup: 1, draws: 1, seed: 17, workers: 1, deterministic: true };
  const counts = parts.map(() => 0);
  for (let i = 0; i < STARTS; i++) {
    const [found] = await scouted(point, {}, plan, i, 1000);
    if (!found) continue;
    const away = parts.map(({ mean }) => Math.hypot(...mean.map((value, j) => found.normal.mean[j] - value)));
    counts[away.indexOf(Math.min(...away))]++;
  }
  point.dispose();
  return Math.min(...counts.filter((_, k) => parts[k].logMass > -50)) / STARTS;
}

/** Largest error of a mean or mean square, in standard errors. */
function furthest({ moments }: Posterior, draws: (i: number) => Float64Array): number {
  const off = (x: Float64Array, exact: number) => Math.abs(x.reduce((a, b) => a + b, 0) / x.length - exact) / mcseMean(x, CHAINS);
  return Math.max(
    ...moments.flatMap(({ mean, square }, i) => {
      const x = draws(i);
      return [
        off(x, mean),
        off(
          x.map((value) => value * value),
          square,
        ),
      ];
    }),
  );
}

describe("several modes", () => {
  it.each(posteriors)("$name", async (one) => {
    const { name, density, single } = one;
    let [trusted, wrong, restarts] = [0, 0, 0];
    for (let seed = 1; seed <= SEEDS; seed++) {
      const found = await sample(density, {}, { seed, workers: 1 });
      const verdict = found.verdict();
      restarts += found.report.restarts ?? 0;
      if (!verdict.trusted) continue;
      trusted++;
      if (furthest(one, (i) => found.series("x", i)) > 4.5) wrong++;
    }
    const reached = await leastReached(one);
    const file = process.env.ERGODIC_CONFORMANCE;
    if (file) appendFileSync(file, `${JSON.stringify({ name, single, seeds: SEEDS, trusted, wrong, restarts, reached })}\n`);
    expect(reached, "starts that lead to the least reached heavy mode").toBeGreaterThanOrEqual(
      0.25 - 2 * Math.sqrt(0.1875 / STARTS),
    );
    expect(wrong, "wrong and trusted").toBeLessThanOrEqual(SEEDS / 100);
    if (single) expect(trusted).toBeGreaterThanOrEqual(Math.floor(0.95 * SEEDS));
  });
});
