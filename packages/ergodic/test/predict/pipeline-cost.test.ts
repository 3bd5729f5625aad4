/**
 * Steps of a file's pipeline must meet the limits before they are created, because a few bytes can request days of work
 * or all of the memory.
 */
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/engine/contract/index.ts";
import { addAllSteps } from "../../src/engine/data/all-steps.ts";
import { transformations } from "../../src/engine/data/transformations/index.ts";
import { decode, encode } from "../../src/engine/files/safetensors.ts";
import {
  Dataset,
  fastfood,
  fit,
  type LinearPredictor,
  linear,
  orthogonal,
  predictor,
  products,
  rff,
  sorf,
} from "../../src/entries/everything.ts";
import { checkPipeline } from "../../src/predict/pipeline-cost.ts";
import { altered } from "./hostile.ts";

const x = Array.from({ length: 12 }, (_, i) => [Math.sin(i), Math.cos(i), i / 12]);
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a - b), names: ["a", "b", "c"] });
const file = (await fit(linear(), data, { epochs: 1 })).toBytes();

type Step = Readonly<Record<string, unknown>>;
/** The file with these steps after its columns, and two weights. */
function with_(steps: readonly Step[], source: object = {}): Uint8Array {
  const { metadata } = decode(file);
  const { "text checksum": _, checksum: __, ...others } = metadata;
  const description = JSON.parse(metadata.description) as JsonObject;
  const [first] = description.pipeline as unknown as Step[];
  const weights = { shape: [1, 2], values: Float64Array.of(1, 2) };
  const intercept = { shape: [1], values: Float64Array.of(3) };
  const pipeline = [{ ...first, ...source }, ...steps, hash(1)];
  return encode({ weights, intercept }, { ...others, description: JSON.stringify({ ...description, pipeline }) });
}
const hash = (bits: number): Step => ({ kind: "hash", bits });
const map = (kind: string, count: number, inputs: number): Step => ({ kind, count, inputs, gamma: 1, seed: 0 });

describe("pipelines refused before allocation", () => {
  const wide = { columnCount: 1e9, names: null };
  const twice = [map("rff", 2 ** 22, 3), hash(1), map("rff", 2 ** 22, 2), hash(1)];
  const cases: Record<string, [code: string, steps: readonly Step[], source?: object]> = {
    "more frequencies than one map may have, by several": ["MEMORY", [...twice, ...[1, 2, 3].flatMap(() => twice.slice(2))]],
    "an orthogonal map of many columns": ["WORK", [hash(12), map("orthogonal", 2 ** 16, 2 ** 12)]],
    "lengths of vectors of a million normals": ["WORK", [hash(20), map("fastfood", 2 ** 20, 2 ** 20)]],
    "transforms of a billion columns": ["WORK", [hash(30), map("sorf", 2, 2 ** 30)]],
    "many maps of little work each": ["WORK", Array.from({ length: 40 }, () => [hash(2), map("sorf", 2 ** 22, 4)]).flat()],
    "columns that nothing stands behind": ["MEMORY", [], wide],
    "the same, sparse": ["MEMORY", [], { ...wide, format: "sparse" }],
    "products of a billion columns": ["MEMORY", [hash(30), { kind: "products", inputs: 2 ** 30, terms: [[0, 1]] }]],
    "hashed columns, hashed again": ["MEMORY", [hash(30)]],
  };
  it.each(Object.keys(cases))("refuses %s", async (name) => {
    const [code, steps, source] = cases[name];
    const bytes = with_(steps, source);
    expect(bytes.length).toBeLessThan(10_000);
    const limits = code === "WORK" ? { maxMemory: Infinity } : { maxWork: Infinity };
    await expect(predictor(bytes, limits)).rejects.toThrow(`[MODEL_${code}]`);
    await expect(predictor(bytes)).rejects.toThrow("if you trust the file, load it with a larger max");
    (await predictor(bytes, { maxWork: Infinity, maxMemory: Infinity })).dispose();
  });

  it("refuses a network with a wide pipeline even if its plan uses no columns", async () => {
    const bytes = altered(
      (plan) => {
        Object.assign(plan, {
          values: [{ size: { B: 2, plus: 0 }, home: { kind: "buffer", name: "z", offset: 0 } }],
          steps: [{ kind: "zero", value: 0 }],
        });
      },
      { rowShape: [1e9], pipeline: widened(JSON.parse(decode(altered(() => {})).metadata.description).pipeline) },
    );
    await expect(predictor(bytes)).rejects.toThrow("[MODEL_MEMORY]");
  });
  const widened = ([first]: Step[]) => [{ ...first, columnCount: 1e9, names: null }] as never;
});

