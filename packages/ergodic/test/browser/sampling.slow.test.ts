/**
 * Sampling in Chromium and in Node. In deterministic mode the same seed gives the same draws bit for bit, and the page
 * stays responsive.
 */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as ergodic from "../../src/entries/everything.ts";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";
import { places } from "./places.ts";
import { responsive, sampling } from "./sampling-task.ts";
import { wholeLibrary } from "./whole-library.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: sampling in a browser, because ${reason}`);

const open = `const lib = ${wholeLibrary("/dist/entries/")};`;

describe.skipIf(reason)(`sampling in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  let wanted: Record<string, string>;
  beforeAll(async () => {
    browser = await openBrowser();
    const AsyncFunction = (async () => {}).constructor as new (
      ...text: string[]
    ) => (lib: typeof ergodic) => Promise<Record<string, string>>;
    wanted = await new AsyncFunction("lib", sampling)(ergodic);
  });
  afterAll(async () => {
    await browser.close();
  });

  it.each(places)("returns the same draws as Node: $thread, isolated: $isolated", async (place) => {
    const found = await runInBrowser(browser, { ...place, task: open + sampling });
    expect(Object.keys(wanted).length).toBe(15);
    for (const text of Object.values(wanted)) expect(/[1-9a-f]/.test(text)).toBe(true);
    expect(found).toEqual(wanted);
  });

  it.each([true, false])("keeps the page responsive, so that timers of 10 ms still fire; isolated: %s", async (isolated) => {
    const place = { thread: "page", isolated } as const;
    const { turns, reason } = (await runInBrowser(browser, { ...place, task: open + responsive })) as {
      turns: number;
      reason: string;
    };
    expect(reason).toBe("time is up");
    // A blocked page would fire only one or two timers in the whole second.
    expect(turns).toBeGreaterThan(20);
  });
});
