/**
 * Foreign models in the server: all types, requests that can be joined and requests that cannot, and a killed process.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { OnnxModel } from "../../src/models/onnx-model.ts";
import { Graph } from "../../src/onnx/graph.ts";
import { type OnnxPredictor, type OnnxTensor, onnxPredictor } from "../../src/onnx/index.ts";
import { type Serving, serve } from "../../src/server/serve.ts";
import type { InputTensor } from "../../src/v2/input-tensor.ts";
import { Foreign } from "../models/foreign.ts";
import { mixing } from "../models/rows-of-batches.ts";
import { hasRuntime, runtime, same, two } from "../onnx/models.ts";

const folder = mkdtempSync(join(tmpdir(), "ergodic-serve-onnx-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const open: { close(): Promise<void> }[] = [];
/** Model of several tests, one of which kills its process. */
let pair: OnnxPredictor;
beforeAll(async () => {
  if (hasRuntime) pair = await onnxPredictor(two(), { runtime });
});
afterAll(() => pair?.close());
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function model(bytes: Uint8Array): Promise<OnnxPredictor> {
  const made = await onnxPredictor(bytes, { runtime });
  open.push(made);
  return made;
}

async function served(models: Record<string, OnnxPredictor>): Promise<Serving> {
  const server = await serve({ models, port: 0, log: "nothing" });
  open.push(server);
  return server;
}

async function ask(
  { url }: Serving,
  path: string,
  body?: object,
): Promise<{ status: number; body: Record<string, never>; retry: string | null }> {
  const response = await fetch(`${url}/v2/${path}`, body ? { method: "POST", body: JSON.stringify(body) } : {});
  return {
    status: response.status,
    body: (await response.json()) as Record<string, never>,
    retry: response.headers.get("retry-after"),
  };
}

const tensor = (name: string, shape: number[], data: unknown[], datatype = "FP32") => ({ name, shape, data, datatype });
/** y [n, m] = x [n, m] · 2, with axes of these names. */
function doubled(axes: readonly string[]): Uint8Array {
  const graph = new Graph();
  graph.node("Mul", [graph.input("x", "float32", [...axes]), graph.scalar("float32", 2)], {}, "y");
  graph.output("y", "float32", [...axes]);
  return graph.toBytes({}, "0");
}

