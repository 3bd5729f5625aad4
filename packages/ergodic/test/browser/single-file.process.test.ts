/**
 * The single file that pages load from a CDN. In Chromium it is a static file on another origin, imported by a page
 * without isolation. It also runs in Node.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { families } from "../../src/engine/memory/families.ts";
import * as library from "../../src/entries/everything.ts";
import { openBrowser, whyNoBrowser } from "./chromium.ts";
import { dist, serve, singleFile } from "./serve.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: the file for CDNs in a browser, because ${reason}`);

const file = singleFile;

it("imports nothing and exports the same names as the library", async () => {
  const { importedFiles } = ts.preProcessFile(readFileSync(file, "utf8"), true, true);
  expect(importedFiles).toEqual([]);
  expect(Object.keys(await import(file)).sort()).toEqual(Object.keys(library).sort());
});

it("contains only the plain kernels and reports this", async () => {
  const { openEngine } = (await import(file)) as typeof library;
  const { build, relaxedSimd, why } = (await openEngine()).describe();
  expect({ build, relaxedSimd }).toEqual({ build: "simd-shared", relaxedSimd: false });
  expect(why).toContain("no relaxed SIMD: @ergodic/single-file has only the plain kernels");
  // Tries each family once.
  expect(readFileSync(file, "utf8").match(/"H4sI/g)).toHaveLength(families.length);
});

it("shortens names in the package's parts, except names of functions and classes, which appear in stack traces", async () => {
  const parts = join(dist, "parts");
  const texts = readdirSync(parts).map((name) => readFileSync(join(parts, name), "utf8"));
  const declared = texts.flatMap((text) => [...text.matchAll(/(?:const|let|var) ([\w$]+)=(?!class\b)/g)].map(([, name]) => name));
  expect(declared.length).toBeGreaterThan(5000);
  expect(declared.filter((name) => name.length > 3).length / declared.length).toBeLessThan(0.1);
  const { fit, linear } = (await import(join(dist, "entries/index.js"))) as typeof library;
  expect([fit.path.name, linear.name]).toEqual(["start", "linear"]);
  expect(stackOf(() => fit(linear(), null as never))).toMatch(/ at checkValues .* at startFit /s);
});

function stackOf(f: () => unknown): string | undefined {
  try {
    f();
  } catch (error) {
    return (error as Error).stack;
  }
  return undefined;
}

const task = (address: string): string => `(async () => {
  const { Dataset, dense, fit, linear, model, network, normal, predictor, relu, sample, vector } = await import(${JSON.stringify(address)});
  const x = Array.from({ length: 60 }, (_, i) => [Math.sin(i), Math.cos(1.3 * i)]);
  const data = Dataset.fromArrays({ x, y: x.map(([a, b]) => 2 * a - b) });
  const line = await fit(linear(), data, { epochs: 30, seed: 1 });
  const trained = await fit(network([dense(4), relu(), dense(1)]), data, { epochs: 2, seed: 1 });
  const read = await predictor(trained.toBytes());
  const located = model(({ data, param, observe }) => {
    const { y } = data({ y: vector("N") });
    observe(y, normal(param("mu", normal(0, 5)), 1));
  });
  const posterior = await sample(located, { y: [1, 2, 3] }, { chains: 2, warmup: 50, draws: 50, seed: 1 });
  const same = [...trained.outputs(data)].join() === [...read.outputs(data)].join();
  return { weights: [...line.weights], same, mu: posterior.mean("mu")[0] };
})()`;

describe.skipIf(reason)(`single file from a CDN, in a page${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(() => browser.close());

  it("trains, draws and predicts", async () => {
    await using cdn = await serve({ isolated: false, shared: true, files: { "/single-file.js": readFileSync(file) } });
    await using site = await serve({ isolated: false });
    const page = await browser.newPage();
    await page.goto(site.origin);
    const requested: string[] = [];
    page.on("request", (request) => requested.push(new URL(request.url()).pathname));
    const found = (await page.evaluate(task(`${cdn.origin}/single-file.js`))) as {
      weights: number[];
      same: boolean;
      mu: number;
    };
    await page.close();
    expect(found.weights[0]).toBeCloseTo(2, 1);
    expect(found.weights[1]).toBeCloseTo(-1, 1);
    expect(found.same).toBe(true);
    expect(Math.abs(found.mu - 2)).toBeLessThan(1);
    expect(requested).toEqual(["/single-file.js"]);
  });
});
