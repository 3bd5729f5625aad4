/** Posteriors: drawing, approximating, summarising and saving them; and minimising functions from values alone. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { minimize, model, nelderMead, normal, nuts, sample, saveDraws, vector } from "ergodic";
import { meanField } from "ergodic/bayes";
import { add, exp, mul } from "ergodic/compiler";
import { openAiEs, randomSearch } from "ergodic/search";
import { randomNumbers } from "../data.mjs";

const logDensity = (x) => x.reduce((sum, v) => sum - 0.5 * v * v, 0);
/** Draws from a standard normal distribution. */
const draw = (dimension, options) =>
  sample(logDensity, { dimension, gradient: (x) => Float64Array.from(x, (v) => -v) }, { seed: 1, ...options });
const search = (algorithm) => (d) => () =>
  minimize((x) => x.reduce((sum, v, j) => sum + (1 + (j % 7)) * v * v, 0), {
    algorithm: algorithm(),
    x0: new Float64Array(d).fill(1),
    until: { evaluations: 3000 },
  });
const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const [alpha, beta, scale] = [param("alpha", normal(0, 5)), param("beta", normal(0, 5)), param("scale", normal(0, 1))];
  observe(y, normal(add(alpha, mul(beta, x)), exp(scale)));
});

export const samplingFamilies = {
  "sampling, dimensions": {
    grows: "d",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (d) => () => draw(d, { algorithm: nuts(), chains: 1, warmup: 100, draws: 100 }),
  },
  "sampling, draws": {
    grows: "draws",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open: (draws) => () => draw(3, { algorithm: nuts(), chains: 1, warmup: 200, draws }),
  },
  "sampling, rows": {
    grows: "rows",
    theory: 1,
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    open(n) {
      const random = randomNumbers(1);
      const x = Float64Array.from({ length: n }, () => random.normal());
      const y = x.map((v) => 1 + 2 * v + random.normal());
      return async () => {
        const { report } = await sample(line, { x, y }, { algorithm: nuts(), chains: 1, warmup: 100, draws: 100, seed: 1 });
        return report.leapfrogs + report.scoutEvaluations;
      };
    },
  },
  "mean field, dimensions": {
    grows: "d",
    theory: 1,
    sizes: [100, 300, 1000, 3000],
    open: (d) => () => draw(d, { algorithm: meanField() }),
  },
  summary: {
    grows: "quantities",
    theory: 1,
    sizes: [30, 100, 300, 1000],
    async open(d) {
      const posterior = await draw(d, { algorithm: nuts(), chains: 2, warmup: 100, draws: 300 });
      return () => posterior.summary();
    },
  },
  "posterior, saved": {
    grows: "quantities",
    theory: 1,
    sizes: [10, 100, 300, 1000],
    async open(d) {
      const posterior = await draw(d, { algorithm: nuts(), chains: 1, warmup: 100, draws: 1000 });
      const folder = mkdtempSync(join(tmpdir(), "growth-"));
      return () => saveDraws(posterior, join(folder, "draws"));
    },
  },
  "compile, parameters": {
    grows: "parameters",
    theory: 1,
    sizes: [30, 100, 300, 1000],
    open: (d) => () => {
      const many = model(({ param }) => {
        for (let j = 0; j < d; j++) param(`p${j}`, normal(0, 1));
      });
      return sample(many, {}, { chains: 1, warmup: 20, draws: 20 });
    },
  },
  // 3000 evaluations each, with steps in d coordinates.
  "Nelder-Mead": { grows: "d", theory: 1, sizes: [100, 300, 1000, 2000], open: search(nelderMead) },
  "random search": { grows: "d", theory: 1, sizes: [20, 200, 1000, 3000], open: search(randomSearch) },
  "evolution strategy": { grows: "d", theory: 1, sizes: [20, 200, 1000, 3000], open: search(openAiEs) },
};
