/**
 * Foreign models in a child process: transfers in both directions, refusals before the transfer, and runs during which
 * the child ends.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { predictor as ergodicPredictor, OptionError } from "ergodic";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Graph, type TypeName } from "../../src/onnx/graph.ts";
import { type OnnxOptions, type OnnxPredictor, type OnnxTensor, onnxPredictor } from "../../src/onnx/index.ts";
import { RefusedError } from "../../src/refused.ts";
import { hasRuntime, runtime, slow, two } from "./models.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-onnx-child-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: OnnxPredictor[] = [];
afterEach(async () => {
  for (const model of opened.splice(0)) await model.close();
});

async function open(model: Uint8Array | string | URL, options: OnnxOptions = {}): Promise<OnnxPredictor> {
  const made = await onnxPredictor(model, { runtime, ...options });
  opened.push(made);
  return made;
}

const floats = (shape: number[], values: ArrayLike<number>): OnnxTensor => ({
  type: "float32",
  shape,
  data: Float32Array.from(values),
});
const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody has waited for counts as gone.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

/** Waits without a limit for an event that must happen. */
async function until(holds: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if (holds()) return;
    await sleep(10);
  }
  throw new Error(`${what}: it did not come about`);
}

/** A model for all tests that leave it running. */
let model: OnnxPredictor;
beforeAll(async () => {
  if (hasRuntime) model = await onnxPredictor(two(), { runtime });
});
afterAll(() => model?.close());

