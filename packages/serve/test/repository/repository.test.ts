/**
 * The repository alone, on files whose loading the test controls: which files are read and how often, which versions
 * are replaced, and when everything is released.
 */
import { mkdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import type { Served } from "../../src/models/served.ts";
import { ModelVersion } from "../../src/repository/model-version.ts";
import { Repository, type RepositorySettings } from "../../src/repository/repository.ts";
import { temporary } from "../server/models.ts";

const path = temporary();
const response = { socket: null } as never;
const plain = { priority: undefined, deadlineMs: undefined };

/** A model that answers requests with its name on request, and logs its runs and its closing. */
function slow(name: string, log: string[]): { served: Served; answer(): void } {
  const waiting: (() => void)[] = [];
  const served = {
    platform: "test",
    inputs: [],
    outputs: [],
    converts: true,
    rowsOf: () => 1,
    run(works: unknown[]) {
      log.push(`${name} runs ${works.join()}`);
      return new Promise((resolve) => waiting.push(() => resolve(works.map(() => name))));
    },
    close: () => void log.push(`${name} closed`),
  } as unknown as Served;
  return {
    served,
    answer() {
      for (const one of waiting.splice(0)) one();
    },
  };
}

/** A repository of a folder with these versions of "m", which `load` reads. */
function repositoryOf(name: string, versions: readonly string[], more: Partial<RepositorySettings>): Repository {
  for (const version of versions) write(name, version);
  const unread = { load: () => Promise.reject(new Error("cannot be read")), report: () => {} };
  const settings = { sources: [{ path: path(name) }], fixed: new Map(), batching: {}, versions: 1, pollMs: Infinity };
  return new Repository({ ...settings, ...unread, ...more });
}

function write(name: string, version: string): void {
  mkdirSync(path(name, "m", version), { recursive: true });
  writeFileSync(path(name, "m", version, "model.safetensors"), version);
}

test("reads an unreadable file again only after it has changed", async () => {
  const reads: string[] = [];
  const load = async (file: string): Promise<Served> => {
    reads.push(file.split("/").at(-2)!);
    throw new Error("no model");
  };
  const said: string[] = [];
  const repository = repositoryOf("bad", ["1", "2"], { load, pollMs: 5, report: (_, message) => void said.push(message) });
  await repository.start();
  await sleep(60);
  expect([reads, said]).toEqual([
    ["2", "1"],
    ["cannot be served", "cannot be served"],
  ]);
  utimesSync(path("bad", "m", "1", "model.safetensors"), 1e9, 1e9);
  await expect.poll(() => reads).toEqual(["2", "1", "1"]);
  await repository.close();
});

test("removes an unreadable file from the index once it is gone", async () => {
  const repository = repositoryOf("gone", ["1"], {});
  await repository.start();
  expect(repository.index()).toMatchObject([
    { name: "m", version: "1", state: "UNAVAILABLE", reason: "internal: cannot be read" },
  ]);
  rmSync(path("gone", "m"), { recursive: true });
  await expect(repository.load("m")).rejects.toThrow('model "m": is not known; there is none');
  expect(repository.index()).toEqual([]);
  await repository.close();
});

test("removes one of several unreadable files from the index once it is gone", async () => {
  const { served } = slow("m", []);
  const load = (file: string): Promise<Served> =>
    file.includes("/2/") ? Promise.reject(new Error("no")) : Promise.resolve(served);
  const repository = repositoryOf("one", ["1", "2"], { load });
  await repository.start();
  rmSync(path("one", "m", "2"), { recursive: true });
  await repository.load("m");
  expect(repository.index()).toEqual([{ name: "m", version: "1", state: "READY", reason: "" }]);
  await repository.close();
});

test("releases a replaced version once it has answered", async () => {
  const log: string[] = [];
  const models = new Map(["1", "2"].map((version) => [version, slow(version, log)]));
  const load = async (file: string): Promise<Served> => models.get(file.split("/").at(-2)!)!.served;
  const repository = repositoryOf("aside", ["1"], { load });
  await repository.start();
  const before = repository.get("m").answer("a", plain, response);
  await sleep(10);
  write("aside", "2");
  await repository.load("m");
  expect(repository.versionsOf("m")).toEqual(["2"]);
  expect(log).toEqual(["1 runs a"]);
  models.get("1")!.answer();
  expect((await before).answer).toBe("1");
  await sleep(10);
  expect(log).toEqual(["1 runs a", "1 closed"]);
  await repository.close();
});

test("close waits for accepted requests, including those of replaced versions", async () => {
  const log: string[] = [];
  const models = ["first", "second"].map((name) => slow(name, log));
  const left = [...models];
  const repository = repositoryOf("closing", ["1"], { load: async () => left.shift()!.served });
  await repository.start();
  const asked = [repository.get("m").answer("a", plain, response)];
  await sleep(10);
  await repository.load("m");
  asked.push(repository.get("m").answer("b", plain, response));
  await sleep(10);
  const closing = repository.close().then(() => log.push("all closed"));
  for (const { answer } of models.toReversed()) {
    await sleep(20);
    expect(log).not.toContain("all closed");
    answer();
  }
  await closing;
  expect((await Promise.all(asked)).map(({ answer }) => answer)).toEqual(["first", "second"]);
  expect(log).toEqual(["first runs a", "second runs b", "second closed", "first closed", "all closed"]);
});

describe("a load that hangs", () => {
  /** Loads that the test ends, by version. Closed models are logged. */
  function hanging(name: string, more: Partial<RepositorySettings> = {}) {
    const log: string[] = [];
    const loads = new Map<string, { resolve: (served: Served) => void; reject: (error: Error) => void }>();
    const load = (file: string): Promise<Served> => {
      const label = file.split("/").slice(-3, -1).join();
      log.push(`load ${label}`);
      if (!label.startsWith("m,")) return Promise.resolve(slow(label, log).served);
      return new Promise((resolve, reject) => loads.set(label, { resolve, reject }));
    };
    const report = (level: string, message: string, fields: Record<string, string>): void =>
      void log.push(`${level} ${message} ${fields.model},${fields.version}${fields.reason ? `: ${fields.reason}` : ""}`);
    const repository = repositoryOf(name, ["1"], { load, report, patienceMs: 20, ...more });
    mkdirSync(path(name, "n", "1"), { recursive: true });
    writeFileSync(path(name, "n", "1", "model.safetensors"), "1");
    return { log, loads, repository, folder: path(name) };
  }
  const late = "is still loading after 0.02 s; it will be served once loaded [MODEL]";

  test("does not delay other models, and is served as soon as it ends", async () => {
    const { log, loads, repository, folder } = hanging("hangs");
    await repository.start();
    const reason = `${folder}/m/1/model.safetensors: ${late}`;
    expect(repository.index()).toEqual([
      { name: "m", version: "1", state: "UNAVAILABLE", reason },
      { name: "n", version: "1", state: "READY", reason: "" },
    ]);
    // The load is not started again by later requests.
    await expect(repository.load("m")).rejects.toThrow("is still loading after");
    await repository.load("n");
    loads.get("m,1")!.resolve(slow("m", log).served);
    await expect.poll(() => repository.versionsOf("m")).toEqual(["1"]);
    expect(repository.index()[0].reason).toBe("");
    await repository.close();
    expect(log).toEqual([
      "load m,1",
      `warn cannot be served m,1: ${reason}`,
      ...["load n,1", "info loaded n,1"],
      `warn cannot be served m,1: ${reason}`,
      ...["load n,1", "info reloaded n,1", "n,1 closed"],
      ...["info loaded m,1", "m closed", "n,1 closed"],
    ]);
  });

  test("reports its reason if it finally fails", async () => {
    const { loads, repository } = hanging("fails");
    await repository.start();
    loads.get("m,1")!.reject(new Error("no model after all"));
    await expect.poll(() => repository.index()[0].reason).toBe("internal: no model after all");
    await repository.close();
  });

  test("is closed if its file was replaced, and the new file is served", async () => {
    const { log, loads, repository, folder } = hanging("replaced");
    await repository.start();
    const first = loads.get("m,1")!;
    writeFileSync(`${folder}/m/1/model.safetensors`, "another");
    await expect(repository.load("m")).rejects.toThrow("is still loading after");
    expect(log.filter((line) => line === "load m,1")).toHaveLength(2);
    first.resolve(slow("first", log).served);
    await expect.poll(() => log).toContain("first closed");
    loads.get("m,1")!.resolve(slow("second", log).served);
    await expect.poll(() => repository.versionsOf("m")).toEqual(["1"]);
    await repository.close();
    expect(log).toContain("second closed");
  });

  test("is told to stop only if its file has changed or is gone, or if the server closes", async () => {
    const stopped: string[] = [];
    let count = 0;
    const load = (_file: string, _name: string, signal: AbortSignal): Promise<Served> => {
      const label = String(++count);
      signal.addEventListener("abort", () => stopped.push(`${label}: ${(signal.reason as Error).message.replace(/^.*: /, "")}`));
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    };
    const repository = repositoryOf("stops", ["1"], { load, report: () => {}, patienceMs: 20 });
    const file = path("stops", "m", "1", "model.safetensors");
    await repository.start();
    await expect(repository.load("m")).rejects.toThrow("is still loading after");
    expect(stopped).toEqual([]);
    const gone = "was changed or removed while it was loading; the current file is loaded instead [MODEL]";
    writeFileSync(file, "another");
    await expect(repository.load("m")).rejects.toThrow("is still loading after");
    expect(stopped).toEqual([`1: ${gone}`]);
    rmSync(file);
    await expect(repository.load("m")).rejects.toThrow();
    expect(stopped).toEqual([`1: ${gone}`, `2: ${gone}`]);
    writeFileSync(file, "a third");
    await expect(repository.load("m")).rejects.toThrow("is still loading after");
    await repository.close();
    expect(stopped.slice(2)).toEqual(["3: was not loaded because the server is shutting down; use another server [CLOSING]"]);
  });

  test("is awaited at the start if its file was the only one named", async () => {
    const { loads, log, folder } = hanging("named");
    const source = `${folder}/m/1/model.safetensors`;
    const one = hanging("unused", { sources: [{ path: source }] });
    let started = false;
    const starting = one.repository.start().then(() => (started = true));
    await sleep(50);
    expect([started, loads.size]).toEqual([false, 0]);
    one.loads.get("m,1")!.resolve(slow("m", log).served);
    await starting;
    expect(one.repository.versionsOf("model")).toEqual(["1"]);
    await one.repository.close();
  });

  test("does not delay close, after which its result is closed and no other load begins", async () => {
    const { log, loads, repository } = hanging("closes", { patienceMs: 1e6 });
    const starting = repository.start();
    await expect.poll(() => loads.size).toBe(1);
    expect(repository.index()).toEqual([{ name: "m", version: "1", state: "UNAVAILABLE", reason: "not loaded yet" }]);
    const closing = repository.close();
    await starting;
    expect(log).toEqual(["load m,1"]);
    loads.get("m,1")!.resolve(slow("m", log).served);
    await closing;
    expect(log).toEqual(["load m,1", "m closed"]);
  });

  test("is closed once if it was given up before close", async () => {
    const { log, loads, repository } = hanging("late");
    await repository.start();
    const closing = repository.close();
    loads.get("m,1")!.resolve(slow("m", log).served);
    await closing;
    await sleep(20);
    expect(log.filter((line) => line === "m closed")).toHaveLength(1);
  });

  test("does not delay close even if it never ends", async () => {
    const { loads, repository } = hanging("never", { patienceMs: 1e6 });
    const starting = repository.start();
    await expect.poll(() => loads.size).toBe(1);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const closing = repository.close();
    await vi.advanceTimersByTimeAsync(2000);
    vi.useRealTimers();
    await closing;
    await starting;
  });
});

test("a request without a priority ranks between 4 and 6", async () => {
  const log: string[] = [];
  const { served, answer } = slow("m", log);
  const version = new ModelVersion("m", "1", served, { maxRows: 1 });
  const asked = ([undefined, 6, undefined, 4] as const).map((priority, i) => version.answer(i, { ...plain, priority }, response));
  for (const _ of asked) {
    await sleep(10);
    answer();
  }
  await Promise.all(asked);
  expect(log).toEqual(["m runs 3", "m runs 0", "m runs 2", "m runs 1"]);
});
