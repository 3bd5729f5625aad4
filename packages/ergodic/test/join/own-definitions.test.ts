/**
 * Rules and losses that users define are known by name in checkpoints and saved models. Users can redefine their own
 * names, but not the library's.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { abs, add, mul, sign, softplus, sub } from "../../src/engine/compiler/index.ts";
import {
  chain,
  clipValue,
  cosineDecay,
  Dataset,
  fit,
  type HostRun,
  hostRule,
  huberLoss as huber,
  type LinearPredictor,
  linear,
  loss,
  lossFromJson,
  predictor,
  type Rule,
  rule,
  ruleFromJson,
} from "../../src/entries/everything.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

const facts = { summary: "a rule of the tests", source: "none" };
const signed = () =>
  rule(
    "signedMean",
    { rate: 0.01, beta: 0.9 },
    ({ g, rate, beta }, { m }) => {
      const mean = add(mul(beta, m), mul(sub(1, beta), g));
      return { state: { m: mean }, step: mul(rate, sign(mean)) };
    },
    facts,
  );
const plain = () =>
  hostRule(
    "plainDescent",
    { rate: 0.1 },
    (options, objective, count): HostRun => ({
      stateBytes: 0,
      step(x) {
        const gradient = new Float64Array(count);
        const value = objective(x, gradient);
        for (let i = 0; i < count; i++) x[i] -= (options.rate as number) * gradient[i];
        return { loss: value, stepSize: options.rate as number, evaluations: 1, stopped: null };
      },
      snapshot: () => ({ numbers: {}, arrays: {} }),
      restore: () => {},
    }),
    { ...facts, needs: () => "the whole objective", cost: () => ({ floatsPerParameter: 0, perStep: "a gradient" }) },
  );
const logCosh = (steepness = 1) =>
  loss(
    "ownLogCosh",
    { scale: 1 },
    ({ z, y, scale }) => {
      const r = mul(steepness, abs(sub(z, y)));
      return mul(scale, sub(add(r, softplus(mul(-2, r))), Math.LN2));
    },
    { task: "regression", link: "identity", curvature: 1 },
  );

const x = Array.from({ length: 120 }, (_, i) => [(i % 11) / 5 - 1, (i % 7) / 3 - 1]);
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => 2 * a - b + 0.5), names: ["a", "b"] });

describe("a run with user definitions", () => {
  const rules: [string, () => Rule, number | "all"][] = [
    ["an equation", () => signed()({ rate: cosineDecay({ rate: 0.05, updates: 200 }) }), 3],
    ["a link of a chain", () => chain(clipValue({ value: 0.5 }), signed()({ beta: 0.5 })), 3],
    ["a rule on the whole objective", () => plain()({ rate: 0.3 }), "all"],
  ];

  it.each(rules)("%s: resumes bit for bit after the same definitions were made again", async (_, make, batch) => {
    const options = { batch, seed: 4, deterministic: true };
    const start = (epochs: number) =>
      fit(linear({ loss: logCosh()({ scale: 0.7 }), l2: 1e-3 }), data, { ...options, rule: make(), epochs });
    const whole = await start(6);
    const half = start(3);
    await half;
    const path = join(folder, "own.checkpoint");
    await half.checkpoint(path);
    make();
    logCosh();
    const resumed = await fit.resume(path, data, { epochs: 6 });
    expect([...resumed.weights, ...resumed.intercept]).toEqual([...whole.weights, ...whole.intercept]);
    expect(resumed.description).toEqual(whole.description);
    expect((await half).weights).not.toEqual(whole.weights);
  });

  it("a saved model predicts without the definitions and names them", async () => {
    const model = await fit(linear({ loss: logCosh()({ scale: 2 }) }), data, { rule: signed()({ rate: 0.02 }), epochs: 2 });
    const path = join(folder, "own.safetensors");
    await model.save(path);
    const saved = await predictor<LinearPredictor>(path);
    expect(saved.predict(x)).toEqual(model.predict(x));
    expect(saved.description).toMatchObject({
      loss: { name: "ownLogCosh", scale: 2 },
      algorithm: { rule: { rule: "signedMean", options: { rate: 0.02, beta: 0.9 } } },
    });
  });
});

describe("names of definitions", () => {
  it("refuses the library's names", () => {
    for (const name of ["sgd", "stochasticLineSearch", "lbfgs", "chain"]) {
      expect(() => rule(name, {}, ({ g }) => ({ step: g }), facts)).toThrow(
        `rule: "${name}" is the name of a rule of this library; give yours another [NAME_TAKEN]`,
      );
    }
    expect(() => loss("hinge", {}, ({ z }) => z, { task: "regression", link: "identity" })).toThrow(
      'loss: "hinge" is the name of a loss of this library; give yours another [NAME_TAKEN]',
    );
    expect(lossFromJson({ name: "huber", delta: 3 }).equation).toBe(huber({ delta: 3 }).equation);
  });

  it("lets users redefine their names, and uses the last definition", () => {
    logCosh(1);
    logCosh(2);
    expect(lossFromJson("ownLogCosh").equation).toContain("2·");
    rule("again", { rate: 1 }, ({ g, rate }) => ({ step: mul(rate, g) }), facts);
    rule("again", { speed: 2 }, ({ g, speed }) => ({ step: mul(speed, g) }), facts);
    expect(ruleFromJson({ rule: "again", options: {} }).options).toEqual({ speed: 2 });
  });

  it("refuses undefined names and recommends importing the module that defines them", () => {
    expect(() => ruleFromJson({ rule: "never", options: {} })).toThrow(
      /"never" is neither a rule of this version nor one defined so far; if it is yours, first import the module that defines it \(known: adadelta, .*again/,
    );
    expect(() => lossFromJson("never")).toThrow(
      /"never" is neither a loss of this version nor one defined so far; if it is yours, first import the module that defines it \(known: .*ownLogCosh.*\[LOSS_UNKNOWN\]$/,
    );
  });

  it("requires facts about the definition", () => {
    const without = loss as unknown as (...given: unknown[]) => unknown;
    expect(() => without("bare", {}, ({ z }: { z: unknown }) => z)).toThrow(
      /^bare: the description of the loss is undefined, but must be its task and its link: write \{ task: "regression", link: "identity" \} \[OPTION_TYPE\]$/,
    );
    for (const define of [rule, hostRule] as unknown as ((...given: unknown[]) => unknown)[])
      expect(() => define("bare", {}, () => ({}))).toThrow(/^bare: the description of the rule is undefined, .*\[OPTION_TYPE\]$/);
  });
});
