/**
 * Pages with a Content-Security-Policy. Threads start from a script's text or from its file, whichever the policy
 * allows. If it allows none, runs use the calling thread. If the policy forbids compiling code, the error names the
 * directive.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "./chromium.ts";
import { serve } from "./serve.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: pages with a policy, because ${reason}`);

const program = `
import { Dataset, fit, linear, predictor } from "/dist/entries/index.js";
const x = Array.from({ length: 100 }, (_, i) => [Math.sin(i), i % 3]);
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
const told = (run) => run.catch((error) => error.name + ": " + error.message);
const trained = fit(linear(), data, { workers: 2, replicas: "shared", epochs: 2 }).then(({ weights }) => weights.length);
const predicted = fetch("/network.safetensors").then((answer) => answer.arrayBuffer());
globalThis.outcome = Promise.all([
  told(trained),
  told(predicted.then((bytes) => predictor(new Uint8Array(bytes))).then((model) => model.predict([[1, 2]]).length)),
]);`;

/** A network that was trained without a policy. */
async function networkFile(): Promise<Buffer> {
  const { Dataset, dense, fit, network } = await import("../../src/entries/everything.ts");
  const data = Dataset.fromArrays({
    x: [
      [1, 2],
      [3, 4],
    ],
    y: [1, 2],
  });
  return Buffer.from((await fit(network([dense(1)]), data, { epochs: 1, seed: 1 })).toBytes());
}

const refused =
  /^CapabilityError: engine: this host does not allow WebAssembly to be compiled .*'wasm-unsafe-eval' in script-src; .*\[HOST_NO_CODE\]$/;

describe.skipIf(reason)(`Content-Security-Policy of a page${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each([
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src blob:", [2, 1]],
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'", [2, 1]],
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'", [2, 1]],
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src blob:; require-trusted-types-for 'script'", [2, 1]],
    ["script-src 'self'", [expect.stringMatching(refused), expect.stringMatching(refused)]],
  ])("%s", async (policy, wanted) => {
    const page = '<!doctype html><script type="module" src="/app.js"></script>';
    await using site = await serve({
      isolated: true,
      policy,
      files: { "/app.js": program, "/page.html": page, "/network.safetensors": await networkFile() },
    });
    const tab = await browser.newPage();
    await tab.goto(`${site.origin}/page.html`);
    // The policy forbids the driver to evaluate text repeatedly, so the test observes the page from outside.
    const outcome = await tab.evaluateHandle(async () => {
      const found = globalThis as { outcome?: Promise<unknown> };
      while (!found.outcome) await new Promise((resolve) => setTimeout(resolve, 10));
      return found.outcome;
    });
    expect(await outcome.jsonValue()).toEqual(wanted);
    await tab.close();
  });
});
