/**
 * Rules that PyTorch lacks agree with plain twins from the papers within 1e-12 over 300 updates on a perturbed
 * quadratic. Each side keeps its own states. The parameter is set to the twin's before each update, because computed
 * rates (Polyak's) amplify a rounding error without bound.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as g from "../../../src/engine/optimise/index.ts";
import { quadratic } from "../../golden/problems.ts";
import * as twins from "../../reference/step-rules.ts";

const start = quadratic.start;
const cases: [string, g.EquationRule, twins.Twin][] = [
  ["lion", g.lion({ rate: 0.01 }), twins.lionTwin(start, { eta: 0.01, beta1: 0.9, beta2: 0.99, lambda: 0 })],
  [
    "lion with decay",
    g.lion({ rate: 0.01, beta1: 0.95, beta2: 0.98, decay: 0.3 }),
    twins.lionTwin(start, { eta: 0.01, beta1: 0.95, beta2: 0.98, lambda: 0.3 }),
  ],
  ["schedule-free SGD", g.scheduleFreeSgd({ rate: 0.01 }), twins.scheduleFreeTwin(start, { gamma: 0.01, beta: 0.9 })],
  [
    "schedule-free Adam",
    g.scheduleFreeAdam({ rate: 0.02, decay: 0.1 }),
    twins.scheduleFreeTwin(start, { gamma: 0.02, beta: 0.9, lambda: 0.1, squares: { beta2: 0.999, epsilon: 1e-8 } }),
  ],
  [
    "schedule-free SGD after a warm-up, which rises",
    g.scheduleFreeSgd({ rate: g.warmUp({ rate: 0.01, updates: 50, from: 0.1 }) }),
    twins.scheduleFreeTwin(start, { gamma: (t) => 0.01 * (0.1 + 0.9 * Math.min(1, (t - 1) / 50)), beta: 0.9 }),
  ],
  [
    "schedule-free SGD on a rate that falls: the highest weighs",
    g.scheduleFreeSgd({ rate: g.inverseTimeDecay({ rate: 0.02, decay: 0.05 }) }),
    twins.scheduleFreeTwin(start, { gamma: (t) => 0.02 / (1 + 0.05 * (t - 1)), beta: 0.9 }),
  ],
  [
    "prodigy",
    g.prodigy({ distance: 1e-3 }),
    twins.prodigyTwin(start, { gamma: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, d0: 1e-3 }),
  ],
  ["polyak", g.polyak({ optimum: -1 }), twins.polyakTwin(start, { optimum: -1, maximum: 1e6 })],
  ["polyak, capped", g.polyak({ maximum: 0.005 }), twins.polyakTwin(start, { optimum: 0, maximum: 0.005 })],
  ["estimated polyak", g.polyakEstimated(), twins.polyakEstimatedTwin(start, { gap: 0.5, grow: 1.5, shrink: 0.5, patience: 3 })],
  ["SPS max", g.spsMax({ maximum: 0.01 }), twins.spsMaxTwin(start, { optimum: 0, c: 0.5, maximum: 0.01 })],
  ["ALI-G", g.aliG({ maximum: 0.01 }), twins.aliGTwin(start, { maximum: 0.01 })],
];

test.each(cases)("%s follows its paper", async (_, rule, twin) => {
  using runner = await g.RuleRunner.open(rule, { count: start.length, start, interpret: true });
  let worst = 0;
  for (let t = 1; t <= 300; t++) {
    const gradient = quadratic.gradient(twin.at, t);
    const loss = quadratic.value(twin.at);
    runner.parameters().set(twin.at);
    runner.gradient().set(gradient);
    runner.step(loss, { epochUpdates: 7 });
    twin.update(gradient, loss, 7);
    const ours = runner.evaluationPoint();
    twin.point().forEach((theirs, i) => {
      worst = Math.max(worst, Math.abs(ours[i] - theirs) / Math.max(1, Math.abs(theirs)));
    });
  }
  expect(worst).toBeLessThan(1e-12);
});

test("every rule with equations has a twin here or a PyTorch trace", () => {
  const { entries } = JSON.parse(readFileSync(new URL("../../golden/torch.json", import.meta.url), "utf8")) as {
    entries: { name: string }[];
  };
  // PyTorch calls averaging ASGD, and has weight decay as an option of its rules.
  const traced = [...entries.map(({ name }) => name), "averaging", "weightDecay"];
  const twinned = cases.map(([, rule]) => rule.name);
  const rules = Object.entries(g.ruleRegistry).filter(([, { make, convex }]) => make(convex).kind === "equation");
  expect(rules.map(([name]) => name).filter((name) => !traced.includes(name) && !twinned.includes(name))).toEqual([]);
});
