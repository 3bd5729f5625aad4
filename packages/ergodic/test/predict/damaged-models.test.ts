/**
 * Model files that are damaged, foreign, or edited are refused with a message before they are used. Older files are
 * read.
 */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/engine/contract/index.ts";
import { DataError } from "../../src/engine/errors/errors.ts";
import { checksumOf, FILE_VERSION } from "../../src/engine/files/described-file.ts";
import { decode, encode, type Tensor } from "../../src/engine/files/safetensors.ts";
import {
  type Dataset as Data,
  Dataset,
  dense,
  factorisation,
  fit,
  type LinearPredictor,
  lbfgs,
  linear,
  loss,
  network,
  Ratings,
} from "../../src/entries/everything.ts";
import * as losses from "../../src/learning/models/losses/index.ts";
import { libraryLosses } from "../../src/predict/check-outputs.ts";
import { predictor } from "../../src/predict/load.ts";

const x = [[1, 2, 3], [2, 1, 0], [0, 1, 1], [3, 3, 1], [1, 0, 2], [2, 2, 2]]; // biome-ignore format: rows
const texts = ["p", "q", "p", "q", "p", "q"];
const classes = Dataset.fromArrays({ x, y: texts, names: ["a", "b", "c"], source: "six.csv" });
const binary = (await fit(linear(), classes, { epochs: 1 })).toBytes();

type Change = (parts: { description: JsonObject; tensors: Record<string, Tensor>; metadata: Record<string, string> }) => void;

/** Applies a change to the file, and keeps the old checksum unless the change removes it. */
function changed(bytes: Uint8Array, change: Change, sum = false): Uint8Array {
  const { tensors, metadata } = decode(bytes);
  const parts = { description: JSON.parse(metadata.description) as JsonObject, tensors, metadata: { ...metadata } };
  change(parts);
  if (!sum) delete parts.metadata.checksum;
  return encode(parts.tensors, { ...parts.metadata, description: JSON.stringify(parts.description) });
}

