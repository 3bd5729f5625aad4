/** Covariance of a population, shrunk towards its diagonal, because few particles determine correlations poorly. */
import { expect, it } from "vitest";
import { Population } from "../../../../src/bayes/samplers/tempering/population.ts";
import type { LogDensity } from "../../../../src/engine/contract/index.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";

const engine = await openEngine();

it.each([4, 5, 50])("covariances of %i particles in three dimensions shrink by n/(n + d), but variances do not", (n) => {
  const d = 3;
  const binding = { slot: 0, model: 0, likelihood: 0, dispose() {} };
  const density = { dimension: d, bindTempered: () => binding } as unknown as LogDensity;
  const population = new Population(engine, density, 0, 1, n, { moves: 1, leapfrogs: 0, stepSize: 1 });
  const x = Array.from({ length: n }, (_, i) => [i, (i * i) % 5, Math.sin(i) - 0.3 * i]);
  population.x.set(x.flat());
  population.adaptFactor();
  const factor = population.views().factor as Float64Array;
  const mean = [0, 1, 2].map((a) => x.reduce((sum, row) => sum + row[a], 0) / n);
  for (let a = 0; a < d; a++) {
    for (let b = 0; b <= a; b++) {
      const covariance = x.reduce((sum, row) => sum + (row[a] - mean[a]) * (row[b] - mean[b]), 0) / n;
      let made = 0;
      for (let k = 0; k <= b; k++) made += factor[a * d + k] * factor[b * d + k];
      expect(made).toBeCloseTo(a === b ? covariance : (covariance * n) / (n + d), 10);
    }
  }
  population.dispose();
});
