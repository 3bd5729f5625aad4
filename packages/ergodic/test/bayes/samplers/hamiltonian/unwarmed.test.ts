/** Runs without warm-up search for a step size if none is given, and use a given step size unchanged. */
import { describe, expect, it } from "vitest";
import { hmc, mala, model, normal, nuts, sample, vector } from "../../../../src/entries/everything.ts";

const line = model(({ data, param, observe }) => {
  const { x, y } = data({ x: vector("N"), y: vector("N") });
  observe(y, normal(param("a", normal(0, 10)).add(param("b", normal(0, 10)).mul(x)), 0.1));
});
const x = Array.from({ length: 50 }, (_, i) => i / 10);
const data = { x, y: x.map((each, i) => 1 + 2 * each + 0.1 * Math.sin(9 * i)) };
const plan = { warmup: 0, draws: 300, chains: 2, workers: 1 };

describe("runs without warm-up", () => {
  it.each([
    ["nuts", nuts()],
    ["nuts on a diagonal", nuts({ metric: "diagonal" })],
    ["hmc", hmc()],
    ["mala", mala()],
  ])("find a working step size with %s for a line through 50 points", async (_, algorithm) => {
    for (let seed = 1; seed <= 5; seed++) {
      const draws = await sample(line, data, { ...plan, seed, algorithm });
      for (let c = 0; c < plan.chains; c++) {
        const own = draws.series("b").subarray(c * plan.draws, (c + 1) * plan.draws);
        // If every proposal were rejected, only one value would remain.
        expect(new Set(own).size).toBeGreaterThan(0.3 * plan.draws);
      }
      const steps = new Set(draws.transition("stepSize"));
      if (algorithm.toJSON().jitter === 0) expect(steps.size).toBeLessThanOrEqual(plan.chains);
      for (const step of steps) expect(step).toBeLessThan(0.5);
      expect(draws.verdict().findings.map(({ code }) => code)).not.toContain("stuck");
    }
  });

  it("reach the posterior with nuts", async () => {
    const draws = await sample(line, data, { ...plan, draws: 1000, seed: 3, algorithm: nuts() });
    const late = draws.series("b").subarray(500, 1000);
    expect(Math.abs(late.reduce((sum, b) => sum + b / 500, 0) - 2)).toBeLessThan(0.05);
  });

  it("use a given step size unchanged", async () => {
    for (const algorithm of [nuts({ stepSize: 0.01 }), hmc({ stepSize: 0.01, jitter: 0 })]) {
      const draws = await sample(line, data, { ...plan, draws: 5, algorithm });
      expect(new Set(draws.transition("stepSize"))).toEqual(new Set([0.01]));
    }
    expect(nuts().toJSON().stepSize).toBe("auto");
    expect(nuts({ stepSize: 1 }).toJSON().stepSize).toBe(1);
    expect(() => nuts({ stepSize: "small" as "auto" })).toThrow(/nuts: stepSize is "small".*OPTION_/);
  });
});