describe.skipIf(!hasRuntime)("onnx models", () => {
  test("describe their inputs and answer, and wrong tensors are the client's fault", async () => {
    const server = await served({ two: pair, whole: await model(same("int64", ["n"])) });
    const { body: about } = await ask(server, "models/two");
    expect(about).toMatchObject({
      platform: "onnxruntime_onnx",
      inputs: ["a", "b"].map((name) => ({ name, datatype: "FP32", shape: [-1, 3] })),
    });
    const a = tensor("a", [2, 3], [1, 2, 3, 4, 5, 6]);
    const b = tensor("b", [2, 3], [1, 0, 1, 0, 1, 0]);
    const found = await ask(server, "models/two/infer", { id: "x", inputs: [a, b] });
    expect(found.body).toMatchObject({
      id: "x",
      outputs: [
        { name: "sum", datatype: "FP32", shape: [2, 1], data: [6, 15] },
        { name: "product", datatype: "FP32", shape: [2, 3], data: [1, 0, 3, 0, 5, 0] },
      ],
    });
    const said = await ask(server, "models/whole/infer", { inputs: [tensor("x", [2], [7, -5], "INT64")] });
    expect(said.body).toMatchObject({ outputs: [{ name: "y", datatype: "INT64", data: [7, -5] }] });
    for (const inputs of [
      [a],
      [a, tensor("b", [1, 3], [1, 2, 3])],
      [a, tensor("b", [2, 2], [1, 2, 3, 4])],
      [a, tensor("b", [2, 3], [1, 2, 3, 4, 5, 6], "FP64")],
      [tensor("a", [0, 3], []), tensor("b", [0, 3], [])],
    ]) {
      const { status, body } = await ask(server, "models/two/infer", { inputs });
      expect([status, typeof body.error]).toEqual([400, "string"]);
    }
  });

  test("take one number with or without an axis, as the sampling rate of a voice detector", async () => {
    const graph = new Graph();
    const [x, rate, one] = [
      graph.input("x", "float32", ["n", 2]),
      graph.input("rate", "float32", []),
      graph.input("one", "float32", [1]),
    ];
    graph.node("Add", [graph.node("Mul", [x, rate]), one], {}, "y");
    graph.output("y", "float32", ["n", 2]);
    graph.node("ReduceSum", [rate], { keepdims: 0 }, "total");
    graph.output("total", "float32", []);
    const server = await served({ voice: await model(graph.toBytes({}, "0")) });
    expect((await ask(server, "models/voice")).body.inputs).toContainEqual({ name: "rate", datatype: "FP32", shape: [] });
    for (const shape of [[], [1]]) {
      const inputs = [tensor("x", [1, 2], [1, 2]), tensor("rate", shape, [3]), tensor("one", shape, [0.5])];
      const { body } = await ask(server, "models/voice/infer", { inputs });
      expect(body).toMatchObject({ outputs: [{ data: [3.5, 6.5] }, { name: "total", shape: [], data: [3] }] });
    }
    const wrong = [tensor("x", [1, 2], [1, 2]), tensor("rate", [2], [3, 4]), tensor("one", [1], [0.5])];
    const { status, body } = await ask(server, "models/voice/infer", { inputs: wrong });
    expect([status, body.error]).toEqual([400, 'inputs[1]: "rate" has shape [2], but the model takes [] [INPUT]']);
    const nested = [tensor("x", [1, 2], [1, 2]), tensor("rate", [], [[3]]), tensor("one", [1], [0.5])];
    expect((await ask(server, "models/voice/infer", { inputs: nested })).body.error).toMatch(/data\[0\] is a list of 1/);
    expect((await ask(server, "models/voice/config")).body).toMatchObject({ max_batch_size: 0 });
    expect((await ask(await served({ two: pair }), "models/two/config")).body).toMatchObject({
      max_batch_size: 256,
      input: [{ name: "a", data_type: "TYPE_FP32", dims: [3] }, { name: "b" }],
    });
  });

  test("are refused by the name of an output that is a map, as classifiers of scikit-learn have by default", async () => {
    const zipped = new Foreign();
    zipped.input("x", "float32", ["n", 2]);
    zipped.node("ZipMap", ["x"], { classlabels_int64s: [0, 1] }, ["output_probability"], true);
    zipped.maps("output_probability");
    await expect(model(zipped.bytes())).rejects.toThrow(
      /: returns a sequence or a map, "output_probability", but only tensors can be returned; .* options=\{"zipmap": False\} \[ONNX_PORT\]$/,
    );
  });

  test("join requests along the batch axis and split answers, except requests that joining would change", async () => {
    const input = (shape: number[], data: number[]): InputTensor =>
      ({
        name: "x",
        datatype: "FP32",
        shape,
        count: data.length,
        elements: () => Float32Array.from(data),
      }) as unknown as InputTensor;
    const runs: number[] = [];
    /** y = 2 x, without onnxruntime. */
    const watched = (axes: readonly string[]): OnnxModel => {
      const port = (name: string) => ({ name, type: "float32", shape: axes });
      const run = async ({ x }: Record<string, OnnxTensor>) => {
        runs.push(x.shape[0]);
        return { y: { ...x, data: (x.data as Float32Array).map((value) => 2 * value) } };
      };
      const predictor = { inputs: [port("x")], outputs: [port("y")], run } as unknown as OnnxPredictor;
      return new OnnxModel(predictor, { joins: axes[0] === "batch_size", because: "" }, { owned: false });
    };
    const answered = async (made: OnnxModel, works: [number[], number[]][]): Promise<unknown[]> => {
      runs.length = 0;
      const answers = await made.run(works.map(([shape, data]) => made.fromTensors([input(shape, data)])));
      return answers.map((answer) => {
        if (answer instanceof Error) return answer.message;
        const { shape, elements } = made.output(answer, 0);
        return [[...shape], [...(elements as Float32Array)]];
      });
    };
    const some: [number[], number[]][] = [
      [
        [1, 2],
        [1, 2],
      ],
      [
        [3, 2],
        [3, 4, 5, 6, 7, 8],
      ],
      [
        [2, 2],
        [9, 10, 11, 12],
      ],
    ];
    const right = some.map(([shape, data]) => [shape, data.map((v) => 2 * v)]);
    const batch = watched(["batch_size", "width"]);
    expect(await answered(batch, some)).toEqual(right);
    expect(runs).toEqual([6]);
    expect(some.map(([shape, data]) => batch.rowsOf(batch.fromTensors([input(shape, data)])))).toEqual([1, 3, 2]);
    // The same number of elements with other shapes.
    const others: [number[], number[]][] = [
      [
        [1, 4],
        [1, 2, 3, 4],
      ],
      [
        [2, 2],
        [5, 6, 7, 8],
      ],
    ];
    expect(await answered(batch, others)).toEqual(others.map(([shape, data]) => [shape, data.map((v) => 2 * v)]));
    expect(runs).toEqual([1, 2]);
    const time = watched(["length", "width"]);
    expect(await answered(time, some)).toEqual(right);
    expect(runs).toEqual([1, 3, 2]);
    expect(time.rowsOf(time.fromTensors([input([3, 2], [1, 2, 3, 4, 5, 6])]))).toBe(1);
  });

  test("answer each client separately if they mix rows, unless the option join is set", async () => {
    const bytes = mixing["less the mean"]();
    const lines: string[] = [];
    const mixes = await model(bytes);
    const models = {
      mixes,
      trusted: mixes,
      doubled: await model(doubled(["unnamed", "width"])),
    };
    const join = { trusted: true, typo: false };
    const server = await serve({ models, join, port: 0, logTo: { write: (line) => lines.push(line) } });
    open.push(server);
    const asked = (name: string) =>
      Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          ask(server, `models/${name}/infer`, { inputs: [tensor("x", [2, 4], [...[0, 0, 0, 0].map(() => i), 1, 1, 1, 1])] }),
        ),
      );
    const alone = (i: number) => [...[0, 0, 0, 0].map(() => (i - 1) / 2), ...[0, 0, 0, 0].map(() => (1 - i) / 2)];
    const dataOf = (answers: { body: object }[]) =>
      answers.map(({ body }) => (body as { outputs: { data: number[] }[] }).outputs[0].data);
    expect(dataOf(await asked("mixes"))).toEqual(Array.from({ length: 12 }, (_, i) => alone(i)));
    // Requests are joined only if they wait at the same time.
    await expect.poll(async () => dataOf(await asked("trusted"))).not.toEqual(Array.from({ length: 12 }, (_, i) => alone(i)));
    const about = async (name: string) => (await ask(server, `models/${name}`)).body.parameters as unknown;
    const found = expect.stringMatching(/^a row's answer changed with the other rows/);
    expect(await about("mixes")).toEqual({ joins: false, joins_because: found });
    expect(await about("trusted")).toEqual({ joins: true, joins_because: "it is set by the option join" });
    expect(await about("doubled")).toEqual({ joins: true, joins_because: "a check found its rows independent" });
    const logged = lines.map((line) => JSON.parse(line));
    expect(logged).toContainEqual(expect.objectContaining({ level: "info", model: "mixes", joins: "no", because: found }));
    expect(logged).toContainEqual(expect.objectContaining({ level: "info", model: "doubled", joins: "yes" }));
    expect(logged).toContainEqual(
      expect.objectContaining({
        level: "warn",
        model: "typo",
        message: "the option join names it, but no ONNX model of that name is served",
      }),
    );
    expect(logged.filter(({ level }) => level === "warn").length).toBe(1);
  });

  test("answer 503 with Retry-After if their process is killed, then serve again", async () => {
    const second = await served({ two: pair });
    const inputs = [tensor("a", [1, 3], [1, 2, 3]), tensor("b", [1, 3], [1, 1, 1])];
    process.kill(pair.pid!, "SIGKILL");
    let refused = 0;
    for (let i = 0; i < 2000; i++) {
      const { status: now, retry } = await ask(second, "models/two/infer", { inputs });
      if (now === 503) {
        refused++;
        expect(Number(retry)).toBeGreaterThan(0);
      } else {
        expect(now).toBe(200);
        if (pair.restarts > 0) break;
      }
      await new Promise((go) => setTimeout(go, 5));
    }
    expect(pair.restarts).toBe(1);
    expect(refused).toBeGreaterThan(0);
  });

  test("are loaded from a folder if onnxruntime is installed, and otherwise the index states the reason", async () => {
    writeFileSync(join(folder, "two.onnx"), two());
    const server = await serve({ models: folder, port: 0, log: "nothing", control: true });
    open.push(server);
    const [entry] = server.models();
    expect(entry.name).toBe("two");
    if (entry.state !== "READY")
      expect(entry.reason).toMatch(/onnxruntime-node is not installed; run npm install --ignore-scripts/);
  });
});