describe.skipIf(!hasRuntime)("runs", () => {
  test("reports its inputs and outputs, and computes", async () => {
    expect(model.inputs).toEqual(["a", "b"].map((name) => ({ name, type: "float32", shape: ["batch", 3] })));
    expect(model.outputs).toEqual([
      { name: "sum", type: "float32", shape: ["batch", 1] },
      { name: "product", type: "float32", shape: ["batch", 3] },
    ]);
    const answer = await model.run({ a: floats([2, 3], [1, 2, 3, 4, 5, 6]), b: floats([2, 3], [1, 0, 1, 0, 1, 0]) });
    expect(answer.sum).toEqual(floats([2, 1], [6, 15]));
    expect(answer.product).toEqual(floats([2, 3], [1, 0, 3, 0, 5, 0]));
    const some = await model.run({ a: floats([1, 3], [1, 2, 3]), b: floats([1, 3], [1, 0, 1]) }, { outputs: ["product"] });
    expect(Object.keys(some)).toEqual(["product"]);
  });

  const values: Partial<Record<TypeName | "float16", OnnxTensor["data"]>> = {
    float32: Float32Array.of(1.5, -0, Number.NaN, Infinity, 1e-40),
    float64: Float64Array.of(Math.PI, -0, Number.NaN, -Infinity, 5e-324),
    int8: Int8Array.of(-128, -1, 0, 1, 127),
    int16: Int16Array.of(-32768, -1, 0, 1, 32767),
    int32: Int32Array.of(-(2 ** 31), -1, 0, 1, 2 ** 31 - 1),
    int64: BigInt64Array.of(-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n),
    uint8: Uint8Array.of(0, 1, 2, 254, 255),
    uint16: Uint16Array.of(0, 1, 2, 65534, 65535),
    bool: Uint8Array.of(1, 0, 1, 1, 0),
  };
  test("transfers every type bit for bit, including views of larger buffers, empty tensors and large ones", async () => {
    const types = Object.keys(values) as TypeName[];
    const graph = new Graph();
    for (const type of types) {
      graph.node("Identity", [graph.input(type, type, ["n"])], {}, `${type} out`);
      graph.output(`${type} out`, type, ["n"]);
    }
    const model = await open(graph.toBytes({}, "0"));
    const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
      new Uint8Array(buffer, byteOffset, byteLength);
    // A view into the middle of another buffer.
    const viewOf = (type: TypeName): OnnxTensor["data"] => {
      const data = values[type] as Uint8Array;
      const around = new Uint8Array(data.byteLength + 64).fill(7);
      around.set(bytesOf(data), 16);
      return new (data.constructor as Uint8ArrayConstructor)(around.buffer, 16, data.length);
    };
    for (const given of [(type: TypeName) => values[type]!, viewOf]) {
      const outputs = await model.run(Object.fromEntries(types.map((type) => [type, { type, shape: [5], data: given(type) }])));
      for (const name of types) {
        const { type, shape, data } = outputs[`${name} out`];
        expect([type, shape]).toEqual([name, [5]]);
        expect(bytesOf(data as Uint8Array)).toEqual(bytesOf(values[name] as Uint8Array));
      }
    }
    // Tensors without elements, and a large one.
    const empty = Object.fromEntries(types.map((type) => [type, { type, shape: [0], data: values[type]!.slice(0, 0) }]));
    const data = Float32Array.from({ length: 1_000_000 }, (_, i) => i);
    const outputs = await model.run({ ...empty, float32: floats([data.length], data) } as never);
    const y = outputs["float32 out"];
    expect(Buffer.compare(Buffer.from((y.data as Float32Array).buffer), Buffer.from(data.buffer))).toBe(0);
    expect(outputs["float64 out"]).toEqual({ type: "float64", shape: [0], data: new Float64Array(0) });
  });

  test("returns each of many simultaneous runs to its caller", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => model.run({ a: floats([1, 3], [i, 0, 0]), b: floats([1, 3], [1, 1, 1]) })),
    );
    expect(answers.map(({ sum }) => sum.data[0])).toEqual(answers.map((_, i) => i));
    expect(model.pending).toBe(0);
  });

  test("opens a path, a URL and bytes, which can change afterwards", async () => {
    const path = join(folder, "two.onnx");
    const bytes = two();
    writeFileSync(path, bytes);
    for (const from of [path, pathToFileURL(path), bytes]) {
      const model = await open(from);
      if (from === bytes) bytes.fill(0);
      expect((await model.run({ a: floats([1, 3], [1, 2, 3]), b: floats([1, 3], [1, 2, 3]) })).sum.data[0]).toBe(6);
    }
  });

  test("keeps the event loop running while the model computes", async () => {
    const model = await open(slow());
    await model.run({ steps: { type: "int64", shape: [], data: BigInt64Array.of(1n) }, x: floats([1], [1]) });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await model.run({ steps: { type: "int64", shape: [], data: BigInt64Array.of(200_000n) }, x: floats([1], [1]) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});

describe.skipIf(!hasRuntime)("runs that are refused before they are sent", () => {
  const good = { a: floats([2, 3], [1, 2, 3, 4, 5, 6]), b: floats([2, 3], [1, 2, 3, 4, 5, 6]) };
  const cases: [string, unknown, RegExp][] = [
    [
      "no inputs",
      undefined,
      /inputs are undefined, but must be tensors by name: "a" float32 \[batch, 3\], "b" float32 \[batch, 3\]/,
    ],
    ["null", null, /inputs are null/],
    ["a list", [], /inputs are object, but must be tensors by name/],
    ["a missing one", { a: good.a }, /the input "b" is missing/],
    ["an unknown one", { ...good, c: good.a }, /the model has no input "c"; it takes "a"/],
    ["null as tensor", { ...good, b: null }, /the input "b" is null, but float32 \[batch, 3\] is expected/],
    [
      "another type",
      { ...good, b: { type: "float64", shape: [2, 3], data: new Float64Array(6) } },
      /"b" is of type float64, but float32/,
    ],
    ["no type", { ...good, b: { shape: [2, 3], data: new Float32Array(6) } }, /"b" is of type undefined/],
    ["another rank", { ...good, b: floats([6], [1, 2, 3, 4, 5, 6]) }, /"b" is \[6\], but float32 \[batch, 3\] is expected/],
    ["another extent", { ...good, b: floats([3, 2], [1, 2, 3, 4, 5, 6]) }, /"b" is \[3, 2\]/],
    ["too few elements", { ...good, b: floats([2, 3], [1]) }, /"b" has 1 elements for its shape \[2, 3\]/],
    ["too many elements", { ...good, b: floats([2, 3], new Float32Array(7)) }, /"b" has 7 elements/],
    [
      "a shape that is none",
      { ...good, b: { ...good.b, shape: [2, -3] } },
      /"b" has a shape that is not a list of whole numbers/,
    ],
    ["a shape of fractions", { ...good, b: { ...good.b, shape: [2.5, 3] } }, /"b" has a shape that is not a list/],
    ["no shape", { ...good, b: { ...good.b, shape: "2,3" } }, /"b" has a shape that is not a list/],
    [
      "an array of another type",
      { ...good, b: { ...good.b, data: new Float64Array(6) } },
      /"b" has data that is not of type Float32Array/,
    ],
    [
      "a list of numbers",
      { ...good, b: { ...good.b, data: [1, 2, 3, 4, 5, 6] } },
      /"b" has data that is not of type Float32Array/,
    ],
  ];
  test.each(cases)("%s", async (_, given, message) => {
    const { pid } = model;
    const error = await model.run(given as never).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ code: "ONNX_INPUT", message: expect.stringMatching(message) });
    // The model is unaffected.
    expect((await model.run(good)).sum.data[1]).toBe(15);
    expect([model.pid, model.restarts]).toEqual([pid, 0]);
  });

  test("refuses unknown outputs and options", async () => {
    await expect(model.run(good, { outputs: ["nothing"] })).rejects.toThrow(/the model has no output "nothing"; it has "sum"/);
    await expect(model.run(good, { outputs: [] })).rejects.toThrow(/outputs must be a list of names/);
    await expect(model.run(good, { output: "sum" } as never)).rejects.toThrow(/unknown option "output"/);
  });

  test("passes on errors that only onnxruntime can detect, and keeps the process", async () => {
    const { pid } = model;
    const other = { ...good, b: floats([3, 3], new Float32Array(9)) };
    await expect(model.run(other)).rejects.toMatchObject({
      name: "DataError",
      code: "ONNX_RUN",
      message: expect.stringMatching(/onnxruntime could not run it: .*(broadcast|dimension)/i),
    });
    expect((await model.run(good)).sum.data[1]).toBe(15);
    expect(model.pid).toBe(pid);
  });

  test.each<[string, () => Promise<unknown>, RegExp]>([
    [
      "a number",
      () => onnxPredictor(3 as never),
      /onnxPredictor: the model is number, but must be a path, a file URL or the bytes/,
    ],
    ["an empty path", () => onnxPredictor(""), /the model is empty/],
    [
      "a URL of the web",
      () => onnxPredictor(new URL("https://example.org/m.onnx")),
      /the model is https:\/\/example.org\/m.onnx/,
    ],
    ["a file that is not there", () => onnxPredictor("/nowhere/m.onnx"), /\/nowhere\/m\.onnx: cannot be read .*FILE_READ/],
    ["an unknown option", () => onnxPredictor(two(), { thread: 1 } as never), /unknown option "thread"/],
    ["no threads", () => onnxPredictor(two(), { threads: 0 }), /threads is 0/],
    ["no time", () => onnxPredictor(two(), { timeoutMs: 0 }), /timeoutMs is 0/],
    ["no start", () => onnxPredictor(two(), { startMs: -1 }), /startMs is -1/],
    ["no room", () => onnxPredictor(two(), { maxPending: 0.5 }), /maxPending is 0.5/],
    ["a runtime that is none", () => onnxPredictor(two(), { runtime: 3 as never }), /runtime is number/],
    [
      "a runtime that is not there",
      () => onnxPredictor(two(), { runtime: "/nowhere" }),
      /\/nowhere is not installed; run npm install --ignore-scripts onnxruntime-node .*ONNX_RUNTIME/,
    ],
    [
      "a runtime that does not load",
      () => onnxPredictor(two(), { runtime: new URL("file:///nowhere/at/all.js") }),
      /onnxruntime-node does not run here: .*ONNX_RUNTIME/,
    ],
  ])("refuses to open: %s", async (_, make, message) => {
    await expect(make()).rejects.toThrow(message);
  });
});

