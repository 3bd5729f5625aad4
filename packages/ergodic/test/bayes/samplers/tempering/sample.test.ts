/**
 * sample() with composed samplers: draws by name, reports, and checkpoints that resume bit for bit without naming the
 * sampler.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { binomial, gamma, model, normal, poisson } from "../../../../src/bayes/model/index.ts";
import { sample } from "../../../../src/bayes/sample.ts";
import {
  conjugate,
  enumerate,
  gibbs,
  parallelTempering,
  type Sampler,
  sequentialMonteCarlo,
} from "../../../../src/bayes/samplers/index.ts";

const seen = model(({ param, observe }) => {
  const rate = param("rate", gamma(2, 0.5));
  const count = param("count", poisson(rate));
  observe(2, binomial(count, 0.4));
});
const level = model(({ param, observe }) => {
  const mu = param("mu", normal(0, 3));
  observe(2, normal(mu, 1));
});

const cases: [string, typeof seen, Sampler, string[]][] = [
  ["gibbs", seen, gibbs(), ["divergences", "stepSize rate"]],
  ["conjugate pieces", seen, gibbs({ rate: conjugate(), count: enumerate() }), ["rhat"]],
  [
    "gibbs, tempered",
    seen,
    parallelTempering({ inner: gibbs(), count: 3, lowest: 0 }),
    ["swapAcceptance", "leastSwapAcceptance"],
  ],
  ["parallel tempering", level, parallelTempering({ count: 3 }), ["swapAcceptance", "stepSize"]],
  ["sequential Monte Carlo", level, sequentialMonteCarlo(), ["logEvidence", "logEvidenceError"]],
];

it.each(cases)("%s", async (_, of, algorithm, reported) => {
  const directory = await mkdtemp(join(tmpdir(), "composed-"));
  try {
    const path = join(directory, "run.checkpoint");
    const run = sample(of, {}, { algorithm, chains: 2, warmup: 150, draws: 100, seed: 1, deterministic: true });
    let ticks = 0;
    for await (const _tick of run) if (ticks++ === 0) await run.checkpoint(path);
    const draws = await run;
    const name = of === seen ? "count" : "mu";
    expect(Object.keys(draws.content.report)).toEqual(expect.arrayContaining(reported));
    expect(draws.draws(name).length).toBe(200);
    expect(draws.verdict().text.length).toBeGreaterThan(0);
    const again = await sample.resume(path, of, {});
    expect([...again.draws(name)]).toEqual([...draws.draws(name)]);
    if (name === "count") expect(draws.draws(name).every((k) => Number.isInteger(k) && k >= 2)).toBe(true);
    // A vanishing step size would indicate a wrong gradient.
    for (const [key, value] of Object.entries(draws.content.report))
      if (key.startsWith("stepSize")) expect(value).toBeGreaterThan(0.1);
  } finally {
    await rm(directory, { recursive: true });
  }
});
