/** Models in files: versions, reloading, invalid files, and requests that are pending meanwhile. */

import { execFileSync } from "node:child_process";
import { EventEmitter } from "node:events";
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { serve } from "../../src/index.ts";
import { servedOfFile } from "../../src/models/of-file.ts";
import type { Served } from "../../src/models/served.ts";
import { ModelVersion } from "../../src/repository/model-version.ts";
import { Repository, type RepositorySettings } from "../../src/repository/repository.ts";
import { appOf } from "../../src/server/app.ts";
import { logger } from "../../src/server/log.ts";
import { checkedOptions } from "../../src/server/options.ts";
import { type Answer, get, post, regression, serving, temporary } from "./models.ts";

const path = temporary();
const [two, five] = ["two.safetensors", "five.safetensors"];
beforeAll(async () => {
  mkdirSync(path("files"));
  await (await regression(2)).save(path("files", two));
  await (await regression(5)).save(path("files", five));
});
/** Replaces the file atomically, like a careful writer. */
const put = (from: string, to: string): void => {
  copyFileSync(path("files", from), `${to}.part`);
  renameSync(`${to}.part`, to);
};
const folder = (name: string): string => {
  mkdirSync(path(name));
  return path(name);
};
/** The slope of a: 2 or 5, depending on the model. */
const slope = async (url: string, model = "m", version = ""): Promise<number> => {
  const answer = await post(`${url}/v2/models/${model}${version}/rows`, {
    rows: [
      [1, 0, 0],
      [0, 0, 0],
    ],
  });
  const [one, zero] = answer.json.predictions;
  return Math.round(one.value - zero.value);
};
const index = async (url: string, body: object = {}): Promise<Answer["json"]> =>
  (await post(`${url}/v2/repository/index`, body)).json;
const READY = { state: "READY", reason: "" };

