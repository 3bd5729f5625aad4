/** The objective on sampled rows, compared with its formula. */
import { expect, it } from "vitest";
import type { Problem } from "../../../src/engine/contract/index.ts";
import { resolvePlan } from "../../../src/engine/loop/plan.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { linear, sgd } from "../../../src/entries/everything.ts";
import type { Descent } from "../../../src/learning/descent/descent.ts";
import { gradientDescent } from "../../../src/learning/descent/gradient-descent.ts";
import { SampledObjective } from "../../../src/learning/descent/sampled-objective.ts";
import { plantedRows } from "../../engine/loop/planted.ts";

it("computes loss plus penalties on all rows if there are fewer than its sample", async () => {
  const engine = await openEngine({ families: ["training"] });
  const small = plantedRows({ rows: 100, columns: 6, classes: 2, format: "dense" });
  const plan = resolvePlan("fit", { precision: "f64" }, engine.describe(), { batch: 1 });
  const model = linear({ standardise: false, l2: 0.3, l1: 0.05, intercept: false });
  const prepared = model.prepare(small.data, plan);
  const problem = model.bind(prepared.dataset, plan, engine) as Problem;
  const descent = (await gradientDescent({ rule: sgd() }).start(problem, plan, engine)) as Descent;
  const loss = new SampledObjective(descent.parts, engine, 4096);
  const w = [0.3, -0.2, 0, 1, 0.5, -1];
  const point = new Float64Array(problem.parameterCount);
  point.set(w);
  const losses = small.entries.map((row, i) => {
    const z = row.reduce((sum, [j, x]) => sum + x * w[j], 0);
    return Math.log1p(Math.exp(small.y[i] > 0 ? -z : z));
  });
  const penalty = w.reduce((sum, p) => sum + 0.05 * Math.abs(p) + 0.15 * p * p, 0);
  expect(loss.at(point)).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 100 + penalty, 10);
  loss.dispose();
  descent.dispose();
  problem.dispose();
  prepared.dispose();
  small.data.dispose();
});