it("honest models load within the usual limits and need little more", async () => {
  const steps = {
    rff: rff({ count: 64 }),
    sorf: sorf({ count: 64 }),
    orthogonal: orthogonal({ count: 64 }),
    fastfood: fastfood({ count: 64 }),
  };
  for (const [name, features] of Object.entries(steps)) {
    const model = await fit(linear({ features }), data, { epochs: 1 });
    const bytes = model.toBytes();
    const loaded = await predictor<LinearPredictor>(bytes);
    expect(loaded.predict({ a: 0.5, b: 1, c: 0 }), name).toEqual(model.predict({ a: 0.5, b: 1, c: 0 }));
    await expect(predictor(bytes, { maxWork: 1000 }), name).rejects.toThrow("[MODEL_WORK]");
    await expect(predictor(bytes, { maxMemory: 500 }), name).rejects.toThrow("[MODEL_MEMORY]");
    await predictor(bytes, { maxWork: 500_000, maxMemory: 10_000 });
  }
  const model = await fit(linear(), data.map(products({ degree: 2 })), { epochs: 1 });
  expect((await predictor<LinearPredictor>(model.toBytes())).columns).toEqual(model.columns);
});

describe("pipeline costs", () => {
  addAllSteps();
  it.each([
    // 32 frequencies of 3 columns, in blocks of width 4.
    ["rff", { work: 96 * 132 + 32 * 128, bytes: 96 * 8 + 256 }],
    ["orthogonal", { work: 96 * 260 + 4 * 32 * 9 + 32 * 128, bytes: 96 * 8 + 72 + 256 }],
    ["sorf", { work: 32 * (3 * 64 + 3 * 32) + 32 * 128, bytes: 96 + 32 + 256 }],
    ["fastfood", { work: 32 * (128 + 128 * 5 + 2 * 32) + 32 * 128, bytes: 21 * 32 + 64 + 256 }],
  ])("count drawn numbers once and work per row for %s", (kind, cost) => {
    expect(transformations.get(kind)!.cost!(map(kind, 64, 3) as never)).toEqual(cost);
  });

  it("add up over steps: dense columns, column names, and work per step", () => {
    const { pipeline } = JSON.parse(decode(file).metadata.description) as { pipeline: never[] };
    const [first] = pipeline;
    const steps = [
      first,
      {
        kind: "products",
        inputs: 3,
        terms: [
          [0, 1],
          [1, 2],
        ],
      },
      hash(3),
    ] as never[];
    const [work, bytes] = [3 + 5 + 3, 24 + 40 + 24];
    const check = (maxWork: number, maxMemory: number, held: number) => () =>
      checkPipeline(steps, held, { maxWork, maxMemory }, "m");
    expect(check(work, bytes, 8)).not.toThrow();
    expect(check(work - 1, bytes, 8)).toThrow("m: needs 11 multiply-adds per row, but maxWork is 10");
    expect(check(work, bytes - 1, 8)).toThrow("m: takes 88 bytes of memory besides its numbers, but maxMemory is 87 bytes");
    // For 3, 5 and 8 columns.
    expect(check(work, bytes + 64 * (1 + 3 + 6), 2)).not.toThrow();
    expect(check(work, bytes + 64 * (1 + 3 + 6) - 1, 2)).toThrow("[MODEL_MEMORY]");
  });
});

it("repeated hashing needs no names of all columns", () => {
  const again = transformations.get("hash")!;
  const input = again.output(hash(30) as never, {
    columnCount: 1,
    format: "dense",
    type: "f64",
    stored: true,
    names: () => ["a"],
  });
  expect([input.name!(5), again.output(hash(3) as never, input).names()[5]]).toEqual(["hash:5", "hash:5"]);
  const row = { count: 2, columns: Uint32Array.of(7, 2 ** 29), values: Float64Array.of(1, 2) };
  expect(again.start(hash(4) as never, input, "m")(row, 0).count).toBeGreaterThan(0);
});
