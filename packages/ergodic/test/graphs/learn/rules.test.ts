/** Every step rule of the registry, and every rate schedule, learns the weights of a graph or reports why it cannot. */
import { describe, expect, it } from "vitest";
import { add, mul, scalar, vector } from "../../../src/engine/compiler/index.ts";
import { readsLoss } from "../../../src/engine/optimise/cost.ts";
import { type RuleEntry, ruleRegistry } from "../../../src/engine/optimise/index.ts";
import type { EquationRule, Rule } from "../../../src/engine/optimise/kinds.ts";
import type { Schedule } from "../../../src/engine/optimise/schedule.ts";
import { scheduleNames } from "../../../src/engine/optimise/schedules/by-name.ts";
import {
  adam,
  constantRate,
  contrastiveDivergence,
  cosineDecay,
  exponentialDecay,
  fit,
  inverseTimeDecay,
  lbfgs,
  optimalRate,
  pseudoLikelihood,
  stepDecay,
  warmUp,
} from "../../../src/entries/everything.ts";
import { smallWorld } from "./small-worlds.ts";

const { graph, loss } = smallWorld(8);
const atStart = loss([0, 0, 0, 0, 0]).value;

/** The minimum of the pseudo-likelihood loss, for rules that require the optimum. */
const least = await fit(graph, { algorithm: pseudoLikelihood(), rule: lbfgs() }).then(({ run }) => run.loss);

function made({ make, convex, inChain }: RuleEntry): Rule {
  const rule = make("optimum" in (make() as { options?: object }).options! ? { ...convex, optimum: least } : convex);
  return inChain ? inChain(rule as Parameters<typeof inChain>[0]) : rule;
}

describe.each(Object.keys(ruleRegistry))("%s", (name) => {
  const rule = made(ruleRegistry[name]);

  it("climbs the pseudo-likelihood", async () => {
    const run = fit(graph, { algorithm: pseudoLikelihood(), rule, epochs: 100 });
    if (rule.kind === "search") return expect(run).rejects.toThrow(/searches on minibatches.*RULE_CAPABILITY/);
    const { weights } = await run;
    expect(loss(weights).value).toBeLessThan(atStart - 0.05);
  });

  it("descends the sampled gradient, or is refused if it reads losses", async () => {
    const run = fit(graph, { algorithm: contrastiveDivergence({ particles: 20 }), rule, epochs: 100 });
    if (rule.kind === "search") return expect(run).rejects.toThrow(/searches on minibatches.*RULE_CAPABILITY/);
    if (rule.kind !== "equation") return expect(run).rejects.toThrow(`${rule.name}() compares losses`);
    if (["polyak", "polyakEstimated", "spsMax", "aliG"].includes(name))
      return expect(run).rejects.toThrow(`${rule.name}() takes its rate from the loss`);
    const { weights } = await run;
    expect(loss(weights).value).toBeLessThan(atStart - 0.05);
  });
});

describe("rate schedules", () => {
  const schedules: [string, Schedule][] = [
    ["constantRate", constantRate({ rate: 0.05 })],
    ["inverseTimeDecay", inverseTimeDecay({ rate: 0.1, decay: 0.02 })],
    ["exponentialDecay", exponentialDecay({ rate: 0.1, factor: 0.98 })],
    ["stepDecay", stepDecay({ rate: 0.1, factor: 0.5, every: 50 })],
    ["cosineDecay", cosineDecay({ rate: 0.1, updates: 100 })],
    ["optimalRate", optimalRate({ alpha: 0.1 })],
    ["warmUp", warmUp({ rate: 0.1, updates: 10 })],
  ];

  it("are all tested here", () => {
    expect(schedules.map(([name]) => name).sort()).toEqual(scheduleNames().sort());
  });

  it.each(schedules)("lower the loss: %s", async (_, rate) => {
    const { weights } = await fit(graph, {
      algorithm: contrastiveDivergence({ particles: 20 }),
      rule: adam({ rate }),
      epochs: 100,
    });
    expect(loss(weights).value).toBeLessThan(atStart - 0.05);
  });
});

it.each([
  ["nothing", {}, false],
  ["the step", { step: mul(scalar("loss"), vector("g")) }, true],
  ["a state", { states: [{ name: "m", initial: 0, next: add(vector("m"), scalar("loss")) }] }, true],
  ["a scalar", { scalars: [{ name: "s", initial: 0, next: mul(scalar("loss"), 2) }] }, true],
])("detects that a rule reads the loss in %s", (_, part, reads) => {
  const trace = () => ({ step: vector("g"), states: [], scalars: [], ...part });
  expect(readsLoss({ trace } as unknown as EquationRule)).toBe(reads);
});
