/**
 * The effect of a rule on the parameters of a network: frozen, shared, grouped and penalised ones, and running
 * statistics.
 */
import { describe, expect, it } from "vitest";
import {
  adamw,
  averaging,
  batchNorm,
  chain,
  Dataset,
  dense,
  type FitOptions,
  fit,
  frozen,
  grouped,
  type LayerLike,
  layerNorm,
  momentum,
  type NetworkOptions,
  network,
  ones,
  relu,
  sequential,
  sgd,
} from "../../../../src/entries/everything.ts";
import { numbersOf, signs, small, startOf } from "./small-networks.ts";

describe("untrained parameters", () => {
  /** Returns the change of each parameter from its initial value. */
  async function moved(layers: LayerLike, options: NetworkOptions, run: FitOptions): Promise<Record<string, number>> {
    using data = signs(96);
    const before = await startOf(network(layers, options), data, small.seed);
    const after = numbersOf(await fit(network(layers, options), data, { ...small, ...run }));
    return Object.fromEntries(
      Object.entries(before).map(([name, values]) => [name, Math.max(...values.map((v, i) => Math.abs(v - after[name][i])))]),
    );
  }
  const runs: [string, FitOptions][] = [
    ["AdamW", { rule: adamw({ rate: 0.01, decay: 0.1 }) }],
    ["AdamW on full gradients", { rule: adamw({ rate: 0.01, decay: 0.1 }), batch: "all" }],
    ["an average", { rule: chain(sgd({ rate: 0.1 }), averaging()) }],
    ["an average on full gradients", { rule: chain(sgd({ rate: 0.1 }), averaging()), batch: "all" }],
    ["replicas", { rule: momentum({ rate: 0.05 }), replicas: 3 }],
  ];

  it.each(runs)("stay constant in frozen layers: %s", async (_, run) => {
    const layers = sequential([frozen(dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const by = await moved(layers, { l2: 0.1 }, run);
    expect(by["first.weight"]).toBe(0);
    expect(by["last.weight"]).toBeGreaterThan(1e-3);
  });

  it.each(runs)("stay constant in groups of rate 0: %s", async (_, run) => {
    const layers = sequential([grouped("slow", dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const by = await moved(layers, { rates: { slow: 0 } }, run);
    expect(by["first.weight"]).toBe(0);
    expect(by["last.weight"]).toBeGreaterThan(1e-3);
  });

  it.each([false, true])("follow the rates of groups; on full gradients: %s", async (all) => {
    const layers = sequential([
      grouped("slow", dense(6, { name: "first" })),
      relu(),
      grouped("quick", dense(1, { name: "last" })),
    ]);
    // One update from the start, where the gradients are equal.
    const run: FitOptions = {
      rule: sgd({ rate: 0.1 }),
      epochs: undefined,
      until: { updates: 1 },
      precision: "f64",
      ...(all ? { batch: "all" as const } : {}),
    };
    const plain = await moved(layers, {}, run);
    const scaled = await moved(layers, { rates: { slow: 0.25, quick: 2 } }, run);
    expect(plain["first.weight"]).toBeGreaterThan(1e-3);
    expect(scaled["first.weight"] / plain["first.weight"]).toBeCloseTo(0.25, 4);
    expect(scaled["last.weight"] / plain["last.weight"]).toBeCloseTo(2, 4);
  });

  it("keep a group's average within its own points", async () => {
    using data = signs(96);
    const layers = sequential([grouped("slow", dense(6, { name: "first" })), relu(), dense(1, { name: "last" })]);
    const options = { ...small, precision: "f64" as const, epochs: undefined, until: { updates: 1 } };
    const model = (rule: FitOptions["rule"]) => fit(network(layers, { rates: { slow: 0.5 } }), data, { ...options, rule });
    // After one update the average is the point itself.
    const averaged = numbersOf(await model(chain(sgd({ rate: 0.1 }), averaging())));
    expect(averaged).toEqual(numbersOf(await model(sgd({ rate: 0.1 }))));
  });
});

describe("parameters of one layer in two places", () => {
  it("are stored once", async () => {
    using data = signs(96);
    const shared = dense(3, { name: "shared" });
    const model = await fit(network([shared, relu(), shared, dense(1, { name: "last" })]), data, small);
    expect(Object.keys(numbersOf(model)).filter((name) => !name.startsWith("constant"))).toEqual([
      "shared.weight",
      "shared.bias",
      "last.weight",
      "last.bias",
    ]);
    expect(model.description.parameters).toBe(3 * 3 + 3 + 3 + 1);
  });
});

describe("L2", () => {
  it("shrinks weights, but not biases and norms", async () => {
    // x is 0, and y equals the biases, so the loss has no gradient and only the penalty moves parameters.
    using data = Dataset.fromArrays({ x: [[0], [0], [0], [0]], y: [1, 1, 1, 1] });
    const layers = sequential([
      dense(3, { name: "first", initialBias: ones() }),
      layerNorm({ name: "norm" }),
      dense(1, { name: "last", initialBias: ones() }),
    ]);
    const model = network(layers, { loss: "squared", l2: 0.2, standardise: false });
    const before = await startOf(model, data, 3);
    const after = numbersOf(
      await fit(model, data, { rule: sgd({ rate: 0.5 }), batch: 4, precision: "f64", seed: 3, until: { updates: 1 } }),
    );
    const names = ["first.weight", "first.bias", "norm.scale", "norm.shift", "last.weight", "last.bias"];
    const shrunk = (name: string) => after[name].map((v, i) => v - (name.endsWith("weight") ? 0.9 : 1) * before[name][i]);
    for (const name of names) for (const off of shrunk(name)) expect(Math.abs(off), name).toBeLessThan(1e-6);
  });
});

describe("running statistics", () => {
  it("keep the values of the last update, whatever a rule averages", async () => {
    using data = signs(96, "f64");
    const layers = sequential([batchNorm({ name: "norm" }), dense(1, { name: "last" })]);
    const options: FitOptions = { ...small, precision: "f64" };
    // The rate is so small that the layers stay constant, but statistics of the inputs still change.
    const rule = sgd({ rate: 1e-12 });
    const plain = await fit(network(layers), data, { ...options, rule });
    const averaged = await fit(network(layers), data, { ...options, rule: chain(rule, averaging()) });
    const rows = [{ x0: 0.3, x1: -2, x2: 1 }];
    expect(averaged.predict(rows)[0].probabilities!.same).toBeCloseTo(plain.predict(rows)[0].probabilities!.same, 6);
    // The statistics have changed: after one update the prediction differs.
    const early = await fit(network(layers), data, { ...options, rule, epochs: undefined, until: { updates: 1 } });
    expect(Math.abs(early.predict(rows)[0].probabilities!.same - plain.predict(rows)[0].probabilities!.same)).toBeGreaterThan(
      1e-3,
    );
  });
});
