/**
 * Rates per coordinate: their effect on every rule with an equation, compiled and interpreted, and the place where
 * averages are taken.
 */
import { describe, expect, it } from "vitest";
import * as g from "../../../src/engine/optimise/index.ts";
import { type RuleEntry, ruleRegistry } from "../../../src/engine/optimise/index.ts";
import type { RunnerOptions } from "../../../src/engine/optimise/runner.ts";

const COUNT = 21;
const start = Array.from({ length: COUNT }, (_, i) => ((i * 5) % 7) - 3);
const rates = Array.from({ length: COUNT }, (_, i) => [1, 0, 0.25, 2][i % 4]);
const gradient = (t: number): number[] => Array.from({ length: COUNT }, (_, i) => Math.sin(1.3 * i + t) * (1 + (i % 3)));

function equationOf(entry: RuleEntry): g.EquationRule | undefined {
  const made = entry.make(entry.convex);
  if (made.kind !== "equation") return undefined;
  return entry.inChain?.(made) ?? made;
}

async function run(rule: g.EquationRule, steps: number, options: Partial<RunnerOptions>): Promise<[number[], number[]]> {
  using runner = await g.RuleRunner.open(rule, { count: COUNT, start, ...options });
  if (options.rates) runner.vector("rates").set(rates);
  for (let t = 0; t < steps; t++) {
    runner.gradient().set(gradient(t));
    runner.step(2 + Math.cos(t), { epochUpdates: 5 });
  }
  return [[...runner.parameters()], [...runner.evaluationPoint()]];
}

const rules = Object.entries(ruleRegistry).flatMap(([name, entry]) => {
  const rule = equationOf(entry);
  return rule ? [[name, rule] as const] : [];
});

describe.each(rules)("%s", (_, rule) => {
  it("multiplies the first step of each coordinate by its rate", async () => {
    const [plain] = await run(rule, 1, {});
    const [scaled] = await run(rule, 1, { rates: true });
    const steps = plain.map((p, i) => p - start[i]);
    expect(Math.max(...steps.map(Math.abs))).toBeGreaterThan(1e-8);
    scaled.forEach((p, i) => {
      expect(Math.abs(p - start[i] - rates[i] * steps[i])).toBeLessThan(1e-14 * Math.max(1, Math.abs(p)));
    });
  });

  it("compiles like the interpreter, and does not move coordinates with rate 0", async () => {
    const [compiled, point] = await run(rule, 7, { rates: true });
    const [interpreted, other] = await run(rule, 7, { rates: true, interpret: true });
    for (let i = 0; i < COUNT; i++) {
      expect(Math.abs(compiled[i] - interpreted[i])).toBeLessThan(1e-12);
      expect(Math.abs(point[i] - other[i])).toBeLessThan(1e-12);
      if (rates[i] === 0) expect(compiled[i]).toBe(start[i]);
    }
  });
});

it("averages the visited points", async () => {
  const rule = g.chain(g.momentum({ rate: 0.1 }), g.averaging());
  const points = await Promise.all([1, 2, 3, 4, 5].map(async (steps) => (await run(rule, steps, { rates: true }))[0]));
  const [, average] = await run(rule, 5, { rates: true });
  for (let i = 0; i < COUNT; i++) expect(average[i]).toBeCloseTo(points.reduce((sum, p) => sum + p[i], 0) / 5, 12);
});

it("updates only the first coordinates if the step is limited to them", async () => {
  for (const interpret of [false, true]) {
    using runner = await g.RuleRunner.open(g.adamw({ rate: 0.1, decay: 0.5 }), { count: COUNT, start, interpret });
    runner.gradient().set(gradient(0));
    runner.step(1, { touched: 13 });
    const moved = [...runner.parameters()].map((p, i) => p !== start[i]);
    expect(moved).toEqual(Array.from({ length: COUNT }, (_, i) => i < 13));
  }
});
