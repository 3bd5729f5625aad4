/** Network files from untrusted sources, and plans with a few steps, for tests of their limits. */

import type { JsonObject } from "../../src/engine/contract/index.ts";
import { decode, encode } from "../../src/engine/files/safetensors.ts";
import type { ArrayPlan } from "../../src/engine/memory/array-plan.ts";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { Dataset, dense, fit, type NetworkPredictor, network, predictor, relu } from "../../src/entries/everything.ts";
import { MAX_MEMORY, MAX_WORK } from "../../src/predict/limits.ts";
import { NetworkPlan } from "../../src/predict/plan/network-plan.ts";

export const engine = await openEngine();
export const x = Array.from({ length: 20 }, (_, i) => [Math.sin(i), Math.cos(i), i / 20]);
export const rows = Dataset.fromArrays({ x, y: x.map(([a]) => (a > 0 ? "up" : "down")) });
const model = await fit(network([dense(4), relu(), dense(2)], { loss: "multinomial" }), rows, { epochs: 2, seed: 1 });
/** A valid file, and its outputs for the rows. */
export const bytes = model.toBytes();
export const wanted = model.outputs(rows);

export type Json = Record<string, never>;
/** The file with another plan. */
export function altered(change: (plan: Json) => void, description: JsonObject = {}): Uint8Array {
  const { tensors, metadata } = decode(bytes);
  const told = { ...JSON.parse(metadata.description), ...description };
  change(told.program);
  return encode(tensors, { ...metadata, description: JSON.stringify(told) });
}

export const predicted = async (
  file: Uint8Array,
  options: { maxWork?: number; maxMemory?: number } = {},
): Promise<Float64Array> => {
  using found = await predictor<NetworkPredictor>(file, options);
  return found.outputs(rows);
};

/** A plan of steps over a few values in its own memory. */
export const planOf = (values: readonly object[], steps: readonly object[]): ArrayPlan =>
  ({ version: 1, precision: "f32", values, steps }) as unknown as ArrayPlan;
export const z = { size: { B: 1, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } };
export const own = (size: unknown): object => ({ size, home: { kind: "workspace" } });
export const opened = (plan: ArrayPlan, maxWork = MAX_WORK, maxMemory = MAX_MEMORY) =>
  new NetworkPlan(engine, plan, {}, { apart: true, maxWork, maxMemory, where: "hostile" });
export const gemm = (args: readonly object[], repeat: readonly object[] = []) => ({
  kind: "kernel",
  calls: [{ kernel: "gemm", args, repeat }],
  result: 0,
});
export const number = (value: unknown) => ({ kind: "number", value });
export const value = (at: unknown, offset: unknown = 0) => ({ kind: "value", value: at, offset });
export const product = (m: number, n: number, k: number, a: object, b: object) =>
  [0, 0, m, n, k]
    .map(number)
    .concat([a, number(k), b, number(n), value(0), number(n), number(0), { kind: "scratch", bytes: 0 }] as never[]);
