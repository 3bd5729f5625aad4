/**
 * Networks of every kind, saved as plans and run without the compiler, agree with the interpreter in float64:
 * convolutions, recurrences, circulant blocks.
 */
import { expect, it } from "vitest";
import { input, interpret, type Shape } from "../../src/engine/compiler/array/index.ts";
import { encodePlan } from "../../src/engine/compiler/array/serialise.ts";
import { type ArrayPlan, planAt } from "../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { stream } from "../../src/engine/random/stream.ts";
import {
  circulantNet,
  cnn,
  dense,
  gru,
  lstm,
  mlp,
  mobileNetV2,
  sequential,
  shuffleNetV2,
} from "../../src/learning/models/neural/index.ts";
import type { LayerLike } from "../../src/learning/models/neural/scope.ts";
import { traceNetwork } from "../../src/learning/models/neural/trace.ts";
import { buffersOf } from "../../src/predict/plan/buffers.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";
import { showsResidue } from "../../src/predict/plan/residue.ts";

const engine = await openEngine();
const networks: Record<string, { readonly network: LayerLike; readonly shape: Shape }> = {
  mlp: { network: mlp([16, 8], { outputs: 4, normalised: true, dropout: 0.3 }), shape: [10] },
  cnn: { network: cnn({ outputs: 10, channels: [4, 6], hidden: 8 }), shape: [12, 12, 1] },
  mobileNetV2: { network: mobileNetV2({ outputs: 10, width: 0.25, form: "small" }), shape: [10, 10, 1] },
  shuffleNetV2: { network: shuffleNetV2({ outputs: 10, width: 0.5, form: "small" }), shape: [10, 10, 1] },
  circulantNet: { network: circulantNet({ outputs: 10, channels: [8, 8], hidden: 16 }), shape: [8, 8, 1] },
  gru: { network: sequential([gru(6), dense(3)]), shape: [5, 4] },
  lstm: { network: sequential([lstm(6), dense(3)]), shape: [5, 4] },
};

it.each(Object.keys(networks))("predicts like the interpreter: %s", (name) => {
  const { network, shape } = networks[name];
  const draws = stream(8, "network architectures", name).at(0);
  const traced = (rows: number) => traceNetwork(network, input("x", [rows, ...shape]));
  const { plan, constants } = encodePlan((batch) => ({
    name,
    precision: "f32",
    outputs: [{ value: traced(batch).output, buffer: "z", offset: 0 }],
  }));
  const { parameters, states } = traced(1);
  // The states include variances, which must be positive.
  const numbers: Record<string, Float64Array> = Object.fromEntries([
    ...parameters.map((p) => [
      String(p.input.attributes),
      Float64Array.from({ length: p.input.size }, () => 0.3 * draws.normal()),
    ]),
    ...states.map((s) => [String(s.input.attributes), Float64Array.from({ length: s.input.size }, () => 0.5 + draws.uniform())]),
  ]);
  using predictor = new NetworkPlan(engine, JSON.parse(JSON.stringify(plan)) as ArrayPlan, { ...constants, ...numbers });
  // Its memory must not need clearing before each call, which would be slow.
  for (const rows of [1, 3, 64]) expect(showsResidue(planAt(plan, rows), buffersOf(plan), rows, 4)).toBe(false);
  for (const rows of [1, 3]) {
    const x = Float64Array.from({ length: rows * predictor.rowSize("x") }, () => draws.normal());
    const [wanted] = interpret([traced(rows).output], { x, ...numbers });
    const { z } = predictor.run({ x }, rows);
    const size = Math.max(...wanted.map(Math.abs));
    expect(size).toBeGreaterThan(1e-3);
    expect(Math.max(...wanted.map((value, i) => Math.abs(z[i] - value))) / size, `${rows} rows`).toBeLessThan(1e-5);
  }
});