async function refusal(bytes: Uint8Array): Promise<DataError> {
  try {
    await predictor(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return error as DataError;
  }
  throw new Error("it was loaded");
}

const weights =
  (values: Float64Array | Float32Array, shape: number[]): Change =>
  ({ tensors }) =>
    void (tensors.weights = { shape, values });
const set =
  (more: JsonObject): Change =>
  ({ description }) =>
    void Object.assign(description, more);
const step =
  (k: number, more: JsonObject): Change =>
  ({ description }) =>
    void Object.assign((description.pipeline as JsonObject[])[k], more);

describe("damaged linear models", () => {
  const cases: [string, Change, RegExp][] = [
    ["with NaN weights", weights(Float64Array.of(1, Number.NaN, 3), [1, 3]), /NaN in "weights" at 1/],
    ["with a last weight of ∞", weights(Float32Array.of(1, 2, Infinity), [1, 3]), /model has Infinity in "weights" at 2,/],
    ["with a first weight of −∞", weights(Float64Array.of(-Infinity, 2, 3), [1, 3]), /model has -Infinity in "weights" at 0,/],
    ["with a weight for three columns", weights(Float64Array.of(1), [1, 1]), /1 numbers in "weights", but 3 are wanted/],
    [
      "with weights of another shape",
      weights(Float64Array.of(1, 2, 3), [3, 1]),
      /"weights" of shape \[3, 1\], but \[1, 3\] is wanted/,
    ],
    [
      "with weights of whole numbers",
      ({ tensors }) => void (tensors.weights = { shape: [1, 3], values: Int32Array.of(1, 2, 3) }),
      /no tensor "weights" of floats/,
    ],
    [
      "with an intercept without a shape",
      ({ tensors }) => void (tensors.intercept = { ...tensors.intercept, shape: [] }),
      /"intercept" of shape \[\], but \[1\] is wanted/,
    ],
    ["without an intercept", ({ tensors }) => void delete tensors.intercept, /no tensor "intercept"/],
    ["with another link", set({ link: "identity" }), /link "identity", which does not fit task "binary"/],
    ["with the link of another loss", set({ link: "sign" }), /which do not fit loss "logistic"/],
    ["with a link that is none", set({ link: "constructor" }), /link "constructor"/],
    ["with another task", set({ task: "regression" }), /has link|has classes|which do not fit loss/],
    ["with a task that is none", set({ task: "toString" }), /task "toString", which is unknown/],
    ["with another loss", set({ loss: { name: "squared" } }), /which do not fit loss "squared"/],
    ["with a loss that is none", set({ loss: null }), /loss null, which is unknown/],
    ["with a loss of no numbers", set({ loss: { name: "mine", delta: null } }), /null for "delta" of its loss/],
    ["with one class", set({ target: { name: "y", levels: ["a"] } }), /2 names are wanted/],
    ["with the same class twice", set({ target: { name: "y", levels: ["a", "a"] } }), /the same class twice/],
    [
      "with a class too many, in its pipeline too",
      ({ description }) => {
        const levels = ["p", "q", "q"];
        description.target = { name: "y", levels };
        (description.pipeline as JsonObject[])[0].target = { name: "y", kind: "category", levels };
      },
      /2 names are wanted/,
    ],
    [
      "with other classes than its pipeline",
      set({ target: { name: "y", levels: ["a", "b"] } }),
      /other classes than its pipeline/,
    ],
    [
      "with one output for several classes",
      ({ description }) => {
        const target = { name: "y", levels: ["a"] };
        Object.assign(description, { task: "multiclass", link: "softmax", loss: { name: "mine" }, outputs: 1, target });
        (description.pipeline as JsonObject[])[0].target = { ...target, kind: "category" };
      },
      /1 outputs, which does not fit task "multiclass"/,
    ],
    ["without a target", set({ target: null }), /no named target/],
    ["with two outputs", set({ outputs: 2 }), /2 outputs, which does not fit task/],
    [
      "with an offset for several classes",
      ({ description, tensors }) => {
        const target = { name: "y", levels: ["p", "q", "r"] };
        Object.assign(description, { task: "multiclass", link: "softmax", loss: { name: "multinomial" }, outputs: 3, target });
        Object.assign((description.pipeline as JsonObject[])[0], { target: { ...target, kind: "category" }, offset: "o" });
        tensors.weights = { shape: [3, 3], values: new Float64Array(9) };
        tensors.intercept = { shape: [3], values: new Float64Array(3) };
      },
      /has an offset, but several outputs/,
    ],
    ["without a pipeline", set({ pipeline: null }), /is not a list of steps/],
    ["with a step that is none", step(0, { kind: "constructor" }), /there is no first step "constructor"/],
    ["with columns that are none", step(0, { columnCount: -3 }), /a format and a number of columns/],
    [
      "with more columns than weights",
      step(0, { columnCount: 2 ** 40, names: null }),
      /3 numbers in "weights", but 1099511627776 are wanted/,
    ],
  ];
  it.each(cases)("refuses a model %s", async (_, change, words) => {
    const error = await refusal(changed(binary, change));
    expect(error.message).toMatch(words);
    expect(error.code).toMatch(/^(MODEL_FORMAT|PIPELINE_STEP)$/);
  });

  it.each([undefined, "abc", "", "-1", "0", "1.5", "Infinity"])("refuses version %j", async (version) => {
    const bytes = changed(binary, ({ metadata }) => {
      if (version === undefined) delete metadata.version;
      else metadata.version = version;
    });
    const error = await refusal(bytes);
    expect(error.code).toBe("MODEL_FORMAT");
    expect(error.message).toMatch(/^model: has (no version|version ".*"), but a whole number from 1 is wanted/);
  });

  it("refuses the version after the current one", async () => {
    const error = await refusal(changed(binary, ({ metadata }) => void (metadata.version = String(FILE_VERSION + 1))));
    expect(error.code).toBe("MODEL_VERSION");
    expect(error.message).toMatch(/^model: has format version 3, but this library reads up to 2; update ergodic/);
  });

  it("refuses a description that is nested too deeply, or not an object", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const { tensors, metadata } = decode(binary);
    for (const description of [deep, `{"plan":${deep}}`, "[]", "null", "7"]) {
      const error = await refusal(encode(tensors, { ...metadata, description }));
      expect(error.message).toMatch(/has a description that is (not an object|nested more than 500 levels deep)/);
      expect(error.code).toBe("MODEL_FORMAT");
    }
  });
});

