/**
 * Whether requests to a foreign model can be joined, decided from known facts and by a check. Half of the models made
 * here mix the rows of a batch. onnx-model.test.ts tests how a batch of requests is then run.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Dataset, fit, linear } from "ergodic";
import { describe, expect, test } from "vitest";
import { type JoiningOptions, joiningOf } from "../../src/models/joining.ts";
import { toOnnx } from "../../src/onnx/export.ts";
import { type OnnxPredictor, type OnnxTensor, onnxPredictor } from "../../src/onnx/index.ts";
import { producerOf } from "../../src/onnx/producer.ts";
import { hasRuntime, inThisProcess, runtime, same } from "../onnx/models.ts";
import { temporary } from "../server/models.ts";
import { Foreign } from "./foreign.ts";
import { independent, mixing } from "./rows-of-batches.ts";

const port = (name: string, shape: readonly (string | number)[], type = "float32") => ({ name, type, shape });
interface Fake {
  readonly inputs?: readonly object[];
  readonly outputs?: readonly object[];
  readonly producer?: string;
  readonly timeoutMs?: number;
  run?(x: OnnxTensor): OnnxTensor;
}

/** y = x by default, with the row counts of all runs. */
function decided(fake: Fake, options: Partial<JoiningOptions> = {}) {
  const runs: number[] = [];
  const inputs = fake.inputs ?? [port("x", ["batch", 2])];
  const predictor = {
    outputs: [port("y", ["batch", 2])],
    timeoutMs: 30_000,
    ...fake,
    inputs,
    run: async (tensors: Record<string, OnnxTensor>) => {
      const x = Object.values(tensors)[0];
      runs.push(x.shape[0]);
      return { y: fake.run ? fake.run(x) : x };
    },
  } as unknown as OnnxPredictor;
  return joiningOf(predictor, { maxBatch: 16, ...options }).then((joining) => ({ ...joining, runs }));
}

describe("decisions without a check", () => {
  test.each<[string, Fake, string]>([
    ["no input", { inputs: [] }, "it has no input"],
    ["an input without axes", { inputs: [port("x", ["batch", 1]), port("rate", [])] }, 'its input "rate" has no known axis'],
    ["a fixed size", { inputs: [port("x", [1, 4])] }, 'the first axis of its input "x" is fixed at 1'],
    ["one axis twice", { inputs: [port("x", ["n", "n"])] }, 'its input "x" has the axis "n" twice'],
    [
      "axes of two names",
      { inputs: [port("a", ["queries", 2]), port("b", ["keys", 2])] },
      'the first axes of its inputs may differ: "queries", "keys"',
    ],
    [
      "two axes without names",
      { inputs: [port("a", ["", 2]), port("b", ["", 2])] },
      'the first axes of its inputs may differ: "", ""',
    ],
    [
      "whole numbers",
      { inputs: [port("ids", ["batch", 8], "int64")] },
      'its input "ids" is int64, and only models of floating-point numbers are checked',
    ],
    [
      "texts",
      { inputs: [port("x", ["batch", 2]), port("words", ["batch", 1], "string")] },
      'its input "words" is string, and only models of floating-point numbers are checked',
    ],
  ])("%s", async (_, fake, because) => expect(await decided(fake)).toEqual({ joins: false, because, runs: [] }));

  test("the option join overrides the check, but not the form of requests", async () => {
    const said = "it is set by the option join";
    const ids = { inputs: [port("ids", ["batch", 8], "int64")] };
    expect(await decided(ids, { join: true })).toEqual({ joins: true, because: said, isUnchecked: true, runs: [] });
    expect(await decided({}, { join: false })).toEqual({ joins: false, because: said, runs: [] });
    expect(await decided({ inputs: [port("x", [1, 4])] }, { join: true })).toMatchObject({ joins: false, runs: [] });
  });

  test("batches of one row need no check", async () =>
    expect(await decided({}, { maxBatch: 1 })).toEqual({ joins: false, because: "maxBatch is 1", runs: [] }));

  test("files of toOnnx are trusted, but checked if their inputs or outputs have changed", async () => {
    const ours = {
      producer: "ergodic",
      inputs: [port("columns", ["batch", 3]), port("offset", ["batch", 1])],
      outputs: [port("class", ["batch"], "int64"), port("probabilities", ["batch", 2])],
    };
    const because = "Ergodic exported the model, and its rows are independent";
    expect(await decided(ours)).toEqual({ joins: true, because, runs: [] });
    const checked = [
      { ...ours, producer: "another" },
      { ...ours, producer: undefined },
      { ...ours, outputs: [port("y", ["batch", 3])] },
      { ...ours, inputs: [port("columns", ["rows", 3])] },
      { ...ours, inputs: [port("x", ["batch", 3])] },
    ];
    for (const other of checked) expect((await decided({ ...other, run: (x) => x })).runs.length).toBeGreaterThan(0);
  });
});