describe.skipIf(!hasRuntime)("a child process that ends", () => {
  const steps = (count: number): Record<string, OnnxTensor> => ({
    steps: { type: "int64", shape: [], data: BigInt64Array.of(BigInt(count)) },
    x: floats([2], [1, 2]),
  });

  test("refuses waiting runs with 503 if killed under load, then resumes service", async () => {
    const model = await open(slow());
    await model.run(steps(1));
    const first = model.pid!;
    const runs = Array.from({ length: 20 }, () => model.run(steps(2_000_000)).catch((error: unknown) => error));
    await sleep(20);
    process.kill(first, "SIGKILL");
    const ends = await Promise.all(runs);
    const refused = ends.filter((end) => end instanceof RefusedError);
    expect(refused.length).toBeGreaterThanOrEqual(19);
    for (const error of refused) {
      expect(error).toMatchObject({
        code: "RESTARTING",
        status: 503,
        message: expect.stringMatching(/it was ended by SIGKILL.*is restarting; try again later/),
      });
      expect(error.retryAfterMs).toBeGreaterThanOrEqual(1);
    }
    expect(isAlive(first)).toBe(false);
    // The runs are refused immediately, without waiting for the new process.
    await expect(model.run(steps(1))).rejects.toMatchObject({ status: 503, code: "RESTARTING" });
    await until(() => model.pid !== undefined, "a new process");
    expect([model.pid === first, model.restarts, model.pending]).toEqual([false, 1, 0]);
    expect((await model.run(steps(3))).y.data).toEqual(Float32Array.of(1, 2));
  });

  test("kills its process if a run hangs, and refuses the runs behind it", async () => {
    const model = await open(slow(), { timeoutMs: 200 });
    await model.run(steps(1));
    const { pid } = model;
    const hangs = model.run(steps(2 ** 40)).catch((error: unknown) => error);
    const behind = model.run(steps(1)).catch((error: unknown) => error);
    expect(await hangs).toMatchObject({
      name: "RefusedError",
      code: "DEADLINE",
      status: 503,
      message: expect.stringMatching(/took longer than 200 ms and was stopped/),
    });
    expect(await behind).toMatchObject({ name: "RefusedError", code: "RESTARTING", status: 503 });
    expect(isAlive(pid!)).toBe(false);
    await until(() => model.pid !== undefined, "a new process");
    expect((await model.run(steps(1))).y.data).toEqual(Float32Array.of(1, 2));
  });

  test("counts time from the start of a run, not while it waits", async () => {
    const timeoutMs = 12_345_678;
    const model = await open(slow(), { timeoutMs });
    const timers = vi.spyOn(globalThis, "setTimeout");
    const limits = (): number => timers.mock.calls.filter(([, ms]) => ms === timeoutMs).length;
    const runs = [1, 2, 3].map(() => model.run(steps(1000)));
    // No answer has been read yet, so only the first run is timed.
    expect(limits()).toBe(1);
    await Promise.all(runs);
    expect(limits()).toBe(3);
    timers.mockRestore();
  });

  test("doubles its pauses after repeated exits, and reports them in retryAfterMs", async () => {
    const model = await open(slow());
    const pauses: number[] = [];
    for (let i = 0; i < 3; i++) {
      await until(() => model.pid !== undefined, "a process");
      const run = model.run(steps(2 ** 40)).catch((cause: unknown) => cause);
      process.kill(model.pid!, "SIGKILL");
      pauses.push(((await run) as RefusedError).retryAfterMs);
    }
    // The pause is reported at the exit. Less remains of it later, because this program has done other work.
    for (const [i, pause] of pauses.entries()) {
      expect(pause).toBeLessThanOrEqual(50 * 2 ** i);
      expect(pause).toBeGreaterThan(25 * 2 ** i);
    }
  });

  test("refuses runs beyond the limit with 429", async () => {
    const model = await open(slow(), { maxPending: 3 });
    const runs = Array.from({ length: 5 }, () => model.run(steps(50_000)).catch((error: unknown) => error));
    const ends = await Promise.all(runs);
    expect(ends.map((end) => (end instanceof RefusedError ? end.status : 200))).toEqual([200, 200, 200, 429, 429]);
    expect(ends[3]).toMatchObject({ code: "QUEUE_FULL" });
  });

  test("refuses a file that has changed meanwhile as another model", async () => {
    const path = join(folder, "changes.onnx");
    writeFileSync(path, slow());
    const model = await open(path);
    writeFileSync(path, two());
    process.kill(model.pid!, "SIGKILL");
    await until(() => model.pid === undefined, "its end");
    let last: unknown;
    await until(() => {
      void model.run(steps(1)).catch((error: unknown) => (last = error));
      return (last as { code?: string })?.code === "ONNX_CHANGED";
    }, "the error");
    expect(last).toMatchObject({
      name: "DataError",
      message: expect.stringMatching(/changes\.onnx: has changed since it was opened/),
    });
    expect(model.pid).toBeUndefined();
  });

  test("close finishes accepted runs, refuses others and leaves no process", async () => {
    const model = await open(slow());
    const { pid } = model;
    const accepted = Array.from({ length: 4 }, () => model.run(steps(50_000)));
    const closing = model.close();
    await expect(model.run(steps(1))).rejects.toMatchObject({ name: "RefusedError", code: "CLOSED", status: 503 });
    expect((await Promise.all(accepted)).map(({ y }) => y.data[1])).toEqual([2, 2, 2, 2]);
    await closing;
    expect(isAlive(pid!)).toBe(false);
    expect(model.close()).toBe(model.close());
    await model.close();
  });

  test("close during a restart of the process leaves no process", async () => {
    const closed = async (wait: number): Promise<void> => {
      const model = await open(slow());
      process.kill(model.pid!, "SIGKILL");
      await until(() => model.pid === undefined, "its end");
      await sleep(wait);
      await model.close();
      expect(model.pid === undefined || !isAlive(model.pid)).toBe(true);
      await sleep(100);
      expect(model.pid === undefined || !isAlive(model.pid)).toBe(true);
    };
    await Promise.all([0, 60, 90].map(closed));
  });

  test("close resolves if the last run ends with the process", async () => {
    const model = await open(slow());
    const run = model.run(steps(2 ** 40)).catch((error: unknown) => error);
    const closing = model.close();
    process.kill(model.pid!, "SIGKILL");
    await closing;
    expect(await run).toMatchObject({ code: "RESTARTING" });
    expect(model.restarts).toBe(0);
  });

  /** Runs a separate program that opens a model and executes the given code. */
  function program(then: string): { status: number | null; stdout: string; stderr: string } {
    const file = join(folder, "program.mjs");
    const model = join(folder, "program.onnx");
    writeFileSync(model, slow());
    const built = new URL("../../dist/onnx/index.js", import.meta.url).href;
    writeFileSync(
      file,
      `import { onnxPredictor } from ${JSON.stringify(built)};
       const open = () => onnxPredictor(${JSON.stringify(model)}, { runtime: ${JSON.stringify(runtime)} });
       const model = await open();
       const steps = (n) => ({ steps: { type: "int64", shape: [], data: BigInt64Array.of(BigInt(n)) }, x: { type: "float32", shape: [1], data: Float32Array.of(1) } });
       ${then}`,
    );
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: "utf8", timeout: 120_000 });
    return { status, stdout, stderr };
  }

  test("a program waits for close, and exits despite an open model once nothing runs", async () => {
    const { status, stdout, stderr } = program(
      "console.log(model.pid); const { y } = await model.run(steps(1000)); console.log(y.data[0]);" +
        "const closed = await open(); await closed.close(); console.log('closed');",
    );
    expect([status, stderr]).toEqual([0, ""]);
    const [pid, value, last] = stdout.trim().split("\n");
    expect([value, last]).toEqual(["1", "closed"]);
    await until(() => !isAlive(Number(pid)), "the child's end");
  });

  test("the child of a killed program ends, even in the middle of a run", async () => {
    const { stdout } = program(
      "console.log(model.pid); await model.run(steps(1)); void model.run(steps(2 ** 40));" +
        "setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100);",
    );
    const pid = Number(stdout.trim());
    expect(pid).toBeGreaterThan(1);
    await until(() => !isAlive(pid), "the child's end");
  });
});

