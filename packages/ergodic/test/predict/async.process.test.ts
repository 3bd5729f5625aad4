/**
 * The predictor on separate threads, as built, answers like the one on this thread, aborts calls, and survives its
 * threads.
 */
import { execFile } from "node:child_process";
import { getEventListeners } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Worker } from "node:worker_threads";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, expect, expectTypeOf, it } from "vitest";
import type * as Index from "../../src/entries/everything.ts";
import type * as Sync from "../../src/entries/predict.ts";
import type * as Async from "../../src/predict/async.ts";

const dist = (file: string): string => new URL(`../../dist/${file}`, import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "ergodic-async-"));
afterAll(() => rmSync(folder, { recursive: true }));

let lib: typeof Index;
let predictor: typeof Sync.predictor;
let threaded: typeof Async.predictor;
const files = { linear: "", network: "", wide: "", ratings: "" };
const rows = Array.from({ length: 40 }, (_, i) => ({ age: i / 7, town: ["a", "b", "c"][i % 3] }));

/** Threads that were opened since the test started. */
let opened: Worker[] = [];
const note = (worker: Worker): void => void opened.push(worker);
/** Resolves when a thread has ended. */
const gone = (worker: Worker): unknown => worker.threadId < 0 || new Promise((resolve) => worker.once("exit", resolve));
beforeEach(() => {
  opened = [];
  process.on("worker", note);
});
afterEach(() => void process.off("worker", note));

beforeAll(async () => {
  lib = await import(dist("entries/index.js"));
  ({ predictor } = await import(dist("entries/predict.js")));
  ({ predictor: threaded } = await import(dist("predict/async.js")));
  const { dense, Dataset, fit, linear, factorisation, network, Ratings, relu } = lib;
  const levels = ["a", "b", "c"];
  const age = { name: "age", kind: "number" as const, values: Float64Array.from(rows, (row) => row.age) };
  const town = {
    name: "town",
    kind: "category" as const,
    codes: Int32Array.from(rows, (row) => levels.indexOf(row.town)),
    levels,
  };
  const y = { name: "y", kind: "category" as const, codes: Int32Array.from(rows, (_, i) => (i >> 2) % 2), levels: ["no", "yes"] };
  const data = Dataset.fromTable({ rowCount: rows.length, columns: [age, town, y], source: "rows" }, { target: "y" });
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(i), i % 5]);
  const numbers = Dataset.fromArrays({ x, y: x.map(([a, b]) => a - b) });
  const rated = Array.from({ length: 60 }, (_, i) => i);
  const ratings = Ratings.fromTriples({
    users: rated.map((i) => `u${i % 7}`),
    items: rated.map((i) => `i${(i * 5) % 11}`),
    values: rated.map((i) => 1 + (i % 5)),
  });
  const models = {
    linear: await fit(linear({ loss: "logistic" }), data, { epochs: 5, workers: 1 }),
    network: await fit(network([dense(8), relu(), dense(1)]), numbers, { epochs: 2, workers: 1 }),
    wide: await fit(network([dense(1024), relu(), dense(1024), relu(), dense(1)]), numbers, { epochs: 1, workers: 1 }),
    ratings: await fit(factorisation({ rank: 2 }), ratings, { epochs: 2, workers: 1 }),
  };
  for (const [name, model] of Object.entries(models)) {
    files[name as keyof typeof files] = join(folder, `${name}.safetensors`);
    await (model as Sync.LinearPredictor).save(files[name as keyof typeof files]);
  }
});

