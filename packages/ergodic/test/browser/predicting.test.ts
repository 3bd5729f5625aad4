/** Networks from files in Chromium, each on a memory of its own: fifty at a time, of which a browser could not hold all the memories for ever. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dataset, dense, fit, network, relu } from "../../src/index.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: predicting in a browser, because ${reason}`);

const places = [
  { thread: "worker", isolated: true },
  { thread: "worker", isolated: false },
  { thread: "page", isolated: true },
] as const;
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

  it.each(places)(`${FILES} files are loaded, and predict again and again: $thread, isolated: $isolated`, async (place) => {
    const task = `
      const { Dataset, predictor } = await import("/dist/index.js");
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
});
