/**
 * The same search in Chromium and in Node, on its own thread and on module workers. The bytes are equal, including log
 * scales.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ergodic from "../../src/entries/everything.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { wholeLibrary } from "./whole-library.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: searching in a browser, because ${reason}`);

/** Arithmetic that is exact in every engine, because the library does not control how f computes. */
const searching = `
  const text = "(x, { seed }) => (x[0] - 1) * (x[0] - 1) + Math.abs(x[1] - 0.01) + x[2] + (seed % 16) / 64";
  const module = new URL("data:text/javascript," + encodeURIComponent("export default " + text));
  const options = {
    bounds: [[-3, 3], [1e-4, 1], [0, 4]], scale: ["linear", "log", "linear"], integer: [false, false, true],
    seed: 5, evaluations: 200, repeat: 2,
  };
  const hex = ({ x, history }) =>
    [...new Uint8Array(Float64Array.of(...x, ...history.values).buffer)].map((b) => b.toString(16).padStart(2, "0")).join("");
  const found = {};
  for (const algorithm of [lib.cmaEs(), lib.spsa(), lib.simulatedAnnealing()]) {
    found[algorithm.name] = hex(await lib.minimize(new Function("return " + text)(), { ...options, algorithm }));
    found[algorithm.name + ", on two workers"] = hex(await lib.minimize(module, { ...options, algorithm, workers: 2 }));
  }
  const broken = new URL("data:text/javascript," + encodeURIComponent("export default () => { throw new RangeError('dry') }"));
  found.failure = await lib.minimize(broken, { ...options, workers: 2 }).then(String, (error) => error.code + " " + error.cause.name);
  return found;`;

describe.skipIf(reason)(`searching in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  let wanted: Record<string, string>;
  beforeAll(async () => {
    browser = await openBrowser();
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
    wanted = await new AsyncFunction("lib", searching)(ergodic);
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each([
    { thread: "page", isolated: true },
    { thread: "worker", isolated: false },
  ] as const)("returns the same bytes as Node: $thread, isolated: $isolated", async (place) => {
    const found = await runInBrowser(browser, {
      ...place,
      task: `const lib = ${wholeLibrary("/dist/entries/")};${searching}`,
    });
    expect(wanted.failure).toBe("SEARCH_THROWN RangeError");
    expect(wanted["cmaEs, on two workers"]).toBe(wanted.cmaEs);
    expect(found).toEqual(wanted);
  });
});