it("returns the same rows, matrices and facts as the predictor on this thread", async () => {
  const here = await predictor<Sync.LinearPredictor>(files.linear);
  const there = await threaded<Sync.LinearPredictor>(files.linear, { workers: 2 });
  expect(opened).toHaveLength(2);
  const facts = ({ kind, task, classes, targetName, width, inputCount }: Partial<Sync.LinearPredictor>): object => ({
    kind,
    task,
    classes,
    targetName,
    width,
    inputCount,
  });
  expect(facts(there as never)).toEqual(facts(here));
  expect(await there.columns()).toEqual(here.columns);
  expect(await there.predict(rows)).toEqual(here.predict(rows));
  expect(await there.predict(rows[3])).toEqual(here.predict(rows[3]));
  const [a, b] = [new Float64Array(90), new Float64Array(90)];
  expect(await there.predictInto(rows, a)).toBe(here.predictInto(rows, b));
  expect(a).toEqual(b);
  there.dispose();

  const net = await predictor<Sync.NetworkPredictor>(files.network);
  const nets = await threaded<Sync.NetworkPredictor>(pathToFileURL(files.network));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { maxLength: 30 }), async (numbers) => {
      const matrix = Float64Array.from(numbers.slice(0, numbers.length - (numbers.length % 3)));
      const [x, y] = [new Float64Array(10), new Float64Array(10)];
      expect(await nets.predictInto(matrix, x)).toBe(net.predictInto(matrix, y));
      expect(x).toEqual(y);
      const single = Float32Array.from(matrix);
      expect(await nets.predictInto(single, x)).toBe(net.predictInto(single, y));
      expect(x).toEqual(y);
      expect(matrix).toHaveLength(numbers.length - (numbers.length % 3)); // still the caller's
    }),
    { numRuns: 20 },
  );
  nets.dispose();

  const rated = await predictor<Sync.FactorPredictor>(files.ratings);
  const away = await threaded<Sync.FactorPredictor>(readFileSync(files.ratings));
  expect([away.kind, away.task]).toEqual([rated.kind, rated.task]);
  expect(await away.predict({ user: "u1", item: "i2" })).toEqual(rated.predict({ user: "u1", item: "i2" }));
  expect(await away.recommend("u1", { count: 3, exclude: ["i2"] })).toEqual(rated.recommend("u1", { count: 3, exclude: ["i2"] }));
  const liked = [{ item: "i1", value: 5 }];
  expect(await away.recommendFor(liked, { count: 2 })).toEqual(rated.recommendFor(liked, { count: 2 }));
  expect(await away.similar("i1", { count: 4 })).toEqual(rated.similar("i1", { count: 4 }));
  const reason = new Error("enough");
  for (const call of [away.recommend, away.recommendFor, away.similar, away.predict])
    await expect(
      (call as (...args: unknown[]) => Promise<unknown>).call(away, "i1", { signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason);
  away.dispose();
});

it("runs calls in order on every thread without blocking this thread", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.wide, { workers: 2 });
  const matrix = new Float64Array(3 * 1000);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const order: number[] = [];
  const calls = [0, 1, 2, 3].map(async (i) => {
    await model.predictInto(matrix, new Float64Array(1000));
    order.push(i);
  });
  await Promise.all(calls);
  clearInterval(timer);
  // At most two threads start at a time, so the third starts after one of the first two has ended. The other one can
  // end later if its thread waits for a core.
  expect([0, 1]).toContain(order[0]);
  expect(turns).toBeGreaterThan(5);
  expect(opened).toHaveLength(2);
  model.dispose();
});

it("every thread serves waiting calls, not only the first", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.wide, { workers: 2 });
  const stop = new AbortController();
  const endless = new Float64Array(3 * 2_000_000); // minutes
  const running = model.predictInto(endless, new Float64Array(2_000_000), { signal: stop.signal }).catch((error) => error);
  const quick = model.predict([1, 2, 3]);
  expect(await Promise.race([running, quick])).toEqual((await predictor<Sync.NetworkPredictor>(files.wide)).predict([1, 2, 3]));
  stop.abort(new Error("enough"));
  expect(await running).toEqual(new Error("enough"));
  model.dispose();
});

it("a replacement thread that cannot load the model ends, its call is rejected, and the next call gets another thread", async () => {
  const [script, full] = [join(folder, "full.mjs"), join(folder, "full")];
  writeFileSync(
    script,
    `import { existsSync } from "node:fs";
    import { parentPort } from "node:worker_threads";
    const failure = { name: "Error", message: "the memory is full" };
    if (existsSync(${JSON.stringify(full)})) parentPort.on("message", () => parentPort.postMessage({ kind: "failed", failure }));
    else await import(${JSON.stringify(dist("predict/serve.js"))});`,
  );
  const model = await threaded<Sync.NetworkPredictor>(files.network, { script: pathToFileURL(script) });
  writeFileSync(full, "");
  await opened[0].terminate();
  await expect(model.predict([1, 2, 3])).rejects.toThrow("the memory is full");
  await gone(opened[1]);
  rmSync(full);
  const here = await predictor<Sync.NetworkPredictor>(files.network);
  expect(await model.predict([1, 2, 3])).toEqual(here.predict([1, 2, 3]));
  expect(opened).toHaveLength(3);
  model.dispose();
});

