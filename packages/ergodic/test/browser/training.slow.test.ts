/**
 * The same training, drawing, searching and inference in Chromium and in Node. In deterministic mode the same seed
 * gives the same bytes, with and without cross-origin isolation.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ergodic from "../../src/entries/everything.ts";
import { drawing, graphs, training } from "../engine/loop/training-task.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { places } from "./places.ts";
import { wholeLibrary } from "./whole-library.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: training in a browser, because ${reason}`);

describe.skipIf(reason)(`training in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  describe.each([
    ["training", training, 13],
    ["drawing and searching", drawing, 28],
    ["inferring and learning on graphs", graphs, 19],
  ])("%s", (_, task, count) => {
    let wanted: Record<string, string>;
    beforeAll(async () => {
      const AsyncFunction = (async () => {}).constructor as new (
        ...text: string[]
      ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
      wanted = await new AsyncFunction("lib", task)(ergodic);
    });

    it.each(places)("gives the bytes of Node: $thread, isolated: $isolated", async (place) => {
      const found = await runInBrowser(browser, { ...place, task: `const lib = ${wholeLibrary("/dist/entries/")};${task}` });
      expect(Object.keys(wanted).length).toBe(count);
      for (const text of Object.values(wanted)) expect(/[1-9a-f]/.test(text)).toBe(true);
      expect(found).toEqual(wanted);
    });
  });
});
