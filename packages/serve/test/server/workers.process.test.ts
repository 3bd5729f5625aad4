/**
 * Networks on separate threads, as many as `workers` states. If a thread ends, its requests fail with 503, and later
 * ones are answered.
 */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import type { Worker } from "node:worker_threads";
import { WorkerError } from "ergodic";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import { decode, encode } from "../../../ergodic/src/engine/files/safetensors.ts";
import { servedOfFile } from "../../src/models/of-file.ts";
import { type Computation, OutputModel } from "../../src/models/output-model.ts";
import { tensorOfJson } from "../../src/v2/input-tensor.ts";
import { get, net, post, serving, temporary } from "./models.ts";

// Threads run the built library, whose error classes differ from those of the sources, so this test imports only the
// built library.
const { built } = vi.hoisted(() => ({
  built: (name: string) => () => import(new URL(`../../../ergodic/dist/${name}.js`, import.meta.url).href),
}));
vi.mock("ergodic", built("entries/index"));
vi.mock("ergodic/extend", built("entries/extend"));
vi.mock("ergodic/predict/async", built("predict/async"));

const path = temporary();
let reference: Awaited<ReturnType<typeof net>>;
beforeAll(async () => {
  reference = await net();
  await reference.save(path("net.safetensors"));
});

const opened: Worker[] = [];
const note = (worker: Worker): void => void opened.push(worker);
process.on("worker", note);
afterEach(() => void opened.splice(0));

const body = { inputs: [{ name: "input", datatype: "FP32", shape: [1, 3], data: [0.5, -1, 0.25] }] };
const outcomes = async (url: string): Promise<Record<string, number>> => {
  const { json } = await get(`${url}/v2/models/net/stats`);
  const { answered, invalid, failed } = json.model_stats[0].ergodic;
  return { answered, invalid, failed };
};

test.each([0, 1, 3])("answers with workers: %i", async (workers) => {
  const { url } = await serving({ models: path("net.safetensors"), workers });
  expect(opened).toHaveLength(workers);
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(`${url}/v2/models/net/infer`, body)));
  const wanted = reference.predict([[0.5, -1, 0.25]])[0];
  for (const { status, json } of answers) {
    expect(status).toBe(200);
    const found = json.outputs.find(({ name }: { name: string }) => name === "class").data[0];
    expect(found).toBe(wanted.value);
  }
  expect(opened).toHaveLength(workers);
});

/** The network with a plan that first counts to 2^60. */
async function endless(): Promise<string> {
  const { tensors, metadata } = decode((await net()).toBytes());
  const { "text checksum": _, ...others } = metadata;
  const description = JSON.parse(metadata.description);
  const scan = (steps: object[]) => ({
    ...{ kind: "scan", length: 2 ** 30, reverse: false, body: { values: [], steps }, carries: [], over: [], constants: [] },
    ...{ current: [], next: [], outputs: [], histories: [] },
  });
  description.program.steps.unshift(scan([scan([])]));
  writeFileSync(path("endless.safetensors"), encode(tensors, { ...others, description: JSON.stringify(description) }));
  return path("endless.safetensors");
}

test("ends the thread of an endless file once nobody needs it", async () => {
  const stop = new AbortController();
  const warming = vi.spyOn(OutputModel.prototype, "warmUp");
  const loading = servedOfFile(await endless(), { workers: 1, maxBatch: 64, limits: { maxWork: Infinity } }, stop.signal);
  await expect.poll(() => warming.mock.calls.length, { interval: 1, timeout: 60_000 }).toBe(1);
  warming.mockRestore();
  expect(opened).toHaveLength(1);
  const gone = new Promise((resolve) => opened[0].once("exit", resolve));
  const reason = new Error("its file is gone");
  stop.abort(reason);
  await expect(loading).rejects.toBe(reason);
  await gone;
  await expect(servedOfFile(path("net.safetensors"), { workers: 1, maxBatch: 64 }, stop.signal)).rejects.toBe(reason);
});