it("serves waiting calls in order, and removes abort listeners once a call is answered", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.network);
  const { signal } = new AbortController();
  const order: number[] = [];
  const calls = [0, 1, 2, 3].map(async (i) => order.push((await model.predict([1, i, 3], { signal })) && i));
  expect(getEventListeners(signal, "abort")).toHaveLength(4);
  await Promise.all(calls);
  expect(order).toEqual([0, 1, 2, 3]);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  model.dispose();
});

it("dispose rejects running and waiting calls", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.wide);
  const calls = [model.predictInto(new Float64Array(3 * 2_000_000), new Float64Array(2_000_000)), model.predict([1, 2, 3])];
  setTimeout(() => model.dispose(), 20);
  for (const { reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[])
    expect(reason).toMatchObject({ code: "WORKER_DIED", message: expect.stringContaining("it was disposed of") });
  await Promise.all(opened.map(gone));
});

it("ends the other threads if one of several does not start", async () => {
  const kill = (worker: Worker): void => {
    if (opened.length === 2) void worker.terminate();
  };
  process.on("worker", kill);
  try {
    await expect(threaded(files.network, { workers: 3 })).rejects.toMatchObject({ code: "WORKER_DIED" });
  } finally {
    process.off("worker", kill);
  }
  expect(opened.length).toBeGreaterThanOrEqual(3);
  await Promise.all(opened.map(gone));
});

it("aborts a running call by ending its thread, drops waiting calls, and replaces the thread", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.wide);
  const endless = new Float64Array(3 * 2_000_000); // minutes
  const [first, second] = [new AbortController(), new AbortController()];
  const running = model.predictInto(endless, new Float64Array(2_000_000), { signal: first.signal });
  const waiting = model.predict([1, 2, 3], { signal: second.signal });
  const last = model.predict([1, 2, 3]);
  const ends = Promise.allSettled([running, waiting, last]);
  setTimeout(() => second.abort(new Error("not wanted")), 20);
  setTimeout(() => first.abort(new Error("too long")), 60);
  await expect(waiting).rejects.toThrow("not wanted");
  await expect(running).rejects.toThrow("too long");
  const here = await predictor<Sync.NetworkPredictor>(files.wide);
  expect(await last).toEqual(here.predict([1, 2, 3]));
  await ends;
  expect(opened).toHaveLength(2);
  await expect(model.predict([1, 2, 3], { signal: AbortSignal.abort(new Error("before")) })).rejects.toThrow("before");
  expect(opened).toHaveLength(2);
  model.dispose();
});

it("a thread that dies rejects only its own call", async () => {
  const model = await threaded<Sync.NetworkPredictor>(files.wide);
  const calls = [1, 2].map((i) => model.predict([i, 2, 3]));
  const settled = Promise.allSettled(calls);
  await opened[0].terminate();
  const [one, two] = await settled;
  expect(one).toMatchObject({ status: "rejected", reason: { code: "WORKER_DIED", name: "WorkerError" } });
  expect((one as PromiseRejectedResult).reason.message).toMatch(
    /the thread ended during the call: it exited with code 1; call again/,
  );
  expect(two.status).toBe("fulfilled");
  // The death of an idle thread rejects no call.
  await opened[1].terminate();
  await new Promise((go) => setTimeout(go, 10));
  expect((await model.predict([[1, 2, 3]])).length).toBe(1);
  expect(opened).toHaveLength(3);
  model.dispose();
});

