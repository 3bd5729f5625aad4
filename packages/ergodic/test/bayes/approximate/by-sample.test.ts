/** Approximations through sample(): draws by name, a verdict that depends on k̂, and checkpoints. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { model, normal, vector } from "../../../src/bayes/model/index.ts";
import { sample } from "../../../src/bayes/sample.ts";
import { fullRank, meanField, pathfinder, svgd } from "../../../src/bayes/samplers/index.ts";
import { exp, mul } from "../../../src/engine/compiler/index.ts";

const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  const slope = param("slope", normal(0, 10));
  const sigma = param("sigma", normal(0, 1), { lower: 0 });
  observe(y, normal(mul(slope, x), sigma));
});
const eight = { x: [1, 2, 3, 4, 5, 6, 7, 8], y: [2.1, 3.9, 6.2, 7.8, 10.1, 12.2, 13.8, 16.1] };
/** The data three times. With eight rows, the posterior's tails are so heavy that normals are rightly flagged. */
const data = { x: [...eight.x, ...eight.x, ...eight.x], y: [...eight.y, ...eight.y, ...eight.y] };
/** Neal's funnel, which no normal fits. */
const funnel = model(({ param }) => {
  const scale = param("scale", normal(0, 3));
  param("x", normal(0, exp(scale)), { shape: 9 });
});

it.each([pathfinder({ draws: 400 }), meanField(), fullRank(), svgd()])(
  "$name returns draws of a known slope by name",
  async (algorithm) => {
    const posterior = await sample(line, data, { algorithm, seed: 2, deterministic: true });
    const slope = posterior.draws("slope");
    const mean = slope.reduce((sum, v) => sum + v, 0) / slope.length;
    // Least squares gives 408.8 / 204 = 2.0039 with a standard error of about 0.006.
    expect(Math.abs(mean - 2.0039)).toBeLessThan(0.01);
    expect(posterior.draws("sigma").every((v) => v > 0)).toBe(true);
    if (algorithm.name !== "svgd") expect(posterior.verdict().trusted).toBe(true);
  },
);

it("the verdict does not trust a poor approximation", async () => {
  for (const algorithm of [pathfinder({ maxIterations: 50 }), fullRank({ maxIterations: 300, refineDraws: 50 })]) {
    const verdict = (await sample(funnel, {}, { algorithm, seed: 1, draws: 25 })).verdict();
    expect(verdict.trusted).toBe(false);
    const serious = verdict.findings.filter((finding) => finding.serious).map(({ code }) => code);
    expect(["paretoK", "modes"]).toEqual(expect.arrayContaining(serious));
    expect(serious).not.toEqual([]);
  }
});

it("a run resumes bit for bit from its checkpoint file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ergodic-variational-"));
  try {
    for (const algorithm of [pathfinder({ draws: 10, paths: 2 }), svgd({ particles: 20, iterations: 60 })]) {
      const options = { algorithm, seed: 4, ...(algorithm.name === "svgd" ? {} : { draws: 5 }), deterministic: true };
      const whole = await sample(line, data, options);
      const run = sample(line, data, options);
      const path = join(folder, algorithm.name);
      const kept = run.checkpoint(path);
      await kept;
      run.stop();
      await run;
      const again = await sample.resume(path, line, data);
      expect(again.draws("slope")).toEqual(whole.draws("slope"));
      expect(again.report).toEqual(whole.report);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
