/**
 * Service workers, which cannot load modules after their start. The single file predicts and trains there. The version
 * that loads parts later explains why it cannot work.
 */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Dataset, dense, fit, linear, network, relu } from "../../src/entries/everything.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { singleFile } from "./serve.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: a service worker, because ${reason}`);

/** Source of a service worker that replies with the result of `answer` or with its error. */
const serving = (imported: string, answer: string): string => `
import * as lib from "${imported}";
const answer = async (model) => { ${answer} };
self.addEventListener("message", ({ data, ports: [port] }) =>
  answer(data).then((given) => port.postMessage({ given }), (error) => port.postMessage({ error: error.name + " " + error.message })));`;

const ask = (script: string, model: Uint8Array): string => `
const registered = await navigator.serviceWorker.register("${script}", { type: "module" });
const thread = registered.installing ?? registered.waiting ?? registered.active;
const channel = new MessageChannel();
const answer = new Promise((resolve) => (channel.port1.onmessage = ({ data }) => resolve(data)));
thread.postMessage(new Uint8Array(${JSON.stringify([...model])}), [channel.port2]);
return answer;`;

describe.skipIf(reason)(`a service worker${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  const x = Array.from({ length: 40 }, (_, i) => [Math.sin(i), i % 3]);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
  const inside = (text: string, model: Uint8Array): Promise<unknown> =>
    runInBrowser(browser, {
      isolated: false,
      thread: "page",
      task: ask("/sw.js", model),
      files: { "/sw.js": text, "/single-file.js": readFileSync(singleFile) },
    });

  it("predicts and trains with the single file", async () => {
    const model = await fit(network([dense(4), relu(), dense(1)]), data, { epochs: 2, seed: 1, deterministic: true });
    const text = `
      const read = await lib.predictor(model);
      const data = lib.Dataset.fromArrays({ x: ${JSON.stringify(x)}, y: ${JSON.stringify(x.map(([a, b]) => a + b))} });
      const line = await lib.fit(lib.linear(), data, { epochs: 3, seed: 1, deterministic: true });
      return { outputs: [...read.outputs(data)], weights: [...line.weights] };`;
    const line = await fit(linear(), data, { epochs: 3, seed: 1, deterministic: true });
    const wanted = { outputs: [...model.outputs(data)], weights: [...line.weights] };
    expect(await inside(serving("/single-file.js", text), model.toBytes())).toEqual({ given: wanted });
  });

  it("recommends the single file if the library loads parts later, and does not call the model damaged", async () => {
    const made = await fit(linear(), data, { epochs: 1 });
    const given = await inside(serving("/dist/entries/predict.js", "return (await lib.predictor(model)).kind;"), made.toBytes());
    expect((given as { error: string }).error).toMatch(
      /^CapabilityError ergodic: a part of the library cannot be loaded \(import\(\) is disallowed.*@ergodic\/single-file.*\[HOST_IMPORT\]$/,
    );
  });
});