describe("damaged pipeline steps", () => {
  const table = {
    source: "t.csv",
    rowCount: 4,
    columns: [
      { name: "k", kind: "category" as const, levels: ["a", "b"], codes: Int32Array.of(0, 1, 0, -1) },
      { name: "y", kind: "number" as const, values: Float64Array.of(1, 2, 3, 4) },
    ],
  };
  const cases: [string, number, JsonObject, RegExp][] = [
    ["a column without a name", 0, { columns: [{ kind: "number" }] }, /columns with a name and a kind each/],
    ["levels that are numbers", 0, { columns: [{ name: "k", kind: "category", levels: [1, 2] }] }, /columns with a name/],
    ["a target that is none", 0, { target: { name: "y", kind: "category" } }, /lacks a target or a type/],
    ["weights that are no name", 0, { weights: 3 }, /a source, and weights or null/],
    ["a fill that is no level", 1, { fills: [2] }, /fills that are levels of their columns/],
    ["a fill that is no number", 1, { fills: ["a"] }, /fills that are finite numbers/],
    ["a format that is none", 2, { format: "toString" }, /a format/],
    ["a scale of 0", 3, { scale: [0, 1] }, /scales that are finite and above 0/],
    ["a scale that is none", 3, { scale: [null, 1] }, /scales that are finite/],
    ["a centre that is none", 3, { centre: "ab" }, /centres that are finite/],
    [
      "cells that are standardised",
      1,
      { kind: "standardise", by: "sd", centre: null, scale: [1] },
      /columns of numbers before it/,
    ],
  ];
  it.each(cases)("refuses %s", async (_, at, more, words) => {
    using data = Dataset.fromTable(table, { target: "y", impute: "mode" });
    const bytes = (await fit(linear({ standardise: true }), data, { epochs: 1 })).toBytes();
    const error = await refusal(changed(bytes, step(at, more)));
    expect(error.message).toMatch(words);
  });
});