describe.skipIf(!hasRuntime)("damaged files", () => {
  test("are reported with onnxruntime's message and leave no process", async () => {
    const good = two();
    const cases = [Uint8Array.of(), good.subarray(0, 20), good.map((byte, i) => (i === 40 ? byte ^ 255 : byte))];
    for (const bytes of cases)
      await expect(onnxPredictor(bytes, { runtime })).rejects.toMatchObject({
        name: "DataError",
        code: "ONNX_START",
        message: expect.stringMatching(/^the ONNX model: (onnxruntime cannot load it: \S+|the process that loaded it ended)/),
      });
    const path = join(folder, "damaged.onnx");
    writeFileSync(path, "damaged");
    await expect(onnxPredictor(path, { runtime })).rejects.toThrow(
      /damaged\.onnx: onnxruntime cannot load it: .*(protobuf|parsing)/i,
    );
  });

  test("are not blamed if no process can be started", async () => {
    const { execPath } = process;
    process.execPath = join(folder, "nowhere");
    try {
      await expect(onnxPredictor(two(), { runtime })).rejects.toMatchObject({
        name: "CapabilityError",
        code: "HOST_PROCESS",
        message: expect.stringMatching(
          /the process to run the model cannot be started \(spawn .*nowhere ENOENT\); allow this program/,
        ),
      });
    } finally {
      process.execPath = execPath;
    }
  });

  test("a model that does not load in time is refused", async () => {
    await expect(onnxPredictor(two(), { runtime, startMs: 1 })).rejects.toMatchObject({
      name: "DataError",
      code: "ONNX_START",
      message: expect.stringMatching(/was not loaded within 1 ms/),
    });
  });
});

test("ergodic's own predictor recommends this package for an ONNX file", async () => {
  const message =
    'm.onnx: is an ONNX model with the operator "ReduceSum"; run it with onnxPredictor of @ergodic/serve/onnx, in a page with onnxruntime-web [MODEL_FORMAT]';
  const path = join(folder, "m.onnx");
  writeFileSync(path, two());
  await expect(ergodicPredictor(path)).rejects.toThrow(message);
  expect(existsSync(path)).toBe(true);
});

test("no child process of this file's models remains", async () => {
  for (const one of [...opened, model]) await one?.close();
  const children = (): string[] =>
    readdirSync("/proc").filter((pid) => {
      try {
        return (
          /^\d+$/.test(pid) &&
          readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("serve/src/onnx/child.js") &&
          readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[3] === String(process.pid)
        );
      } catch {
        return false;
      }
    });
  expect(children()).toEqual([]);
});
