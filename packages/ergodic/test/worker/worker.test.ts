/** `ergodic/worker` in Node: every verb gives through it what it gives here, bit for bit. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { expectTheSame, type Gave } from "./checked.ts";
import { moduleText, verbs } from "./verbs-task.ts";

const dist = (file: string): string => new URL(`../../dist/${file}`, import.meta.url).href;
const folder = mkdtempSync(join(tmpdir(), "ergodic-worker-"));
afterAll(() => rmSync(folder, { recursive: true }));

it("gives what the verbs give here, and their errors; stops, pauses, keeps and resumes", { timeout: 120_000 }, async () => {
  const module = join(folder, "module.mjs");
  writeFileSync(module, moduleText(dist("index.js")));
  const AsyncFunction = (async () => {}).constructor as new (...text: string[]) => (...given: unknown[]) => Promise<Gave>;
  const [index, compiler, { worker }] = await Promise.all(
    ["index.js", "compiler/index.js", "worker/index.js"].map((file) => import(dist(file))),
  );
  const lib = { ...index, compiler };
  // Not through the test's own loader, whose modules would be others.
  const task = new AsyncFunction("lib", "worker", "module", "imported", verbs.replace("await import(module)", "imported"));
  const imported = await import(/* @vite-ignore */ pathToFileURL(module).href);
  expectTheSame(await task(lib, worker, pathToFileURL(module).href, imported));
});

it("a thread that cannot be started, or a module that is not there, is an error of the run", async () => {
  const { worker } = await import(dist("worker/index.js"));
  const { linear, Dataset } = await import(dist("index.js"));
  const data = Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
  const lost = worker({ script: pathToFileURL(join(folder, "none.mjs")) });
  await expect(lost.fit(linear(), data)).rejects.toThrow(/^worker: the thread ended: .*none\.mjs.*\[WORKER_DIED\]$/s);
  const without = worker({ module: pathToFileURL(join(folder, "none.mjs")) });
  await expect(without.fit(linear(), data)).rejects.toThrow(/none\.mjs/);
  without.dispose();
  expect(fileURLToPath(dist("worker/serve.js"))).toContain("serve");
});
