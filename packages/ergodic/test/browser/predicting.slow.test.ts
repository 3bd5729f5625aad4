/**
 * Networks from files in Chromium, each with its own memory. Fifty are open at a time, and a browser could not hold all
 * the memories of the test at once.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dataset, dense, fit, network, type Prediction, relu } from "../../src/entries/everything.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { places } from "./places.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: predicting in a browser, because ${reason}`);

const FILES = 50;

describe.skipIf(reason)(`predicting in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  let base64: string;
  let wanted: number[];
  const x = [1, -2, 0.5].map((a) => [a, a * a]);
  beforeAll(async () => {
    browser = await openBrowser();
    const rows = Dataset.fromArrays({ x, y: ["up", "down", "up"] });
    const model = await fit(network([dense(4), relu(), dense(2)], { loss: "multinomial" }), rows, { epochs: 2, seed: 1 });
    base64 = Buffer.from(model.toBytes()).toString("base64");
    wanted = [...model.outputs(rows)];
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each(places)(`${FILES} files are loaded and predict repeatedly: $thread, isolated: $isolated`, async (place) => {
    const task = `
      const { Dataset, predictor } = await import("/dist/entries/index.js");
      const bytes = Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));
      const rows = Dataset.fromArrays({ x: ${JSON.stringify(x)}, y: ["up", "down", "up"] });
      const all = [];
      for (let i = 0; i < ${FILES}; i++) all.push(await predictor(bytes));
      const found = new Set();
      for (let round = 0; round < 3; round++) for (const one of all) found.add(JSON.stringify([...one.outputs(rows)]));
      // Nobody disposes these.
      for (let i = 0; i < 300; i++) found.add(JSON.stringify([...(await predictor(bytes)).outputs(rows)]));
      return [...found].map((text) => JSON.parse(text));`;
    const found = (await runInBrowser(browser, { ...place, task })) as number[][];
    expect(found.length).toBe(1);
    for (const [i, z] of found[0].entries()) expect(Math.abs(z - wanted[i])).toBeLessThan(1e-6);
  });

  it.each([true, false])("predicts on separate threads while the page draws; isolated: %s", async (isolated) => {
    const task = `
      const { predictor } = await import("/dist/predict/async.js");
      const bytes = Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));
      const model = await predictor(new Blob([bytes]), { workers: 2 });
      const rows = ${JSON.stringify(x)};
      const calls = await Promise.all(rows.map((row) => model.predict(row)));
      const many = new Float64Array(2 * 400_000), out = new Float64Array(2 * 400_000);
      let turns = 0;
      const timer = setInterval(() => turns++, 1);
      for (let i = 0; i < 400_000; i++) many.set(rows[i % 3], 2 * i);
      turns = 0;
      const [one, two] = await Promise.all([model.predictInto(many, out), model.predict(rows)]);
      clearInterval(timer);
      const reason = await model.predictInto(many, out, { signal: AbortSignal.timeout(1) }).then(() => "done", (e) => e.name);
      const again = await model.predict(rows);
      const lost = await predictor(bytes, { script: "/none.js" }).then(() => "loaded", (e) => e.message);
      model.dispose();
      return { calls, one, two, again, reason, lost, turns, out: [...out.slice(-6)] };`;
    const found = (await runInBrowser(browser, { isolated, thread: "page", task })) as Record<string, unknown>;
    const probabilities = Array.from({ length: 3 }, (_, i) => {
      const [a, b] = wanted.slice(2 * i, 2 * i + 2).map(Math.exp);
      return [a / (a + b), b / (a + b)];
    });
    const close = (given: readonly number[], to: readonly number[]): void => {
      for (const [i, p] of to.entries()) expect(Math.abs(given[i] - p)).toBeLessThan(1e-6);
      expect(given.length).toBe(to.length);
    };
    for (const said of ["calls", "two", "again"])
      for (const [i, { value, probabilities: by }] of (found[said] as Prediction[]).entries()) {
        close([by!.down, by!.up], probabilities[i]); // classes are sorted by name
        expect(value).toBe(by!.down > by!.up ? "down" : "up");
      }
    expect(found.one).toBe(400_000);
    const tail = [399_997, 399_998, 399_999].flatMap((i) => probabilities[i % 3]);
    close(found.out as number[], tail);
    expect(["TimeoutError", "done"]).toContain(found.reason);
    expect(found.lost).toMatch(
      /^predictor: the thread ended during the call: .*build ergodic\/predict\/serve as a separate entry.*WORKER_DIED/,
    );
    expect(found.turns).toBeGreaterThan(1);
  });
});
