/**
 * The package as npm publishes it, built by bundlers with default settings, and run in Node and in Chromium, with and
 * without cross-origin isolation, and with policies that forbid the engine's usual threads.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "../../packages/ergodic/test/browser/chromium.ts";
import { serve } from "../../packages/ergodic/test/browser/serve.ts";
import { filesOf, freshProject, type Outcome, runInNode, withEsbuild, withVite, withWebpack } from "./bundlers.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: bundles in a browser, because ${reason}`);

describe("bundles with default settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-bundlers-"));
  let wanted: Outcome;
  let browser: Browser | undefined;
  beforeAll(async () => {
    freshProject(folder);
    wanted = runInNode(join(folder, "threaded.js"), { workers: 2 });
    if (!reason) browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it("the unbundled package gives the reference results", () => {
    expect(wanted.trained).toEqual(wanted.read);
    expect(wanted.remote).toHaveLength(2);
    expect(wanted.least).toEqual([3, -4]);
    expect(Math.abs(wanted.mu - 2)).toBeLessThan(0.5);
    expect(wanted.raced).toBe(2);
  });

  it.each(["esm", "cjs"] as const)("esbuild for Node, %s: runs two workers and a thread", async (format) => {
    const program = await withEsbuild(folder, format);
    const [script, predictScript] = ["serve", "predict"].map((name) => pathToFileURL(join(dirname(program), `${name}.mjs`)).href);
    const module = pathToFileURL(join(folder, "objective.js")).href;
    expect(runInNode(program, { workers: 2, script, predictScript, module })).toEqual(wanted);
  });

  const builders = { webpack: withWebpack, Vite: withVite, esbuild: (at: string) => withEsbuild(at, "browser") };
  // A policy that forbids Blob URLs needs the file of the thread, and under the others no thread of the engine starts.
  const own = "script-src 'self' 'wasm-unsafe-eval';";
  const policies = [
    { policy: `${own} worker-src 'self'`, remote: true },
    { policy: `${own} worker-src 'none'`, remote: false },
    { policy: `${own} worker-src 'self' blob:; require-trusted-types-for 'script'`, remote: false },
  ];

  it.skipIf(reason).each(Object.entries(builders))(
    "%s, for browsers: works with policies on isolated pages",
    async (name, build) => {
      const out = await build(folder);
      for (const { policy, remote } of policies) {
        // webpack loads its chunks by scripts whose addresses are not trusted.
        if (name === "webpack" && policy.includes("trusted-types")) continue;
        // Vite turns a small module into an address that begins with data:, from which these policies allow no script.
        const files = { ...filesOf(out), "/objective.js": readFileSync(join(folder, "objective.js"), "utf8") };
        await using site = await serve({ isolated: true, policy, files });
        const page = await browser!.newPage();
        // A policy forbids scripts in the page, but not this one.
        await page.addInitScript((given) => Object.assign(globalThis, { given }), {
          remote,
          module: "/objective.js",
          ...(name === "esbuild" && { script: "serve.js", predictScript: "predict.js" }),
        });
        await page.goto(`${site.origin}/index.html`);
        // The policy forbids the driver to evaluate text repeatedly, so the test observes the page from outside.
        const outcome = await page.evaluateHandle(async () => {
          const found = globalThis as { outcome?: Promise<unknown> };
          while (!found.outcome) await new Promise((resolve) => setTimeout(resolve, 10));
          return found.outcome;
        });
        const { trained, read, mu, raced, ...there } = { ...wanted, raced: 0 };
        expect(await outcome.jsonValue(), policy).toEqual({ trained, read, mu, raced, ...(remote && there) });
        await page.close();
      }
    },
  );

  it.skipIf(reason).each(Object.entries(builders))("%s, for browsers: works with and without isolation", async (_, build) => {
    const out = await build(folder);
    for (const isolated of [false, true]) {
      await using site = await serve({ isolated, files: filesOf(out) });
      const page = await browser!.newPage();
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("requestfailed", (request) => problems.push(`${request.url()} could not be had`));
      await page.goto(`${site.origin}/index.html`);
      const found = await page
        .waitForFunction("globalThis.outcome", null, { timeout: 300_000 })
        .then((handle) => handle.jsonValue());
      await page.close();
      expect({ found, problems }, `isolated: ${isolated}`).toEqual({ found: { ...wanted, raced: 0 }, problems: [] });
    }
  });
});
