/**
 * `ergodic/worker` in Chromium, with and without cross-origin isolation, and on a page without Symbol.dispose, as in
 * Safari.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dataset, fit, linear } from "../../src/entries/everything.ts";
import { expectTheSame, type Gave } from "../join/worker/checked.ts";
import { moduleText, verbs } from "../join/worker/verbs-task.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { wholeLibrary } from "./whole-library.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: ergodic/worker in a browser, because ${reason}`);

const begin = `
const lib = { ...(${wholeLibrary("/dist/entries/")}), compiler: await import("/dist/entries/compiler.js") };
const { worker } = await import("/dist/join/worker/index.js");
const module = new URL("/module.js", location.href).href;`;
const files = { "/module.js": moduleText("/dist/entries/index.js") };

describe.skipIf(reason)(`ergodic/worker in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  const all = [{ isolated: true }, { isolated: false }, { isolated: false, older: true }];
  it.each(all)("returns the same results as the verbs on the page: %o", async (place) => {
    const gave = await runInBrowser(browser, { ...place, thread: "page", task: begin + verbs, files });
    expectTheSame(gave as Gave);
  });

  it("explains how to configure bundlers if the worker's program is missing", async () => {
    const task = `${begin}
      const data = lib.Dataset.fromArrays({ x: [[1], [2]], y: [1, 2] });
      return worker({ script: "/none.js" }).fit(lib.linear(), data).then(() => "trained", (error) => error.message);`;
    const message = await runInBrowser(browser, { isolated: false, thread: "page", task });
    expect(message).toMatch(/^worker: the thread ended: .*build ergodic\/worker\/serve as a separate entry.*\[WORKER_DIED\]$/);
  });

  it("resolves addresses relative to the page", async () => {
    const data = Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
    const plan = { seed: 1, deterministic: true };
    const run = fit(linear(), data, { ...plan, epochs: 1 });
    await run;
    const kept = Buffer.from(await run.checkpoint());
    const task = `${begin}
      const data = lib.Dataset.fromArrays({ x: [[1], [2], [4]], y: [1, 2, 3] });
      const there = worker({ module: "folder/module.js" });
      const { value } = await there.minimize(there.exported("f"), [3, 4], { evaluations: 200, seed: 2 });
      const read = [];
      for (const from of ["folder/run.checkpoint", new URL("folder/run.checkpoint", location.href)])
        read.push([...(await there.fit.resume(from, data, { until: { epochs: 5 } })).weights]);
      return { value, read };`;
    const site = { "/folder/module.js": moduleText("/dist/entries/index.js"), "/folder/run.checkpoint": kept };
    const found = await runInBrowser(browser, { isolated: false, thread: "page", task, files: site });
    const { value, read } = found as { value: number; read: number[][] };
    expect(value).toBeLessThan(1e-3);
    const whole = await fit.resume(kept, data, { until: { epochs: 5 } });
    expect(read).toEqual([[...whole.weights], [...whole.weights]]);
  });

  it("keeps the page responsive while a network trains, so that timers of 10 ms still fire", async () => {
    const task = `${begin}
      const { dense, Dataset, network, relu } = lib;
      const x = Array.from({ length: 3000 }, (_, i) => Array.from({ length: 30 }, (_, j) => Math.sin(i * j)));
      const data = Dataset.fromArrays({ x, y: x.map(([, a]) => a) });
      const run = worker().fit(network([dense(256), relu(), dense(256), relu(), dense(1)]), data, { epochs: 1e6 });
      await run.chosen;
      let turns = 0;
      for await (const { update } of run) if (update > 5) break;
      while (turns < 100) { await new Promise((resolve) => setTimeout(resolve, 10)); turns++; }
      run.stop();
      return { updates: (await run).run.updates, turns };`;
    const { updates, turns } = (await runInBrowser(browser, { isolated: false, thread: "page", task })) as Record<string, number>;
    expect(updates).toBeGreaterThan(5);
    // A blocked page would fire only a few timers during the training.
    expect(turns).toBeGreaterThan(20);
  });
});
