/** The engine in Chromium, in a module worker and on the main thread, with and without cross-origin isolation. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openEngine } from "../../src/engine/memory/engine.ts";
import { stream } from "../../src/engine/random/stream.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { places } from "./places.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: tests in a browser, because ${reason}`);

const open = `
  const { openEngine, enginePool, stream } = await import("/engine.js");
  const engine = await openEngine({ families: ["training"] });
  await openEngine({ families: ["training"], deterministic: true });
  const { key, at } = stream(7, "browser");
  const { pointer } = engine.memory.allocate(8 * 1000, "draws");`;

/** The worker pool is not public, so the engine is bundled for these tests. */
const engineFiles = async (): Promise<Record<string, string>> => {
  const contents = 'export * from "./engine/memory/engine.ts"; export { stream } from "./engine/random/stream.ts";';
  const resolveDir = fileURLToPath(new URL("../../src", import.meta.url));
  const made = await build({ stdin: { contents, resolveDir }, bundle: true, format: "esm", write: false, logLevel: "error" });
  return { "/engine.js": made.outputFiles[0].text };
};

describe.skipIf(reason)(`the engine in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  let files: Record<string, string>;
  beforeAll(async () => {
    [browser, files] = await Promise.all([openBrowser(), engineFiles()]);
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each(places)("reports its capabilities and the reasons: $thread, isolated: $isolated", async (place) => {
    const said = await runInBrowser(browser, {
      ...place,
      files,
      task: `${open} return { ...engine.describe(), threads: navigator.hardwareConcurrency };`,
    });
    const { build, relaxedSimd, sharedMemory, workers, why, threads } = said as Awaited<
      ReturnType<Awaited<ReturnType<typeof openEngine>>["describe"]>
    > & {
      threads: number;
    };
    expect(build).toBe(`${relaxedSimd ? "relaxed" : "simd"}-${place.isolated ? "shared" : "own"}`);
    expect(sharedMemory).toBe(place.isolated);
    expect(workers).toBe(place.isolated ? threads : 1);
    expect(why.join("\n")).toContain(
      place.isolated
        ? "one for each hardware thread of this machine"
        : "one worker: no SharedArrayBuffer, which pages get by Cross-Origin-Opener-Policy",
    );
  });

  it("uses and reports one worker on an isolated page without SharedArrayBuffer", async () => {
    const task = `delete globalThis.SharedArrayBuffer;\n${open} return engine.describe();`;
    const said = await runInBrowser(browser, { thread: "page", isolated: true, files, task });
    expect(said).toMatchObject({ sharedMemory: false, workers: 1 });
    expect((said as { why: string[] }).why.at(-1)).toMatch(/^one worker: no SharedArrayBuffer/);
  });

  it.each(places)("draws the same bits as Node: $thread, isolated: $isolated", async (place) => {
    const task = `${open}
      const kinds = [];
      for (const deterministic of [true, false]) {
        for (const kind of [0, 1, 2]) {
          await engine.run([{ kernel: "randomFill", args: [pointer, 1000, kind, ...key, 3] }], { workers: 1, deterministic });
          kinds.push([...engine.memory.u8(pointer, 8000)].join());
        }
      }
      const draws = at(3);
      return { kinds, here: Array.from({ length: 200 }, () => [draws.bits(), draws.uniform(), draws.integer(1000), draws.normal(), draws.exponential()]) };`;
    const { kinds, here } = (await runInBrowser(browser, { ...place, files, task })) as { kinds: string[]; here: number[][] };
    const engine = await openEngine();
    const { key, at } = stream(7, "browser");
    using piece = engine.memory.allocate(8000, "draws");
    const wanted = [0, 1, 2].map((kind) => {
      engine.kernel("randomFill", true)(piece.pointer, 1000, kind, ...key, 3);
      return [...engine.memory.u8(piece.pointer, 8000)].join();
    });
    expect(kinds).toEqual([...wanted, ...wanted]);
    const draws = at(3);
    const wantedHere = Array.from({ length: 200 }, () => [
      draws.bits(),
      draws.uniform(),
      draws.integer(1000),
      draws.normal(),
      draws.exponential(),
    ]);
    expect(here).toEqual(wantedHere);
  });

  it.each(places)(
    "runs calls on two workers and survives a trap and a dead worker: $thread, isolated: $isolated",
    async (place) => {
      const task = `${open}
      const two = { workers: 2, deterministic: true };
      const logs = () => engine.run([1, 2, 3].map((x) => ({ kernel: "log", args: [x] })), two);
      const first = await logs();
      const trap = await engine.run([{ kernel: "randomFill", args: [engine.memory.reservedBytes - 8, 9, 0, 1, 2, 3] }], two).catch((error) => error.message);
      const pool = await enginePool();
      const size = pool.size;
      let death = "";
      if (size > 0) {
        const doomed = engine.run([{ kernel: "shuffle", args: [pointer, 0, 2000, 1, 1, 1, 2, 3] }], two).catch((error) => error.message);
        await Promise.resolve();
        await Promise.resolve();
        await pool.terminate(0);
        death = await doomed;
      }
      return { first, trap, size, death, again: await logs(), processors: navigator.hardwareConcurrency };`;
      const { first, trap, size, death, again, processors } = (await runInBrowser(browser, { ...place, files, task })) as Record<
        string,
        unknown
      >;
      const log = (await openEngine()).kernel("log", true);
      expect(first).toEqual([log(1), log(2), log(3)]);
      expect(again).toEqual(first);
      expect(trap).toMatch(
        /^kernel randomFill\(.*\): failed on (worker 0|this thread): RuntimeError: memory access out of bounds/,
      );
      // Two workers suffice for a machine with two processors. One of them can be the page's own worker, but the page's
      // main thread never counts.
      const ofTwo = place.thread === "worker" && (processors as number) <= 2 ? 1 : 2;
      expect(size).toBe(place.isolated ? ofTwo : 0);
      if (place.isolated) expect(death).toContain("[WORKER_DIED]");
    },
  );
});