test.each([0, 1])("workers: %i: refuses a file beyond the limits without running it, and serves others", async (workers) => {
  mkdirSync(path("folder"), { recursive: true });
  copyFileSync(await endless(), path("folder/endless.safetensors"));
  copyFileSync(path("net.safetensors"), path("folder/net.safetensors"));
  const server = await serving({ models: path("folder"), workers });
  const reasons = Object.fromEntries(server.models().map(({ name, reason }) => [name, reason]));
  expect(reasons).toEqual({ endless: expect.stringMatching(/multiply-adds per row, .*\[MODEL_WORK\]$/), net: "" });
  expect((await post(`${server.url}/v2/models/net/infer`, body)).status).toBe(200);
  const strict = await serving({ models: path("folder"), workers, maxWork: 20, maxMemory: 100 });
  expect(strict.models().map(({ state }) => state)).toEqual(["UNAVAILABLE", "UNAVAILABLE"]);
  const small = await serving({ models: path("folder"), workers, maxMemory: 100 });
  expect(small.models()[1].reason).toContain("maxMemory is 100 bytes");
  expect(opened).toHaveLength(workers);
});

test("answers 503 with Retry-After if a thread ends, and starts another for new requests", async () => {
  const { url } = await serving({ models: path("net.safetensors"), workers: 1 });
  // The thread ends instead of receiving the rows, because a thread that received them might answer before it ends.
  const [thread] = opened;
  thread.postMessage = () => void thread.terminate();
  const { status, headers, json } = await post(`${url}/v2/models/net/infer`, body);
  expect(status).toBe(503);
  expect(headers.get("retry-after")).toBe("1");
  expect(json.error).toMatch(/^predictor: the thread ended during the call: .*\[WORKER_DIED\]$/);
  expect(await outcomes(url)).toEqual({ answered: 0, invalid: 0, failed: 1 });
  expect((await post(`${url}/v2/models/net/infer`, body)).status).toBe(200);
  expect(await outcomes(url)).toEqual({ answered: 1, invalid: 0, failed: 1 });
  expect(opened).toHaveLength(2);
});

test("does not retry requests one by one if they might have ended a thread", async () => {
  let calls = 0;
  const dying: Computation = {
    numbers() {
      calls++;
      return Promise.reject(new WorkerError("predictor", "the thread ended; call again", "WORKER_DIED"));
    },
    close() {},
  };
  const model = new OutputModel(reference, dying, 1);
  const work = model.fromRows([[1, 2, 3]]);
  await expect(model.run([work, work, work])).rejects.toThrow(WorkerError);
  expect(calls).toBe(1);
});

test("returns each tensor and row of a batch its own answer, in any order of arrival", async () => {
  const asked: number[] = [];
  // The first number of each row, in all its outputs.
  const first: Computation = {
    numbers(rows) {
      const list = ArrayBuffer.isView(rows)
        ? Array.from({ length: rows.length / 3 }, (_, i) => rows[3 * i])
        : rows.map((row) => (row as unknown as number[])[0]);
      asked.push(list.length);
      return Float64Array.from(list.flatMap((value) => Array<number>(reference.width).fill(value)));
    },
    close() {},
  };
  const model = new OutputModel(reference, first, 1);
  const tensor = (...values: number[]) => {
    const shape = [values.length, 3];
    const heading = { where: "inputs[0]", name: "input", datatype: "FP32" as const, shape, count: 3 * values.length };
    return model.fromTensors([
      tensorOfJson(
        heading,
        values.flatMap((value) => [value, 0, 0]),
      ),
    ]);
  };
  const rows = (...values: number[]) => model.fromRows(values.map((value) => [value, 0, 0]));
  for (const works of [
    [tensor(1), rows(2, 3), tensor(4), rows(5)],
    [rows(1), tensor(2, 3), rows(4), tensor(5)],
  ]) {
    const answers = (await model.run(works)) as Float64Array[];
    expect(
      answers.map((numbers) => Array.from({ length: numbers.length / reference.width }, (_, i) => numbers[i * reference.width])),
    ).toEqual([[1], [2, 3], [4], [5]]);
  }
  // All tensors are computed together, and so are all rows.
  expect(asked).toEqual([2, 3, 3, 2]);
});