it("reports the same errors and positions as the predictor on this thread", async () => {
  const model = await threaded<Sync.LinearPredictor>(files.linear);
  const here = await predictor<Sync.LinearPredictor>(files.linear);
  const said = async (call: () => unknown): Promise<unknown> => {
    try {
      await call();
    } catch (error) {
      const { name, message, code } = error as { name: string; message: string; code?: string };
      return { name, message, code };
    }
    return "nothing";
  };
  const bad: unknown[] = [{ age: 3 }, { age: "x", town: "a" }, [1], 3, null, [{ age: 1, town: "a" }, {}]];
  for (const row of bad) {
    const expected = await said(() => here.predict(row as never));
    expect(expected).not.toBe("nothing");
    expect(await said(() => model.predict(row as never))).toEqual(expected);
  }
  const small = new Float64Array(3);
  for (const [given, out] of [
    [rows, small],
    [new Float64Array(3), new Float64Array(99)],
    [3, small],
    [rows, [1]],
  ] as unknown as [typeof rows, Float64Array][]) {
    const expected = await said(() => here.predictInto(given, out));
    expect(expected).not.toBe("nothing");
    expect(await said(() => model.predictInto(given, out))).toEqual(expected);
  }
  expect(await said(() => model.predict([() => 1] as never))).toMatchObject({
    name: "OptionError",
    code: "WORKER_ARGUMENT",
    message: expect.stringMatching(/^predict: an argument cannot be sent to a thread: .*; give plain rows/),
  });
  expect(await model.predict(rows[0])).toEqual(here.predict(rows[0])); // the thread is free again
  const data = lib.Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
  expect(await said(() => model.predict(data as never))).toMatchObject({ code: "OPTION_TYPE" });
  expect(await said(() => model.predict(rows, { sginal: 1 } as never))).toMatchObject({ code: "OPTION_UNKNOWN" });
  expect(await said(() => model.predict(rows, { signal: new AbortController() } as never))).toMatchObject({
    message: expect.stringContaining("controller.signal"),
  });
  model.dispose();
  expect(await said(() => model.predict(rows))).toMatchObject({ code: "WORKER_DIED" });
});

it("leaves no thread behind after an invalid file or invalid options", async () => {
  const broken = join(folder, "broken.safetensors");
  const bytes = readFileSync(files.network);
  bytes[bytes.length - 5] ^= 64;
  writeFileSync(broken, bytes);
  await expect(threaded(broken, { workers: 3 })).rejects.toThrow(/broken\.safetensors.*\[MODEL_FORMAT\]/s);
  await expect(threaded(join(folder, "none.safetensors"))).rejects.toThrow(/none\.safetensors: cannot be read.*FILE_READ/s);
  await expect(threaded(files.wide, { maxWork: 10 })).rejects.toThrow(/maxWork/);
  const before = opened.length;
  for (const options of [{ workers: 0 }, { workers: 1.5 }, { workers: 1e9 }, { wrokers: 1 }, { script: 3 }])
    await expect(threaded(files.linear, options as never)).rejects.toThrow(/^predictor: .*OPTION_/);
  expect(opened).toHaveLength(before);
  await expect(threaded(files.linear, { script: pathToFileURL(join(folder, "none.mjs")) })).rejects.toThrow(
    /^predictor: the thread ended during the call: .*none\.mjs.*WORKER_DIED/s,
  );
  await expect(threaded(files.linear, { script: "https://example.org/serve.js" })).rejects.toThrow(
    /^predictor: a thread cannot be started: .*WORKER_START/s,
  );
  await Promise.all(opened.map(gone));
});

it("a process exits without dispose, but not while a call runs", async () => {
  const code = `import { predictor } from ${JSON.stringify(dist("predict/async.js"))};
    const model = await predictor(${JSON.stringify(files.network)});
    model.predict([1, 2, 3]).then(({ value }) => console.log(typeof value));`;
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], { timeout: 60_000 });
  expect(stdout).toBe("number\n");
});

it("types distinguish the kinds of predictors", () => {
  type Any = Awaited<ReturnType<typeof threaded>>;
  expectTypeOf<Any["kind"]>().toEqualTypeOf<"linear" | "network" | "factorisation">();
  const use = (model: Any, one: Async.AsyncOf<Sync.LinearPredictor<"class", "age">>): void => {
    if (model.kind === "factorisation") expectTypeOf(model).toEqualTypeOf<Async.AsyncFactorPredictor>();
    else expectTypeOf(model.width).toEqualTypeOf<number>();
    expectTypeOf(one.predict({ age: 1 }))
      .resolves.toHaveProperty("value")
      .toEqualTypeOf<string>();
    // @ts-expect-error a column that there is not
    void one.predict({ aeg: 1 });
  };
  expect(use).toBeTypeOf("function");
  expect(fileURLToPath(dist("predict/serve.js"))).toContain("serve");
});
