/** `ergodic/worker` in Node: every verb gives the same results as on the main thread, bit for bit. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, it, vi } from "vitest";
import { ENTRIES } from "../../browser/whole-library.ts";
import { expectTheSame, type Gave } from "./checked.ts";
import { moduleText, verbs } from "./verbs-task.ts";

const dist = (file: string): string => new URL(`../../../dist/${file}`, import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "ergodic-worker-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("returns the verbs' results and errors, and stops, pauses, checkpoints and resumes runs", async () => {
  const module = join(folder, "module.mjs");
  writeFileSync(module, moduleText(dist("entries/index.js")));
  const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...given: unknown[]) => Promise<Gave>;
  const [compiler, { worker }, ...entries] = await Promise.all(
    ["entries/compiler.js", "join/worker/index.js", ...ENTRIES.map((name) => `entries/${name}.js`)].map(
      (file) => import(dist(file)),
    ),
  );
  const lib = { ...Object.assign({}, ...entries), compiler };
  // Not through the test's own loader, whose modules would be different instances.
  const task = new AsyncFunction("lib", "worker", "module", "imported", verbs.replace("await import(module)", "imported"));
  const imported = await import(/* @vite-ignore */ pathToFileURL(module).href);
  expectTheSame(await task(lib, worker, pathToFileURL(module).href, imported));
});

it("converts a regression to a density on this thread and returns the draws and rows of sample", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const { regression, sample } = await import(dist("entries/index.js"));
  const x = [1, 2, 3, 4, 5, 6, 7, 8];
  const data = { x, y: x.map((value) => 2 * value + Math.sin(value)), g: x.map((value) => (value % 2 ? "odd" : "even")) };
  const model = regression("y ~ x + (1 | g)");
  const options = { seed: 1, chains: 1, warmup: 30, draws: 20, deterministic: true };
  const apart = worker();
  const [there, here] = [await apart.sample(model, data, options), await sample(model, data, options)];
  expect(there.quantities).toEqual(here.quantities);
  for (const { name } of here.quantities) expect(there.draws(name)).toEqual(here.draws(name));
  const row = { x: 9, g: "neither" };
  expect(await there.predict([row])).toEqual(await here.predict([row]));
  apart.dispose();
});

it("returns results that print as the results of this thread", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const { fit, linear, model, normal, vector, Dataset } = await import(dist("entries/index.js"));
  const mean = model(({ data, param, observe }: Record<string, (...given: unknown[]) => never>) => {
    const { y } = data({ y: vector("N") }) as { y: unknown };
    observe(y, normal(param("mu", normal(0, 2)), 1));
  });
  const rows = Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
  const withoutTime = (text: string): string => text.replace(/^run .*$|[\d.]+ s,/m, "");
  const apart = worker();
  for (const verbs of [(lib: typeof apart) => lib.fit(mean, { y: [1, 2] }), (lib: typeof apart) => lib.fit(linear(), rows)]) {
    const [there, here] = [await verbs(apart), await verbs({ fit } as typeof apart)];
    expect(withoutTime(`${there}`)).toBe(withoutTime(`${here}`));
    expect(`${there}`).not.toContain("[object");
  }
  apart.dispose();
});

it("reports a thread that cannot start or a missing module as an error of the run", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const { linear, Dataset } = await import(dist("entries/index.js"));
  const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
  const lost = worker({ script: pathToFileURL(join(folder, "none.mjs")) });
  await expect(lost.fit(linear(), data)).rejects.toThrow(/^worker: the thread ended: .*none\.mjs.*\[WORKER_DIED\]$/s);
  const without = worker({ module: pathToFileURL(join(folder, "none.mjs")) });
  await expect(without.fit(linear(), data)).rejects.toThrow(
    /^worker: the module .*none\.mjs cannot be imported: .*WORKER_MODULE/s,
  );
  without.dispose();
  // Requests a checkpoint while the module is still loading.
  writeFileSync(join(folder, "late.mjs"), "await new Promise((go) => setTimeout(go, 300)); throw new Error('too late');");
  const late = worker({ module: pathToFileURL(join(folder, "late.mjs")) });
  const run = late.fit(linear(), data);
  const kept = run.checkpoint();
  await expect(run).rejects.toThrow(/^worker: the module .*late\.mjs cannot be imported: too late; .*WORKER_MODULE/s);
  await expect(kept).rejects.toThrow(/^checkpoint: the run could not begin.*RUN_FAILED/);
  late.dispose();
  expect(fileURLToPath(dist("join/worker/serve.js"))).toContain("serve");
});

