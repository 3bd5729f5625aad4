/** Pages with a Content-Security-Policy: threads come from their text or from their file, whichever it allows; where no code may be compiled, the error names the directive. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "./chromium.ts";
import { serve } from "./serve.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: pages with a policy, because ${reason}`);

const program = `
import { Dataset, fit, linear } from "/dist/index.js";
const x = Array.from({ length: 100 }, (_, i) => [Math.sin(i), i % 3]);
const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => a + b) });
globalThis.outcome = fit(linear(), data, { workers: 2, replicas: "shared", epochs: 2 }).then(
  ({ weights }) => weights.length,
  (error) => error.name + ": " + error.message,
);`;

describe.skipIf(reason)(`a page's policy${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each([
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src blob:", /^2$/],
    ["script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'", /^2$/],
    [
      "script-src 'self'",
      /^CapabilityError: engine: this host does not let WebAssembly be compiled .*'wasm-unsafe-eval' in script-src/,
    ],
  ])("%s", async (policy, wanted) => {
    const page = '<!doctype html><script type="module" src="/app.js"></script>';
    await using site = await serve({ isolated: true, policy, files: { "/app.js": program, "/page.html": page } });
    const tab = await browser.newPage();
    await tab.goto(`${site.origin}/page.html`);
    // The policy forbids the driver to evaluate text again and again: it looks from outside.
    const outcome = await tab.evaluateHandle(async () => {
      const found = globalThis as { outcome?: Promise<unknown> };
      while (!found.outcome) await new Promise((resolve) => setTimeout(resolve, 10));
      return found.outcome;
    });
    expect(String(await outcome.jsonValue())).toMatch(wanted);
    await tab.close();
  });
});