describe("damaged models of other kinds", () => {
  const ratings = Ratings.fromTriples({ users: ["a", "b", "a"], items: ["x", "x", "y"], values: [1, 2, 3] });
  const cases: [string, Change, RegExp][] = [
    ["a rank that is none", set({ rank: 0 }), /rank 0, but a whole number from 1/],
    ["users that are none", set({ users: [null, "b"] }), /users that are not a list of names/],
    ["a user twice", set({ users: ["a", "a"] }), /the same name twice among its users/],
    ["a user twice, once as a number", set({ users: ["1", 1] }), /the same name twice among its users/],
    ["a user whose name is empty", set({ users: ["", "b"] }), /users that are not a list of names/],
    ["users that are too few", set({ users: ["a"] }), /4 numbers in "users", but 2 are wanted/],
    ["a mean that is none", set({ mean: null }), /mean null, but a number is wanted/],
    ["another task", set({ task: "preference" }), /which do not fit task "preference"/],
    ["no penalty", set({ l2: 0 }), /no penalty above 0/],
    ["a penalty times 0", set({ scale: 0 }), /no penalty above 0/],
  ];
  it.each(cases)("refuses a factorisation with %s", async (_, change, words) => {
    const bytes = (await fit(factorisation({ rank: 2 }), ratings, { epochs: 1 })).toBytes();
    expect((await refusal(changed(bytes, change))).message).toMatch(words);
  });

  const nets: [string, Change, RegExp][] = [
    ["no plan", set({ program: null }), /has no plan/],
    ["rows that are smaller", set({ rowShape: [2] }), /rows of 2 numbers, but its pipeline makes 3 columns/],
    ["rows that are larger", set({ rowShape: [2, 2] }), /rows of 4 numbers, but its pipeline makes 3 columns/],
    [
      "parameters of another shape",
      ({ description }) => void Object.assign(description.shapes as JsonObject, { "0.weight": [7, 7] }),
      /numbers in "0.weight" of shape/,
    ],
    ...[null, 4, "4", { length: 1 }].map((shape): [string, Change, RegExp] => [
      `parameters whose shape is ${JSON.stringify(shape)}`,
      ({ description }) => void Object.assign(description.shapes as JsonObject, { "0.weight": shape }),
      /numbers in "0.weight" of shape/,
    ]),
    ["NaN parameters", ({ tensors }) => void tensors["0.weight"].values.fill(Number.NaN as never), /NaN in "0.weight" at 0/],
    [
      "outputs that its plan does not give",
      ({ description, tensors: _ }) =>
        void Object.assign(description, {
          outputs: 3,
          task: "multiclass",
          link: "softmax",
          loss: { name: "mine" },
          target: { name: "y", levels: ["p", "q", "r"] },
        }),
      /other classes than its pipeline|does not give 3 outputs/,
    ],
  ];
  it.each(nets)("refuses a network with %s", async (_, change, words) => {
    const bytes = (await fit(network([dense(1)], { loss: "logistic" }), classes, { epochs: 1 })).toBytes();
    expect((await refusal(changed(bytes, change))).message).toMatch(words);
  });

  it("keeps the cause of an unforeseen error", async () => {
    const bytes = changed(binary, ({ description }) => {
      description.pipeline = [{ kind: "numbers", get: "x" }];
    });
    expect((await refusal(bytes)).code).toBe("PIPELINE_STEP");
    const hashed = changed(binary, ({ description }) => {
      const [source] = description.pipeline as JsonObject[];
      description.pipeline = [source, { kind: "hash", bits: 99 }];
    });
    const error = await refusal(hashed);
    expect([error.code, (error.cause as Error).name]).toEqual(["MODEL_FORMAT", "OptionError"]);
    expect(error.message).toMatch(/^model: holds a model that cannot be constructed \(hash: bits is 99/);
  });
});

describe("model checksum", () => {
  it("finds any flipped bit in the numbers, and explains how to change them on purpose", async () => {
    for (const at of [binary.length - 1, binary.length - 8, binary.length - 30]) {
      const flipped = binary.slice();
      flipped[at] ^= 1;
      const error = await refusal(flipped);
      expect(error.code).toBe("MODEL_FORMAT");
      expect(error.message).toMatch(/holds changed numbers: their checksum is murmur3:\w{8}, but was murmur3:\w{8}/);
    }
  });

  it("distinguishes names, shapes and types with the same bytes", () => {
    const of = (name: string, shape: number[], values: Tensor["values"]): string => checksumOf({ [name]: { shape, values } });
    const zeros = new Float64Array(6);
    const sums = [
      of("a", [2, 3], zeros),
      of("a", [3, 2], zeros),
      of("a", [6], zeros),
      of("b", [2, 3], zeros),
      of("a", [12], new Float32Array(12)),
      of("a", [12], new Uint32Array(12).fill(1)),
    ];
    expect(new Set(sums).size).toBe(sums.length);
    expect(of("a", [2, 3], new Float64Array(8).subarray(1, 7))).toBe(sums[0]);
  });

  it("does not depend on tensor order, and is optional in older files", async () => {
    const { tensors, metadata } = decode(binary);
    const found = await predictor<LinearPredictor>(encode({ intercept: tensors.intercept, weights: tensors.weights }, metadata));
    expect(found.predict({ a: 1, b: 2, c: 3 })).toEqual((await predictor<LinearPredictor>(binary)).predict({ a: 1, b: 2, c: 3 }));
    const { checksum, ...older } = metadata;
    expect(checksum).toMatch(/^murmur3:/);
    const names = { ...JSON.parse(metadata.description), columns: ["a", "b", "c"] };
    const old = await predictor(encode(tensors, { ...older, description: JSON.stringify(names) }));
    expect(old.description.columns).toEqual(["a", "b", "c"]);
    // The columns are part of the description, also in copies and JSON.
    expect(JSON.parse(JSON.stringify(old.description)).columns).toEqual(["a", "b", "c"]);
    expect({ ...old.description }.columns).toEqual(["a", "b", "c"]);
    expect(old.toBytes()).toEqual(binary);
  });

  it("is recomputed for weights changed after loading, while non-finite weights are not saved", async () => {
    const found = await predictor<LinearPredictor>(binary);
    found.weights[0] = 5;
    expect((await predictor<LinearPredictor>(found.toBytes())).weights[0]).toBe(5);
    found.weights[1] = Infinity;
    expect(() => found.toBytes()).toThrow(/Infinity in "weights" at 1, .*\[MODEL_FORMAT\]/);
  });
});

describe("model bytes for any number of workers", () => {
  it.each([
    ["replicas", linear(), { replicas: 4 }],
    ["all rows", linear(), { rule: lbfgs(), precision: "f64" as const }],
    ["a network", network([dense(1)], { loss: "logistic" }), { replicas: 2, batch: 2 }],
  ])("are equal for one and two workers: %s", async (_, model, options) => {
    const bytes = async (workers: number): Promise<Uint8Array> =>
      (
        await fit(model as ReturnType<typeof linear>, classes as Data, {
          ...options,
          workers,
          epochs: 2,
          seed: 1,
          deterministic: true,
        })
      ).toBytes();
    expect(Buffer.from(await bytes(2)).equals(Buffer.from(await bytes(1)))).toBe(true);
  });

  it("records workers that race on one model", async () => {
    const racing = await fit(linear(), classes, { workers: 2, replicas: "shared", epochs: 1 });
    const { metadata } = decode(racing.toBytes());
    expect(JSON.parse(metadata.description).plan).toMatchObject({ replicas: "shared", workers: 2 });
  });
});

it("predictors expect the tasks and outputs of the library's losses, and refuse a loss without prediction", () => {
  const made = Object.values(losses).filter((one) => typeof one === "function" && one.length === 0 && /^[a-z]/.test(one.name));
  expect(made.length).toBeGreaterThan(0);
  for (const [name, { task, one, several }] of Object.entries(libraryLosses)) {
    const found = (losses as unknown as Record<string, () => ReturnType<typeof losses.squaredLoss>>)[`${name}Loss`]();
    expect([found.name, found.task]).toEqual([name, task]);
    expect(found.joint === true ? several : one).toBe(found.link);
    if ((found.task as string) === "binary") expect(several).toBe(found.link === "sigmoid" ? "sigmoidNormalised" : "sign");
  }
  expect(Object.keys(libraryLosses).sort()).toEqual(
    Object.values(losses)
      .map(({ declaration }) => declaration.name as string)
      .filter((name) => name in libraryLosses)
      .sort(),
  );
  const bad = (traits: object) => () => loss("neverDefined", {}, ({ z }) => z, traits as never);
  expect(bad({ task: "binary", link: "identity" })).toThrow(
    /link is "identity", but a loss of task "binary" must have one of "sigmoid", "sign" \[OPTION_RANGE\]/,
  );
  expect(bad({ task: "constructor", link: "identity" })).toThrow(/task is "constructor"/);
  expect(bad({ task: "multiclass", link: "softmax" })).toThrow(/joint is false/);
});