it("offers all calls except streams, whose errors explain where to run, and refuses invalid learners and graphs", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const lib = { ...(await import(dist("entries/index.js"))), ...(await import(dist("entries/graphs.js"))) };
  const there = worker();
  const named = (verb: object): string[] => Object.keys(verb).sort();
  for (const verb of ["fit", "sample", "minimize", "tune", "calibrate", "infer"])
    expect(named(there[verb])).toEqual(named(lib[verb]));
  expect(named(there.fit.path)).toEqual(named(lib.fit.path));
  for (const call of [there.fit.stream, there.fit.stream.resume])
    expect(() => call(lib.linear(), [])).toThrow(
      /^worker: fit\.stream is not one of its verbs.*call fit\.stream of ergodic.*\[WORKER_ARGUMENT\]$/,
    );
  const graph = lib.factorGraph();
  graph.variable("a");
  graph.isTrue("a", { weight: graph.weight("w") });
  await expect(there.fit(graph)).rejects.toThrow(/^fit: no variable was observed/);
  graph.observe("a", true);
  await expect(there.fit(graph, { algorithm: lib.adam() })).rejects.toThrow(/^fit: algorithm is .*a learner of graphs/);
  await expect(there.fit(graph, { rule: lib.pseudoLikelihood() })).rejects.toThrow(/^fit: rule is /);
  await expect(there.fit(graph, { epoch: 3 })).rejects.toThrow(/^fit: unknown option "epoch"/);
  const stop = new AbortController();
  const run = there.fit(graph, { epochs: 1e9, signal: stop.signal });
  stop.abort(new Error("enough"));
  await expect(run).rejects.toThrow(/enough/);
  expect((await there.fit(graph, { epochs: 5 })).findings.map(({ code }: { code: string }) => code)).toEqual(["separable"]);
  there.dispose();
});

it("resolves addresses relative to the working folder and refuses invalid ones", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  writeFileSync(join(folder, "objective.mjs"), "export const cost = ([x]) => (x - 3) ** 2;\nexport const sum = 1;");
  const there = worker({ module: relative(process.cwd(), join(folder, "objective.mjs")) });
  const { value } = await there.minimize(there.exported("cost"), [0], { evaluations: 100, seed: 1 });
  expect(value).toBeLessThan(1e-3);
  there.dispose();
  writeFileSync(join(folder, "broken.mjs"), "export const cost = 1;\nthrow new Error('not today');");
  const broken = worker({ module: join(folder, "broken.mjs") });
  const error = await broken.minimize(broken.exported("cost"), [0], { evaluations: 9 }).then(null, (e: Error) => e);
  expect(error.message).toMatch(/^worker: the module .*broken\.mjs cannot be imported: not today; .*WORKER_MODULE/);
  expect(error.stack).toContain("broken.mjs:2");
  broken.dispose();
  for (const given of [3, {}, "http://["])
    for (const name of ["module", "script"])
      expect(() => worker({ [name]: given })).toThrow(
        new RegExp(`^worker: ${name} is .*, but must be an address: .*OPTION_TYPE`),
      );
  expect(() => worker({ script: "https://example.org/serve.js" })).toThrow(
    /^worker: the thread cannot be started: .*WORKER_START/,
  );
});

it("the thread releases data that are no longer referenced", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const { linear, Dataset } = await import(dist("entries/index.js"));
  const registered: { target: object; collected: () => void }[] = [];
  class Recorded {
    readonly forget: (held: unknown) => void;
    constructor(forget: (held: unknown) => void) {
      this.forget = forget;
    }
    register(target: object, held: unknown): void {
      registered.push({ target, collected: () => this.forget(held) });
    }
  }
  vi.stubGlobal("FinalizationRegistry", Recorded);
  const there = worker();
  vi.unstubAllGlobals();
  const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
  await there.fit(linear(), data, { epochs: 1 });
  await there.fit(linear(), data, { epochs: 1 });
  const [known, ...others] = registered.filter(({ target }) => target === data);
  expect(others).toEqual([]);
  known.collected();
  await expect(there.fit(linear(), data, { epochs: 1 })).rejects.toThrow(/fit: /);
  there.dispose();
});

const tasks = "/proc/self/task";
const noTimes = existsSync(tasks) ? undefined : `this system has no ${tasks}, by which threads tell how long they ran`;
if (noTimes) console.warn(`skipped: two runs at once on two threads, because ${noTimes}`);

/**
 * Clock ticks, mostly of 10 ms, that each thread of this process has run. The main thread, which only receives
 * messages, is omitted.
 */
function threadTimes(): Map<string, number> {
  const ticksOf = (thread: string): number =>
    Number(
      readFileSync(join(tasks, thread, "stat"), "utf8")
        .split(") ")[1]
        .split(" ")[11],
    );
  return new Map(
    readdirSync(tasks)
      .filter((thread) => Number(thread) !== process.pid)
      .map((thread) => [thread, ticksOf(thread)]),
  );
}

it.skipIf(noTimes)("two simultaneous runs use two threads", async () => {
  const { worker } = await import(dist("join/worker/index.js"));
  const { linear, Dataset } = await import(dist("entries/index.js"));
  const there = worker();
  const x = Float64Array.from({ length: 40_000 }, (_, i) => Math.sin(i * i));
  const data = Dataset.fromArrays({ x: { values: x, columnCount: 20 }, y: x.subarray(0, 2000) });
  const runs = [1, 2].map((seed) => there.fit(linear(), data, { epochs: 1e9, seed }));
  for (const run of runs) await run.chosen;
  const before = threadTimes();
  // Each run takes a fifth of a second, which is more than compilation and garbage collection need.
  const busy = (): number => [...threadTimes()].filter(([thread, time]) => time - (before.get(thread) ?? 0) >= 20).length;
  while (busy() < 2) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const run of runs) expect((await run.stop()).run.updates).toBeGreaterThan(0);
  there.dispose();
});
