/**
 * Checkpoints that are damaged, of an older version, or of another run are refused with a message. None leads to an
 * endless run.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/engine/contract/index.ts";
import { ErgodicError } from "../../../src/engine/errors/errors.ts";
import { decode, encode, type Tensor } from "../../../src/engine/files/safetensors.ts";
import { refuseOtherValue } from "../../../src/engine/loop/checkpoint.ts";
import {
  coordinateDescent,
  Dataset,
  factorisation,
  fit,
  lbfgs,
  linear,
  meanField,
  minimize,
  nelderMead,
  nuts,
  Ratings,
  randomWalk,
  sample,
  sgd,
  slice,
} from "../../../src/entries/everything.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ergodic-"));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Kept extends PromiseLike<unknown> {
  checkpoint(path: string): Promise<void>;
}

async function kept(run: Kept): Promise<Uint8Array> {
  const path = join(folder, "run.checkpoint");
  await run;
  await run.checkpoint(path);
  return new Uint8Array(await readFile(path));
}

type Change = (parts: { description: Record<"state" | "loop" | "recipe", JsonObject>; tensors: Record<string, Tensor> }) => void;

function changed(bytes: Uint8Array, change: Change): Uint8Array {
  const { tensors, metadata } = decode(bytes);
  const { checksum: _, "text checksum": _text, ...others } = metadata;
  const description = JSON.parse(metadata.description);
  change({ description, tensors });
  return encode(tensors, { ...others, description: JSON.stringify(description) });
}

async function refusal(attempt: () => PromiseLike<unknown>): Promise<ErgodicError> {
  try {
    await attempt();
  } catch (error) {
    expect(error).toBeInstanceOf(ErgodicError);
    return error as ErgodicError;
  }
  throw new Error("it was taken");
}

const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), Math.cos(2 * i)]);
const y = x.map(([a, b]) => a - 2 * b);
const dataOf = (more: Partial<Parameters<typeof Dataset.fromArrays>[0]> = {}): Dataset =>
  Dataset.fromArrays({ x, y, names: ["a", "b"], ...more });
const data = dataOf();

describe("damaged checkpoints of a fit", () => {
  it.each(["state", "loop", "recipe"] as const)("refuses a checkpoint without its %s", async (part) => {
    const run = fit(linear(), data, { epochs: 2 });
    const bytes = changed(await kept(run), ({ description }) => void delete (description as Partial<typeof description>)[part]);
    const error = await refusal(() => resumed(bytes));
    expect(error.message).toMatch(new RegExp(`^checkpoint: lacks its ${part}; the file is damaged`));
  });

  const resumed = (bytes: Uint8Array) => fit.resume(bytes, data, { epochs: 4 });
  const cases: [string, Change, RegExp][] = [
    [
      "without the step",
      ({ description: { state } }) => void delete state.step,
      /step is missing, but must be a whole number from 0/,
    ],
    ["with a step of null", ({ description: { state } }) => void (state.step = null), /step is null/],
    ["with a step below 0", ({ description: { state } }) => void (state.step = -1), /step is -1/],
    ["without seconds", ({ description: { loop } }) => void delete loop.seconds, /seconds is missing/],
    ["without parameters", ({ tensors }) => void delete tensors["parameters.0"], /the numbers "parameters.0" are missing/],
    [
      "with too few parameters",
      ({ tensors }) => void (tensors["parameters.0"] = { shape: [1], values: Float32Array.of(1) }),
      /1 numbers in "parameters.0"/,
    ],
    [
      "with parameters of another type",
      ({ tensors }) => void (tensors["parameters.0"] = { shape: [4], values: new Int16Array(4) }),
      /are of type Int16Array/,
    ],
    [
      "by an algorithm that is none",
      ({ description: { recipe } }) => void (recipe.algorithm = { algorithm: "constructor" }),
      /"constructor" is not an algorithm of this version/,
    ],
    [
      "by a rule that is none",
      ({ description: { recipe } }) => void ((recipe.algorithm as JsonObject).rule = null),
      /holds a run that cannot be restored/,
    ],
    [
      "of a model that is none",
      ({ description: { recipe } }) => void ((recipe.model as JsonObject).model = "constructor"),
      /is of a model "constructor"/,
    ],
    ["without a plan", ({ description: { recipe } }) => void delete recipe.plan, /state of the plan does not fit/],
    ["without a seed", ({ description: { recipe } }) => void delete (recipe.plan as JsonObject).seed, /seed is missing/],
    ["without data", ({ description: { recipe } }) => void delete recipe.data, /cannot be restored/],
  ];
  it.each(cases)("refuses a checkpoint %s", async (_, change, words) => {
    const bytes = await kept(fit(linear(), data, { rule: sgd({ rate: 0.05 }), epochs: 2 }));
    const error = await refusal(() => resumed(changed(bytes, change)));
    expect(error.message).toMatch(words);
    expect(error.message).not.toMatch(/please report/);
    await expect(Promise.resolve(resumed(changed(bytes, () => {})))).resolves.toBeDefined();
  });

  it("refuses fewer gradient changes than steps, or more than L-BFGS stores", async () => {
    const bytes = await kept(fit(linear(), data, { rule: lbfgs({ history: 2 }), precision: "f64", epochs: 4 }));
    for (const counts of [{ y: 1 }, { s: 1 }, { gradient: 0, s: 2, y: 0 }]) {
      const damaged = changed(bytes, ({ description: { state } }) => void Object.assign(state.counts as JsonObject, counts));
      expect((await refusal(() => fit.resume(damaged, data, { epochs: 8 }))).message).toMatch(
        /it holds \d steps and \d changes of the gradient, but equal numbers of both are needed, at most 2/,
      );
    }
  });

  it("refuses a flipped bit", async () => {
    const bytes = await kept(fit(linear(), data, { epochs: 2 }));
    bytes[bytes.length - 3] ^= 4;
    const error = await refusal(() => resumed(bytes));
    expect([error.code, error.message]).toEqual(["CHECKPOINT_FORMAT", expect.stringMatching(/holds changed numbers/)]);
  });

  it("refuses a changed number in the JSON, but accepts older files without a checksum", async () => {
    const bytes = await kept(fit(linear(), data, { epochs: 2 }));
    const { tensors, metadata } = decode(bytes);
    const written = JSON.parse(metadata.description);
    const description = JSON.stringify({ ...written, loop: { ...written.loop, seconds: written.loop.seconds + 1 } });
    const error = await refusal(() => resumed(encode(tensors, { ...metadata, description })));
    expect([error.code, error.message]).toEqual([
      "CHECKPOINT_FORMAT",
      expect.stringMatching(
        /holds changed text: the checksum of its JSON is murmur3:\w{8}, but was murmur3:\w{8}; the file is damaged/,
      ),
    ]);
    const { "text checksum": sum, ...older } = metadata;
    expect(sum).toMatch(/^murmur3:/);
    expect(await resumed(encode(tensors, { ...older, description }))).toHaveProperty("predict");
  });

  it("refuses other data even if only one cell, target or weight differs", async () => {
    const many = Array.from({ length: 400 }, (_, i) => [i % 7, (i * i) % 11]);
    const ones = new Float64Array(400).fill(1);
    const of = (
      changes: { cell?: number; target?: number; weight?: number },
      type: "f32" | "f64" = "f64",
      format?: true,
    ): Dataset => {
      const targets = many.map(([a], i) => a + (i === changes.target ? 1 : 0));
      const cells = many.map((row, i) => (i === changes.cell ? [row[0] + 1, row[1]] : row));
      const made = Dataset.fromArrays({
        x: cells,
        y: targets,
        weights: ones.map((w, i) => (i === changes.weight ? 2 : w)),
        type,
      });
      return format ? made.hash(3) : made;
    };
    for (const sparse of [undefined, true] as const) {
      const bytes = await kept(fit(linear(), of({}, "f64", sparse), { epochs: 1 }));
      await fit.resume(bytes, of({}, "f64", sparse), { epochs: 2 });
      for (const other of [{ cell: 201 }, { target: 333 }, { weight: 57 }]) {
        const error = await refusal(() => fit.resume(bytes, of(other, "f64", sparse), { epochs: 2 }));
        expect([error.code, error.message]).toEqual([
          "CHECKPOINT_DATA",
          expect.stringMatching(/400 rows of \d columns \(digest \w{8}\), but/),
        ]);
      }
    }
    const unweighted = Dataset.fromArrays({ x: many, y: many.map(([a]) => a), type: "f64" });
    const bytes = await kept(fit(linear(), of({}), { epochs: 1 }));
    expect((await refusal(() => fit.resume(bytes, unweighted, { epochs: 2 }))).code).toBe("CHECKPOINT_DATA");
  });

  it("refuses other ratings, or the same ratings with other names", async () => {
    const of = (users: string[], values = [1, 2, 3]) => Ratings.fromTriples({ users, items: ["x", "y", "x"], values });
    const bytes = await kept(fit(factorisation({ rank: 1 }), of(["a", "b", "c"]), { epochs: 1 }));
    await fit.resume(bytes, of(["a", "b", "c"]), { epochs: 2 });
    for (const other of [of(["a", "b", "d"]), of(["a", "b", "c"], [1, 2, 4])])
      expect((await refusal(() => fit.resume(bytes, other, { epochs: 2 }))).code).toBe("CHECKPOINT_DATA");
  });

  it("accepts older checkpoints with a digest of only some rows", async () => {
    const bytes = changed(await kept(fit(linear(), data, { epochs: 1 })), ({ description: { recipe } }) => {
      recipe.data = { rowCount: 40, columnCount: 2, classes: 0, digest: "OLDER" };
    });
    const error = await refusal(() => fit.resume(bytes, data, { epochs: 2 }));
    const [, digest] = /\(digest (\w+)\), but/.exec(error.message)!;
    const older = changed(bytes, ({ description: { recipe } }) => void ((recipe.data as JsonObject).digest = digest));
    await expect(Promise.resolve(fit.resume(older, data, { epochs: 2 }))).resolves.toBeDefined();
  });
});

describe("damaged checkpoints of a search", () => {
  const f = (v: Float64Array): number => (v[0] - 1) ** 2 + v[1] ** 2;
  const begun = () => kept(minimize(f, [3, 3], { algorithm: nelderMead(), evaluations: 20 }));

  it("refuses another function, and resumes the same function with one extra evaluation", async () => {
    const bytes = await begun();
    const error = await refusal(() => minimize.resume(bytes, (v) => f(v) + 5, { evaluations: 30 }));
    expect(error.code).toBe("CHECKPOINT_FUNCTION");
    expect(error.message).toMatch(/^minimize.resume: f gives \S+ at the best point, x = \[.*\], but gave \S+ when/);
    let calls = 0;
    const whole = await minimize(f, [3, 3], { algorithm: nelderMead(), evaluations: 30 });
    const resumed = await minimize.resume(bytes, (v) => f(v) + 0 * calls++, { evaluations: 30 });
    expect([resumed.value, resumed.evaluations, calls]).toEqual([whole.value, 30, 11]);
  });

  it("accepts a start value that is still not finite, but refuses a changed one", () => {
    for (const value of [Infinity, -Infinity, 0, 3]) expect(() => refuseOtherValue(value, value)).not.toThrow();
    let disposed = 0;
    for (const [kept, found] of [[Infinity, 1], [1, Infinity], [Infinity, -Infinity], [0, 1e-9]]) // biome-ignore format: pairs
      expect(() => refuseOtherValue(kept, found, () => disposed++)).toThrow("[CHECKPOINT_FUNCTION]");
    expect(disposed).toBe(4);
  });

  it("resumes noisy functions and functions that draw by seed", async () => {
    let k = 0;
    const noisy = (v: Float64Array): number => f(v) + 0.1 * Math.sin(7 * k++);
    const bytes = await kept(minimize(noisy, [3, 3], { algorithm: nelderMead(), evaluations: 20 }));
    await expect(Promise.resolve(minimize.resume(bytes, noisy, { evaluations: 25 }))).resolves.toBeDefined();
    for (const more of [{ repeat: 3 }, { repeat: 2, commonRandomNumbers: true }]) {
      const drawn = (v: Float64Array, { seed, evaluation }: { seed: number; evaluation: number }): number =>
        f(v) + (seed % 97) / 97 + evaluation / 1e3;
      const kept20 = await kept(minimize(drawn, [3, 3], { algorithm: nelderMead(), evaluations: 20, ...more }));
      await expect(Promise.resolve(minimize.resume(kept20, drawn, { evaluations: 25 }))).resolves.toBeDefined();
      const other = await refusal(() => minimize.resume(kept20, (v, context) => drawn(v, context) + 1, { evaluations: 25 }));
      expect(other.code).toBe("CHECKPOINT_FUNCTION");
    }
  });

  it("refuses another target with slopes", async () => {
    const algorithm = coordinateDescent({ pick: "cyclic" });
    const path = join(folder, "target.checkpoint");
    const run = minimize(f, [3, 3], { algorithm, epochs: 2 });
    await run;
    await run.checkpoint(path);
    const { coordinateTarget } = await import("../../../src/entries/everything.ts");
    const other = coordinateTarget({ dimension: 2, value: (v) => f(v) + 1 });
    expect((await refusal(() => minimize.resume(path, other))).code).toBe("CHECKPOINT_FUNCTION");
  });

  const cases: [string, Change, RegExp][] = [
    [
      "of evaluations that do not add up",
      ({ description: { state } }) => void (state.evaluations = 7),
      /evaluations is 7, but it holds 20 values/,
    ],
    ["without its algorithm's state", ({ description: { state } }) => void delete state.algorithm, /algorithm is missing/],
    ["without a simplex", ({ tensors }) => void delete tensors["algorithm.vertices"], /the numbers "vertices" are missing/],
    [
      "of a search that is none",
      ({ description: { recipe } }) => void ((recipe.search as JsonObject).algorithm = { search: "constructor" }),
      /"constructor" is neither a search/,
    ],
    [
      "of a space that is none",
      ({ description: { recipe } }) => void ((recipe.search as JsonObject).space = null),
      /cannot be restored/,
    ],
  ];
  it.each(cases)("refuses a checkpoint %s", async (_, change, words) => {
    expect((await refusal(async () => minimize.resume(changed(await begun(), change), f, { evaluations: 30 }))).message).toMatch(
      words,
    );
  });
});

describe("damaged checkpoints of a sampler", () => {
  const density = (u: Float64Array): number => -0.5 * (u[0] ** 2 + u[1] ** 2);
  const of = { dimension: 2 };
  const plan = { chains: 2, warmup: 20, draws: 10, seed: 1 };
  const older: Change[] = [
    ({ description: { state } }) => void delete state.made,
    ({ description: { state } }) => void delete state.active,
    ({ description: { state } }) => void delete state.begun,
    ({ tensors }) => void delete tensors["position.1"],
    ({ tensors }) => void delete tensors["draws.0"],
    ({ description: { state } }) => void (state.active = [0, 7]),
    ({ description: { state } }) => void (state.active = [0, 0]),
    ({ description: { state } }) => void (state.begun = false),
    ({ description: { recipe } }) => void delete (recipe.sampling as JsonObject).plan,
    ({ description: { recipe } }) => void ((recipe.sampling as JsonObject).algorithm = { algorithm: "constructor" }),
  ];
  it.each([slice(), randomWalk()])("refuses another version, $name", async (algorithm) => {
    const bytes = await kept(sample(density, of, { ...plan, algorithm }));
    for (const change of older) {
      const error = await refusal(() => sample.resume(changed(bytes, change), density, of, { draws: 12 }));
      expect(error.message).toMatch(/from another version of ergodic|cannot be rebuilt from JSON/);
    }
  });

  it.each([slice(), slice({ expansion: "doubling" }), randomWalk()])(
    "refuses negative steps, with which slices would never end, $name",
    async (algorithm) => {
      const bytes = await kept(sample(density, of, { ...plan, algorithm }));
      for (const step of [-1, Number.NaN]) {
        const damaged = changed(bytes, ({ tensors }) => void (tensors["steps.1"].values as Float64Array).set([step]));
        const error = await refusal(() => sample.resume(damaged, density, of, { draws: 12 }));
        expect(error.message).toMatch(/in chain 1 a step is (-1|NaN), but must be >= 0/);
      }
    },
  );

  it("refuses another version, nuts", async () => {
    const graded = { dimension: 2, gradient: (u: Float64Array) => u.map((v) => -v) };
    const bytes = await kept(sample(density, graded, { ...plan, algorithm: nuts() }));
    for (const key of ["trial", "survey", "levels", "arrived", "late", "again", "surveying", "searches"]) {
      const error = await refusal(() =>
        sample.resume(
          changed(bytes, ({ description: { state } }) => void delete state[key]),
          density,
          graded,
          { draws: 12 },
        ),
      );
      expect(error.message).toMatch(new RegExp(`${key} is missing.*from another version of ergodic`));
    }
  });

  it("refuses missing or short vectors of variational inference", async () => {
    const graded = { dimension: 2, gradient: (u: Float64Array) => u.map((v) => -v) };
    const bytes = await kept(sample(density, graded, { ...plan, draws: 80, algorithm: meanField() }));
    const changes: Change[] = [
      ({ tensors }) => void delete tensors["pool.values.1"],
      ({ tensors }) => void delete tensors["pool.stein.0"],
      ({ tensors }) => void delete tensors["pool.counts"],
      ({ tensors }) => void (tensors["pool.logDensity.1"] = { shape: [3], values: new Float64Array(3) }),
      ({ tensors }) => void (tensors["pool.counts"].values as Float64Array).set([1]),
      ({ tensors }) => void (tensors["pool.counts"].values as Float64Array).set([Number.NaN, 1e300, 0.5, -1]),
    ];
    for (const change of changes) {
      const damaged = changed(bytes, change);
      const error = await refusal(() => sample.resume(damaged, density, graded, { draws: 90 }));
      expect(error.message).toMatch(/of meanField does not fit: .*from another version of ergodic/);
    }
    expect(await sample.resume(bytes, density, graded, { draws: 90 })).toBeDefined();
  });
});