test("serves the newest version of a folder and as many others as configured", async () => {
  const models = folder("versions");
  put(two, `${models}/plain.safetensors`);
  for (const [version, file] of [
    ["1", two],
    ["2", two],
    ["10", five],
    ["0", two],
    ["x", two],
  ]) {
    mkdirSync(`${models}/m/${version}`, { recursive: true });
    put(file, `${models}/m/${version}/model.safetensors`);
  }
  mkdirSync(`${models}/empty`);
  writeFileSync(`${models}/notes.txt`, "");
  const one = await serving({ models });
  expect(await index(one.url)).toEqual([
    { name: "m", version: "10", ...READY },
    { name: "m", version: "2", state: "UNAVAILABLE", reason: "older than the served versions (at most 1)" },
    { name: "m", version: "1", state: "UNAVAILABLE", reason: "older than the served versions (at most 1)" },
    { name: "plain", version: "1", ...READY },
  ]);
  expect(await index(one.url, { ready: true })).toHaveLength(2);
  expect(one.models()).toEqual(await index(one.url));
  expect(await slope(one.url)).toBe(5);
  expect((await get(`${one.url}/v2/models/m/versions/2`)).json.error).toMatch(/is not served \(older than the served versions/);

  const both = await serving({ models, versions: 2 });
  expect((await get(`${both.url}/v2/models/m`)).json.versions).toEqual(["10", "2"]);
  expect(await slope(both.url)).toBe(5);
  expect(await slope(both.url, "m", "/versions/2")).toBe(2);
});

test("logs the models served at the start, and no others", async () => {
  const models = folder("told");
  put(two, `${models}/m.safetensors`);
  for (const version of ["1", "2"]) {
    mkdirSync(`${models}/k/${version}`, { recursive: true });
    put(two, `${models}/k/${version}/model.safetensors`);
  }
  writeFileSync(`${models}/bad.safetensors`, "no model");
  const logs: string[] = [];
  await serving({ models, versions: 2, log: "errors", logTo: { write: (line: string) => logs.push(line) } });
  const told = logs.map((line) => JSON.parse(line)).filter(({ message }) => message === "serves");
  expect(told).toMatchObject([{ models: ["k", "m"] }]);
});

test("serves one model of a version with two kinds, and reports this in the log and the index", async () => {
  const models = folder("both");
  for (const version of ["1", "2"]) {
    mkdirSync(`${models}/m/${version}`, { recursive: true });
    put(two, `${models}/m/${version}/model.safetensors`);
  }
  const logs: string[] = [];
  const options = { log: "errors", logTo: { write: (line: string) => logs.push(line) }, control: true } as const;
  const { url } = await serving({ models, versions: 2, ...options });
  expect(await index(url)).toMatchObject([READY, READY]);
  writeFileSync(`${models}/m/1/model.onnx`, "");
  const reason = "model.onnx is in the same folder, and is not served; remove one of the two";
  for (let again = 0; again < 2; again++) {
    expect((await post(`${url}/v2/repository/models/m/load`, "")).status).toBe(200);
    expect(await index(url)).toEqual([
      { name: "m", version: "2", ...READY },
      { name: "m", version: "1", state: "READY", reason },
    ]);
  }
  const warned = logs.map((line) => JSON.parse(line)).filter(({ level }) => level === "warn");
  expect(warned).toMatchObject([{ message: reason, model: "m", version: "1" }]);
  expect(warned).toHaveLength(1);
  rmSync(`${models}/m/1/model.onnx`);
  expect((await post(`${url}/v2/repository/models/m/load`, "")).status).toBe(200);
  expect(await index(url)).toMatchObject([READY, READY]);
});

test("serves several files, and files by name", async () => {
  const list = await serving({ models: [path("files", two), path("files", five)] });
  expect([await slope(list.url, "two"), await slope(list.url, "five")]).toEqual([2, 5]);
  const named = await serving({ models: { b: path("files", five) } });
  expect(await slope(named.url, "b")).toBe(5);
});

describe("a file that changes", () => {
  const control = { tokens: ["0123456789abcdef"] };
  const headers = { authorization: "Bearer 0123456789abcdef" };
  const load = (url: string, model: string, action = "load", body: object | string = ""): Promise<Answer> =>
    post(`${url}/v2/repository/models/${model}/${action}`, body, headers);
  const open = { pollMs: Infinity, control: true };

  test("is reloaded on request and at regular intervals", async () => {
    const models = folder("changes");
    put(two, `${models}/m.safetensors`);
    const asked = await serving({ models, ...open });
    const polled = await serving({ models, pollMs: 20 });
    put(five, `${models}/m.safetensors`);
    put(two, `${models}/n.safetensors`);
    expect(await slope(asked.url)).toBe(2);
    expect((await load(asked.url, "m")).status).toBe(200);
    expect(await slope(asked.url)).toBe(5);
    await expect.poll(() => slope(polled.url), { timeout: 60_000 }).toBe(5);
    await expect.poll(async () => (await get(`${polled.url}/v2/models/n`)).status, { timeout: 60_000 }).toBe(200);
    rmSync(`${models}/n.safetensors`);
    await expect.poll(async () => (await get(`${polled.url}/v2/models/n`)).status, { timeout: 60_000 }).toBe(404);
    expect(await index(polled.url)).toEqual([{ name: "m", version: "1", ...READY }]);
  });

  test("is not loaded under a name in use, with the reason in the index, while others are reloaded", async () => {
    const models = folder("doubled");
    put(two, `${models}/m.safetensors`);
    put(two, `${models}/n.safetensors`);
    const logs: string[] = [];
    const { url } = await serving({ models, ...open, log: "errors", logTo: { write: (line: string) => logs.push(line) } });
    mkdirSync(`${models}/m/7`, { recursive: true });
    put(five, `${models}/m/7/model.safetensors`);
    put(five, `${models}/n.safetensors`);
    const reason = expect.stringMatching(/doubled: holds a second model "m"; rename one of the two \[MODEL_NAME\]$/);
    for (let again = 0; again < 2; again++) expect((await load(url, "n")).status).toBe(200);
    expect([await slope(url, "m"), await slope(url, "n")]).toEqual([2, 5]);
    expect(await index(url)).toEqual([
      { name: "m", version: "1", state: "READY", reason },
      { name: "n", version: "1", ...READY },
    ]);
    const refused = await load(url, "m");
    expect([refused.status, refused.json.error]).toEqual([
      400,
      expect.stringMatching(/^model "m": cannot be loaded: .*rename one/),
    ]);
    expect(logs.filter((line) => JSON.parse(line).level === "warn").map((line) => JSON.parse(line))).toMatchObject([
      { model: "m", message: reason },
    ]);
    rmSync(`${models}/m.safetensors`);
    expect((await load(url, "m")).status).toBe(200);
    expect(await slope(url, "m")).toBe(5);
    expect((await index(url))[0]).toEqual({ name: "m", version: "7", ...READY });
  });

  test("is not replaced by older versions if it becomes invalid", async () => {
    const models = folder("newest-turns-bad");
    for (const version of ["1", "2"]) mkdirSync(`${models}/m/${version}`, { recursive: true });
    put(two, `${models}/m/1/model.safetensors`);
    put(five, `${models}/m/2/model.safetensors`);
    const { url } = await serving({ models, ...open });
    writeFileSync(`${models}/m/2/model.safetensors`, "{}");
    expect((await load(url, "m")).status).toBe(400);
    expect((await get(`${url}/v2/models/m`)).json.versions).toEqual(["2"]);
    expect(await slope(url)).toBe(5);
  });

  test("keeps its old model if it becomes invalid, with the reason in the index, until it is valid again", async () => {
    const models = folder("bad");
    mkdirSync(`${models}/m/1`, { recursive: true });
    put(two, `${models}/m/1/model.safetensors`);
    const { url } = await serving({ models, ...open });
    // The file is truncated in place.
    truncateSync(`${models}/m/1/model.safetensors`, 200);
    const refused = await load(url, "m");
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatch(/^version "1" of model "m": cannot be served: .*model\.safetensors/);
    expect(await slope(url)).toBe(2);
    expect(await index(url)).toEqual([
      { name: "m", version: "1", state: "READY", reason: expect.stringMatching(/model\.safetensors/) },
    ]);
    // If a new version is invalid, the previous version is served.
    mkdirSync(`${models}/m/2`);
    writeFileSync(`${models}/m/2/model.safetensors`, "no model");
    expect((await load(url, "m")).json.error).toMatch(/^version "2" of model "m"/);
    expect(await slope(url)).toBe(2);
    expect((await index(url)).map(({ version, state }: { version: string; state: string }) => [version, state])).toEqual([
      ["2", "UNAVAILABLE"],
      ["1", "READY"],
    ]);
    put(five, `${models}/m/2/model.safetensors`);
    expect((await load(url, "m")).status).toBe(200);
    expect(await slope(url)).toBe(5);
    expect((await index(url))[0]).toEqual({ name: "m", version: "2", ...READY });
    // Back to the previous version.
    rmSync(`${models}/m/2`, { recursive: true });
    put(two, `${models}/m/1/model.safetensors`);
    for (let i = 0; i < 2; i++) expect((await load(url, "m")).status).toBe(200);
    expect(await slope(url)).toBe(2);
  });

  test("is still served if it disappears for a moment during replacement", async () => {
    const models = folder("moment");
    put(two, `${models}/m.safetensors`);
    put(two, `${models}/n.safetensors`);
    const { url } = await serving({ models, ...open });
    rmSync(`${models}/m.safetensors`);
    expect((await load(url, "n")).status).toBe(200);
    expect(await slope(url)).toBe(2);
    put(five, `${models}/m.safetensors`);
    await load(url, "n");
    expect(await slope(url)).toBe(5);
    rmSync(`${models}/m.safetensors`);
    for (let i = 0; i < 2; i++) await load(url, "n");
    expect((await get(`${url}/v2/models/m`)).status).toBe(404);
  });

  test.skipIf(process.platform === "win32")(
    "is not opened if it becomes an irregular file, and delays nothing else",
    async () => {
      const models = folder("irregular");
      put(two, `${models}/m.safetensors`);
      // Nothing writes into it, so opening it would block forever.
      execFileSync("mkfifo", [`${models}/f.safetensors`]);
      symlinkSync("/dev/zero", `${models}/g.safetensors`);
      symlinkSync(path("files", five), `${models}/h.safetensors`);
      mkdirSync(`${models}/i.safetensors`);
      mkdirSync(`${models}/j/1`, { recursive: true });
      execFileSync("mkfifo", [`${models}/j/1/model.onnx`]);
      const server = await serve({ models, ...open, port: 0, log: "nothing" });
      const irregular = (name: string, what: string, file = `${name}.safetensors`) => {
        const reason = `${models}/${file}: is ${what}, but a model is a regular file; move it, or put a model in its place [FILE_KIND]`;
        return { name, version: "1", state: "UNAVAILABLE", reason };
      };
      expect(await index(server.url)).toEqual([
        irregular("f", "a FIFO"),
        irregular("g", "a device"),
        { name: "h", version: "1", ...READY },
        irregular("i", "a folder"),
        irregular("j", "a FIFO", "j/1/model.onnx"),
        { name: "m", version: "1", ...READY },
      ]);
      expect(await slope(server.url, "h")).toBe(5);
      put(five, `${models}/m.safetensors`);
      expect((await load(server.url, "m")).status).toBe(200);
      expect(await slope(server.url)).toBe(5);
      put(two, `${models}/f.safetensors`);
      expect((await load(server.url, "f")).status).toBe(200);
      await server.close();
      await expect(serve({ models: `${models}/j/1/model.onnx`, port: 0, log: "nothing" })).rejects.toThrow(
        "model.onnx: is a FIFO",
      );
    },
  );

  test("keeps an unloaded model unloaded until it is loaded again", async () => {
    const models = folder("unloaded");
    put(two, `${models}/m.safetensors`);
    put(two, `${models}/n.safetensors`);
    const { url } = await serving({ models, ...open });
    expect((await load(url, "m", "unload", { parameters: { unload_dependents: false } })).status).toBe(200);
    expect((await load(url, "n")).status).toBe(200);
    const gone = await get(`${url}/v2/models/m`);
    expect(gone.status).toBe(404);
    expect(gone.json.error).toMatch(/is not served \(unloaded\)/);
    expect((await load(url, "m")).status).toBe(200);
    expect(await slope(url)).toBe(2);
    expect((await load(url, "x", "unload")).status).toBe(404);
    expect((await load(url, "x")).status).toBe(404);
    expect((await load(url, "m", "load", { parameters: { config: "{}" } })).json.error).toMatch(/"config" is not known/);
  });

  test("refuses loading and unloading by clients unless allowed", async () => {
    const plain = await serving({ models: path("files") });
    expect((await load(plain.url, "two")).status).toBe(403);
    expect((await load(plain.url, "two", "unload")).json.error).toMatch(/is not allowed here/);
    expect(await slope(plain.url, "two")).toBe(2);
    const guarded = await serving({ models: path("files"), ...control });
    expect((await load(guarded.url, "two", "unload")).status).toBe(200);
    const forbidden = await serving({ models: path("files"), ...control, control: false });
    expect((await load(forbidden.url, "two", "unload")).status).toBe(403);
  });
});

describe("refusals at the start", () => {
  const start = (models: unknown): Promise<unknown> =>
    serving((typeof models === "object" && models !== null && "host" in models ? models : { models }) as never);
  test.each<[string, () => unknown, RegExp]>([
    ["a file that is not there", () => path("none.safetensors"), /none\.safetensors: cannot be read/],
    [
      "a file that is no model",
      () => [path("files", two), import.meta.filename],
      /^\S+: is not a model; give a file that ends in \S+ or/,
    ],
    [
      "a damaged model, once",
      () => [path("files", two), path("damaged.safetensors")],
      /^\S*damaged\.safetensors: (?!.*damaged\.safetensors).*\]$/,
    ],
    [
      "a host of elsewhere",
      () => ({ models: path("files"), host: "192.0.2.1" }),
      /cannot listen on 192\.0\.2\.1:0 .*give an address of this machine/,
    ],
    ["two models of one name", () => [path("files", two), path("versions2", two)], /holds a second model "two"/],
    ["a folder for one name", () => ({ m: path("files") }), /holds 2 models, but must be the one model called "m"/],
    ["nothing", () => [], /models must be a path/],
    ["a name that is none", () => ({ "a/b": path("files", two) }), /a name without \/ and spaces/],
    ["a number", () => ({ m: 3 }), /models\.m must be a path, or a result of predictor/],
  ])("refuses %s", async (_, models, said) => {
    mkdirSync(path("versions2"), { recursive: true });
    copyFileSync(path("files", two), path("versions2", two));
    writeFileSync(path("damaged.safetensors"), "{}");
    await expect(start(models())).rejects.toThrow(said);
  });

  test("opens its port before it loads the models", async () => {
    const { url } = await serving({ models: path("files", two) });
    const port = Number(new URL(url).port);
    await expect(serve({ models: path("none.safetensors"), port, log: "nothing" })).rejects.toThrow(/use another port/);
  });

  test("is live but not ready while models load, and answers 503 for them", async () => {
    const settings = checkedOptions({ models: "m", log: "nothing" });
    let loaded = (): void => {};
    const load = async (file: string): Promise<Served> => {
      await new Promise<void>((resolve) => (loaded = resolve));
      return servedOfFile(file, { workers: 0, maxBatch: 1 });
    };
    const repository = new Repository({
      ...{ sources: [{ path: path("files", two) }], fixed: new Map(), batching: {}, versions: 1, pollMs: Infinity, load },
      report: () => {},
    });
    const app = await appOf({
      settings,
      repository,
      log: logger("nothing", process.stderr),
      draining: false,
      answers: new Map(),
    });
    const started = repository.start();
    const ask = async (url: string) => {
      const { statusCode, headers, body } = await app.inject({ url });
      return [statusCode, headers["retry-after"], body] as const;
    };
    expect(await ask("/v2/health/live")).toEqual([200, undefined, '{"live":true}']);
    for (const url of ["/v2/health/ready", "/v2/models/two", "/v2/models/two/ready", "/v2/models/other"])
      expect(await ask(url)).toEqual([503, "1", expect.stringMatching(/still being loaded; try again later \[LOADING\]/)]);
    await vi.waitUntil(() => {
      loaded();
      return repository.isStarted;
    });
    await started;
    expect(await ask("/v2/health/ready")).toEqual([200, undefined, '{"ready":true}']);
    expect((await ask("/v2/models/two"))[0]).toBe(200);
    expect((await ask("/v2/models/other"))[0]).toBe(404);
    await app.close();
    await repository.close();
  });

  test("accepts a folder without models, and logs which files it expects", async () => {
    const logs: string[] = [];
    const log = { log: "errors", logTo: { write: (line: string) => logs.push(line) } } as const;
    await serving({ models: folder("none-yet"), ...log });
    expect(logs.map((line) => JSON.parse(line)).find(({ level }) => level === "warn")).toMatchObject({
      models: path("none-yet"),
      message: expect.stringMatching(/^there is no model yet: put NAME\.safetensors, .*NAME\/VERSION\/model\.safetensors/),
    });
    logs.length = 0;
    await serving({ models: path("files"), ...log });
    expect(logs.join("")).not.toMatch(/no model yet|"warn"/);
  });

  test("logs what replaces a bad file: older versions or nothing", async () => {
    const models = folder("instead");
    for (const version of ["1", "2"]) mkdirSync(`${models}/m/${version}`, { recursive: true });
    put(two, `${models}/m/1/model.safetensors`);
    for (const bad of ["m/2/model", "alone"]) writeFileSync(`${models}/${bad}.safetensors`, "{}");
    const logs: string[] = [];
    await serving({ models, log: "errors", logTo: { write: (line: string) => logs.push(line) } });
    const warned = logs.map((line) => JSON.parse(line)).filter(({ level }) => level === "warn");
    expect(Object.fromEntries(warned.map(({ model, instead }) => [model, instead]))).toEqual({
      alone: "nothing",
      m: "older versions",
    });
  });

  test("excludes only the bad file of a folder", async () => {
    const models = folder("one-bad");
    put(two, `${models}/m.safetensors`);
    writeFileSync(`${models}/bad.safetensors`, readFileSync(path("files", two)).subarray(0, 100));
    const { url } = await serving({ models });
    expect(await slope(url)).toBe(2);
    expect((await index(url))[0]).toMatchObject({
      name: "bad",
      state: "UNAVAILABLE",
      reason: expect.stringMatching(/bad\.safetensors/),
    });
    expect((await get(`${url}/v2/models/bad`)).json.error).toMatch(/^model "bad": is not served \(.*bad\.safetensors/);
  });
});

describe("pending requests when a model is replaced", () => {
  /** A model that answers on request. */
  function slow(name: string, log: string[]): { served: Served; answer(): void } {
    let release: (() => void)[] = [];
    const served = {
      platform: "test",
      inputs: [],
      outputs: [],
      converts: true,
      fromTensors: () => 0,
      rowsOf: () => 1,
      run: (works: unknown[]) => new Promise((resolve) => release.push(() => resolve(works.map(() => name)))),
      output: () => ({ shape: [], elements: [] }),
      close: () => void log.push(`${name} closed`),
    } as unknown as Served;
    return {
      served,
      answer: () => {
        for (const one of release) one();
        release = [];
      },
    };
  }
  const response = { socket: null } as never;
  const plain = { priority: undefined, deadlineMs: undefined };
  const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
  const settings = (source: string, load: RepositorySettings["load"]): RepositorySettings => ({
    sources: [{ path: source }],
    fixed: new Map(),
    batching: {},
    versions: 1,
    pollMs: Infinity,
    load,
    report: () => {},
  });

  test("are answered by the model that accepted them, which is closed afterwards", async () => {
    const models = folder("swap");
    put(two, `${models}/m.safetensors`);
    const log: string[] = [];
    const [first, second] = [slow("first", log), slow("second", log)];
    const files = [first, second];
    const repository = new Repository(settings(models, async () => files.shift()!.served));
    await repository.start();
    const before = repository.get("m").answer(0, plain, response);
    await turn();
    await repository.load("m");
    const after = repository.get("m").answer(0, plain, response);
    await turn();
    expect(log).toEqual([]);
    second.answer();
    expect((await after).answer).toBe("second");
    expect(log).toEqual([]);
    first.answer();
    expect((await before).answer).toBe("first");
    await turn();
    expect(log).toEqual(["first closed"]);
    await repository.close();
    expect(log).toEqual(["first closed", "second closed"]);
  });

  test("are not computed for a client that has left", async () => {
    const model = slow("m", []);
    const version = new ModelVersion("m", "1", model.served, {});
    const socket = new EventEmitter();
    const [first, left, later] = [{ socket: null }, { socket }, { socket: null }].map((one) =>
      version.answer(0, plain, one as never).then(
        () => "answered",
        ({ message }) => message,
      ),
    );
    socket.emit("close");
    expect(await left).toMatch(/^client: it disconnected/);
    await turn();
    model.answer();
    expect(await Promise.all([first, later])).toEqual(["answered", "answered"]);
    expect(version.batches.stats()).toMatchObject({ answered: 2, cancelled: 1, rows: 2 });
  });

  test("are released by their connection once they are answered or refused", async () => {
    const { served } = slow("m", []);
    for (const run of [async () => ["fine"], async () => [new Error("no")]]) {
      const version = new ModelVersion("m", "1", { ...served, run } as typeof served, {});
      const cancel = vi.spyOn(version.batches, "cancel");
      const socket = new EventEmitter();
      const answer = version.answer(0, plain, { socket } as never).then(
        ({ answer }) => answer,
        ({ message }) => message,
      );
      expect(["fine", "no"]).toContain(await answer);
      socket.emit("close");
      expect(cancel).not.toHaveBeenCalled();
    }
  });

  test("reads a file again that changes while it is read", async () => {
    const models = folder("reading");
    put(two, `${models}/m.safetensors`);
    const log: string[] = [];
    let reads = 0;
    const load = async () => {
      if (++reads === 1) put(five, `${models}/m.safetensors`);
      return slow(`read ${reads}`, log).served;
    };
    const repository = new Repository({ ...settings(models, load) });
    await expect(repository.start()).resolves.toBeUndefined();
    expect(log).toEqual(["read 1 closed"]);
    expect(repository.index()).toEqual([
      { name: "m", version: "1", state: "UNAVAILABLE", reason: expect.stringMatching(/changed while it was read/) },
    ]);
    await repository.load("m");
    expect(repository.index()).toEqual([{ name: "m", version: "1", ...READY }]);
    await repository.close();
  });
});
