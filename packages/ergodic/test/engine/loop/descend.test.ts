/**
 * kernels/engine/optimise/descend.ts, driven like the loop does, agrees with its plain twin in float64: formats, short
 * last batches (also of one row), schedules, control variates, penalties, rules with and without state, and one and
 * three outputs.
 */
import { describe, expect, it } from "vitest";
import type { Plan, Progression } from "../../../src/engine/contract/index.ts";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import {
  adagrad,
  adam,
  averaging,
  chain,
  type EquationRule,
  inverseTimeDecay,
  momentum,
  polyak,
  prodigy,
  sag,
  saga,
  scheduleFreeSgd,
  sgd,
  svrg,
  type Variance,
} from "../../../src/entries/everything.ts";
import { gradientDescent } from "../../../src/learning/descent/gradient-descent.ts";
import { LinearProblem } from "../../../src/learning/models/linear/problem.ts";
import { logisticLoss as logistic, multinomialLoss as multinomial } from "../../../src/learning/models/losses/index.ts";
import { descendTwin, type LaneTwin } from "../../reference/descend.ts";
import { drawRows, shuffle } from "../../reference/shuffle.ts";
import { type Format, plantedRows } from "./planted.ts";

const engine = await openEngine();
const ROWS = 23;
const COLUMNS = 6;

interface Setting {
  format: Format;
  outputs: 1 | 3;
  batch: number;
  rule: EquationRule;
  variance?: Variance;
  schedule: Plan["schedule"];
  /** Whether the rule needs every coordinate or averages iterates, so that sparse gradients become dense. */
  dense?: boolean;
  l1?: number;
  l2?: number;
}

const base: Setting = { format: "dense", outputs: 1, batch: 1, rule: sgd({ rate: 0.1 }), schedule: "shuffled" };
const settings: [string, Setting][] = [];
for (const format of ["dense", "sparse"] as const) {
  const add = (name: string, given: Partial<Setting>): unknown =>
    settings.push([`${format}, ${name}`, { ...base, format, ...given }]);
  for (const batch of [1, 4, 11, 23]) add(`batch ${batch}`, { batch });
  for (const schedule of ["ordered", "blocks", "replacement"] as const)
    add(schedule, { schedule, batch: schedule === "blocks" ? 1 : 4 });
  for (const variance of [saga(), sag(), svrg(), svrg({ every: 1 })]) {
    for (const batch of [1, 4]) add(`${variance.name}, batch ${batch}, l1 and l2`, { variance, batch, l1: 0.01, l2: 0.02 });
    add(`${variance.name}, three outputs, batch 11`, { variance, outputs: 3, batch: 11, l2: 0.02 });
  }
  for (const rule of [
    momentum({ rate: 0.05 }),
    adagrad({ rate: 0.1 }),
    adam({ rate: 0.05 }),
    polyak(),
    scheduleFreeSgd({ rate: 0.2 }),
  ]) {
    const dense = rule.name === "scheduleFreeSgd";
    add(rule.name, { rule, dense });
    add(`${rule.name}, three outputs, batch 4`, { rule, dense, outputs: 3, batch: 4, l2: 0.01 });
  }
  add("prodigy", { rule: prodigy(), dense: true, l2: 0.01 });
  add("averaged, decaying", {
    rule: chain(sgd({ rate: inverseTimeDecay({ rate: 0.5, decay: 0.1 }) }), averaging({ start: 10 })),
    dense: true,
    l2: 0.1,
  });
  add("a rate that would overshoot rare coordinates", { rule: momentum({ rate: 1.5, momentum: 0.1 }), l2: 0.3 });
  // Plain descent stores L2 as a scale, so every coordinate shrinks at every update on sparse rows, too.
  for (const batch of [1, 4])
    add(`plain descent with l2, batch ${batch}`, { rule: sgd({ rate: 0.3 }), batch, l2: 0.3, dense: true });
  // (1 − 0.45)^69 is far below the scale at which it is applied to the parameters.
  add("plain descent with a strong l2, three outputs", { rule: sgd({ rate: 0.9 }), outputs: 3, l2: 0.5, dense: true });
  add("plain descent with l2 at a decaying rate", {
    rule: sgd({ rate: inverseTimeDecay({ rate: 0.5, decay: 0.1 }) }),
    l2: 0.2,
    dense: true,
  });
  add("l1 alone", { l1: 0.03 });
}