test("the producer is read from the beginning of a file, if present", () => {
  const foreign = new Foreign();
  foreign.output(foreign.input("x", "float32", ["batch"]), "y", "float32", ["batch"]);
  const bytes = foreign.bytes();
  expect(producerOf(bytes)).toBe("another exporter");
  expect(producerOf(same("float32", ["batch"]))).toBe("ergodic");
  for (let length = 0; length < 20; length++) expect(producerOf(bytes.subarray(0, length))).toBe(undefined);
  expect(producerOf(bytes.subarray(0, 20))).toBe("another exporter");
  const folder = temporary();
  const [file, fifo] = [folder("m.onnx"), folder("fifo")];
  writeFileSync(file, bytes);
  execFileSync("mkfifo", [fifo]);
  expect([file, fifo, folder(), folder("none")].map(producerOf)).toEqual(["another exporter", undefined, undefined, undefined]);
});

describe("the check", () => {
  test("runs batches of 1, 2, 3 and the largest size, and no larger ones", async () => {
    for (const maxBatch of [2, 3, 5, 16, 100]) {
      const { joins, runs } = await decided({}, { maxBatch });
      expect([joins, Math.max(...runs)]).toEqual([true, maxBatch]);
      for (const size of [1, 2, 3].filter((size) => size <= maxBatch)) expect(runs).toContain(size);
    }
  });

  test("covers magnitudes from 1e-3 to 1e6 and both signs, alone and in batches", async () => {
    for (const rows of [1, 2, 3, 16]) {
      const seen = new Set<string>();
      await decided({
        run: (x) => {
          const values = [...(x.data as Float32Array)];
          const largest = Math.max(...values.map(Math.abs));
          const signs = new Set(values.map(Math.sign));
          if (x.shape[0] === rows) seen.add(`${Math.ceil(Math.log10(largest))} ${signs.size > 1 ? "both" : [...signs][0]}`);
          return x;
        },
      });
      for (const power of [-3, -2, -1, 0, 1, 2, 3, 4, 5, 6]) expect(seen).toContain(`${power} both`);
      for (const power of [-3, 0, 3, 6]) for (const sign of [1, -1]) expect(seen).toContain(`${power} ${sign}`);
    }
  });

  test("stops early if it would take too long, and begins no such run", async () => {
    for (const [msPerRow, most] of [
      [3, 16],
      [100, 3],
      [20_000, 1],
    ]) {
      let time = 0;
      const { joins, because, runs } = await decided(
        {
          run: (x) => {
            time += msPerRow * x.shape[0];
            return x;
          },
        },
        { budgetMs: 2000, now: () => time },
      );
      expect([joins, because]).toEqual([false, "a check of its rows would take more than 2 s"]);
      expect(Math.max(...runs)).toBe(most);
      expect(time).toBeLessThanOrEqual(2000 + 20_000);
    }
  });

  test("begins no run that its predictor would abort", async () => {
    let time = 0;
    const slow = (x: OnnxTensor): OnnxTensor => {
      time += 10 * x.shape[0];
      return x;
    };
    const found = await decided({ run: slow, timeoutMs: 100 }, { budgetMs: Infinity, now: () => time });
    expect(found).toMatchObject({ joins: false, because: "a batch of 7 rows would take about 0.07 s, too long for timeoutMs" });
    expect(Math.max(...found.runs)).toBe(4);
  });

  test("stays within its memory limit", async () => {
    const wide = await decided({ inputs: [port("x", ["batch", 2 ** 20])] });
    expect(wide).toMatchObject({
      joins: false,
      because: expect.stringContaining("16777216 numbers, more than are checked"),
      runs: [],
    });
    const out = (x: OnnxTensor): OnnxTensor => ({
      ...x,
      shape: [x.shape[0], 2 ** 20],
      data: new Float32Array(x.shape[0] * 2 ** 20),
    });
    const large = await decided({ run: out });
    expect(large).toMatchObject({ joins: false, because: expect.stringContaining("more than are checked"), runs: [1] });
  });

  test("leaves the model unchecked if the model refuses or its process ends", async () => {
    const refusing = (x: OnnxTensor): OnnxTensor => {
      if ((x.data as Float32Array).some((value) => value > 1e5)) throw new Error("out of range");
      return x;
    };
    expect(await decided({ run: refusing })).toMatchObject({
      joins: false,
      because: "it refused rows of the check (out of range)",
    });
  });

  test("also tries rows of NaN next to others in the largest batch", async () => {
    const poisoned = (x: OnnxTensor): OnnxTensor => {
      const values = x.data as Float32Array;
      return x.shape[0] === 16 && values.some(Number.isNaN) ? { ...x, data: values.map(() => Number.NaN) } : x;
    };
    const because = "a row's answer changed with the other rows (NaN, infinities and the largest numbers, a batch of 16)";
    expect(await decided({ run: poisoned })).toMatchObject({ joins: false, because });
  });

  test("tolerates the differences that rounding of a row causes, and no others", async () => {
    // A steep function whose result for a single row differs slightly from that for many.
    const steep = (difference: number) => (x: OnnxTensor) => {
      const factor = x.shape[0] === 1 ? 1e4 * (1 + difference) : 1e4;
      return { ...x, data: (x.data as Float32Array).map((value) => Math.sin(factor * value)) };
    };
    expect(await decided({ run: steep(3e-8) })).toMatchObject({ joins: true });
    expect(await decided({ run: steep(1e-4) })).toMatchObject({ joins: false });
  });

  test("finds a size for axes of variable length", async () => {
    const whole = (x: OnnxTensor): OnnxTensor => {
      if (x.shape[1] !== 8) throw new Error("8, please");
      return x;
    };
    const inputs = [port("x", ["batch", "width"])];
    expect(await decided({ inputs, run: whole })).toMatchObject({ joins: true });
    const none = (): OnnxTensor => {
      throw new Error("never");
    };
    const { joins, because, runs } = await decided({ inputs, run: none });
    expect([joins, because]).toEqual([false, "it computed no row when its flexible axes had size 32, 16, 8, 4, 64, 224, 2, 1"]);
    expect(runs).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

describe.skipIf(!hasRuntime)("checked models", () => {
  // Most models run in this process. Arrays of 16-bit numbers differ between hosts, and the child process converts
  // them.
  const checked = async (bytes: Uint8Array, { maxBatch = 32, inChild = false }) => {
    const model = inChild ? await onnxPredictor(bytes, { runtime }) : await inThisProcess(bytes);
    const found = await joiningOf(model, { maxBatch, budgetMs: Infinity });
    if (inChild) await model.close();
    return found;
  };
  const isHalf = (name: string): boolean => name.includes("float16");
  test.each(Object.entries(mixing))("are not joined if they mix rows: %s", async (name, bytes) => {
    const maxBatch = name === "only in the largest batches" ? 256 : 32;
    const { joins, because } = await checked(bytes(), { maxBatch, inChild: isHalf(name) });
    expect([joins, because]).toEqual([
      false,
      expect.stringMatching(/^a row's answer|^its output "[yz]" has the shape|^it gives different/),
    ]);
  });
  test.each(Object.entries(independent))("are joined if their rows are independent: %s", async (name, bytes) =>
    expect(await checked(bytes(), { inChild: isHalf(name) })).toEqual({
      joins: true,
      because: "a check found its rows independent",
    }),
  );
  test("are joined without a check if this library exported them", async () => {
    const data = Dataset.fromArrays({ x: [[1], [2], [3]], y: [1, 2, 4] });
    const line = await fit(linear({ loss: "squared" }), data, { epochs: 5, seed: 1 });
    expect(await checked(toOnnx(line), { inChild: true })).toEqual({
      joins: true,
      because: expect.stringMatching(/^Ergodic exported/),
    });
  });
});