function lossTwin(z: number[], y: number): { value: number; dz: number[] } {
  if (z.length === 1) {
    const s = y > 0 ? 1 : -1;
    const m = -s * z[0];
    return { value: Math.max(0, m) + Math.log1p(Math.exp(-Math.abs(m))), dz: [-s / (1 + Math.exp(-m))] };
  }
  const top = Math.max(...z);
  const e = z.map((v) => Math.exp(v - top));
  const total = e.reduce((a, b) => a + b);
  return { value: top + Math.log(total) - z[y], dz: e.map((v, k) => v / total - Number(k === y)) };
}

function orderTwin({ schedule, batch }: Setting, seed: number): LaneTwin["order"] {
  const rows = stream(seed, "rows", 0);
  if (schedule === "replacement") {
    return (_, from) =>
      Array.from({ length: Math.ceil(ROWS / batch) }, (_, u) =>
        drawRows(Math.min(batch, ROWS - u * batch), 0, ROWS, rows, from + u),
      ).flat();
  }
  const kinds = { ordered: "in order", shuffled: "shuffled", blocks: "blocks" } as const;
  return (epoch) => shuffle(0, ROWS, kinds[schedule], 5, rows, epoch);
}

describe("updates compared with the twin", () => {
  it.each(settings)("match the twin: %s", async (_, setting) => {
    const { format, outputs, batch, rule, variance, schedule, dense = false, l1 = 0, l2 = 0 } = setting;
    const planted = plantedRows({ rows: ROWS, columns: COLUMNS, classes: outputs === 3 ? 3 : 2, format });
    using data = planted.data;
    const plan = resolvePlan(
      "test",
      { batch, schedule, ...(schedule === "blocks" ? { blockRows: 5 } : {}), precision: "f64", seed: 9, deterministic: true },
      engine.describe(),
      { batch: 1 },
    );
    const problem = new LinearProblem(data, engine, {
      loss: outputs === 3 ? multinomial() : logistic(),
      outputs,
      intercept: true,
      l1,
      l2,
      group: 0,
      groups: [],
      nonNegative: false,
      penaltyWeights: undefined,
      classWeights: undefined,
      model: "f64",
      deterministic: true,
    });
    const progression: Progression = await gradientDescent({ rule, variance }).start(problem, plan, engine);
    const EPOCHS = 3;
    let lossSum = 0;
    while (progression.step < EPOCHS * progression.stepsPerEpoch) lossSum += (await progression.advance(7)).lossSum;
    const twin = descendTwin(
      {
        rows: planted.entries.map((row) => [...row, [COLUMNS, 1] as const]),
        y: planted.y,
        outputs,
        stride: problem.stride,
        loss: lossTwin,
        rule,
        variance: variance?.name,
        sparse: format === "sparse" && !dense,
        l1,
        l2,
        penaltyWeights: Array.from(problem.penalty.weights),
        damped: (largestShare) => (typeof rule.options.rate === "number" ? rule.options.rate : Infinity) * l2 * largestShare > 1,
        batch,
        order: orderTwin(setting, 9),
      },
      EPOCHS,
    );
    const found = progression.parameters();
    const largest = Math.max(...twin.evaluation.map(Math.abs));
    expect(largest).toBeGreaterThan(1e-4);
    const apart = Math.max(...twin.evaluation.map((p, j) => Math.abs(p - found[j])));
    expect(apart).toBeLessThanOrEqual(1e-12 * largest);
    expect(Math.abs(lossSum - twin.lossSum)).toBeLessThanOrEqual(1e-12 * Math.abs(twin.lossSum));
    if (l1 > 0) expect([...found].map((p) => p === 0)).toEqual(twin.evaluation.map((p) => p === 0));
    progression.dispose();
    problem.dispose();
  });
});
