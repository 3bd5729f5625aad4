/**
 * The web templates in examples/, type-checked, built with Vite, and used in Chromium like a visitor would.
 * templates.test.ts covers what needs neither a browser nor React.
 */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, whyNoBrowser } from "../packages/ergodic/test/browser/chromium.ts";
import { serve } from "../packages/ergodic/test/browser/serve.ts";
import { filesOf } from "./bundlers/bundlers.ts";
import { buildTemplate, root, templateFolder } from "./templates/build.ts";

const react = join(root, "node_modules/.cache-node/web-react/node_modules");
const noBrowser = whyNoBrowser();
const noReact = existsSync(join(react, "react")) ? undefined : "React is not under node_modules/.cache-node";
for (const [template, reason] of [
  ["web-vite", noBrowser],
  ["web-react", noBrowser ?? noReact],
])
  if (reason) console.warn(`skipped: the template ${template}, because ${reason}`);

let folder: string;
let browser: Browser;
const titled = (template: string, reason?: string): string => (reason ? `${template} (skipped: ${reason})` : template);

beforeAll(async () => {
  if (noBrowser) return;
  folder = templateFolder();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  if (folder) rmSync(folder, { recursive: true });
});

/** The built page of the template. `use` gets it open in a browser. */
async function built(template: string, modules: string | undefined, use: (page: Page) => Promise<void>): Promise<void> {
  const dist = await buildTemplate(folder, template, modules);
  await using site = await serve({ isolated: true, files: filesOf(dist) });
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => void (message.type() === "error" && problems.push(message.text())));
  await page.goto(`${site.origin}/index.html`);
  await use(page);
  expect(problems).toEqual([]);
  await page.close();
}

/**
 * Clicks a button that starts a run, and collects the displayed texts until the button returns to its initial state.
 * `meanwhile` is called once during the run.
 */
async function runBy(page: Page, card: string, meanwhile?: () => Promise<void>): Promise<string[]> {
  const button = page.locator(`${card} button`);
  const name = await button.textContent();
  await button.click();
  const output = page.locator(`${card} output`);
  const texts = new Set<string>();
  for (;;) {
    texts.add((await output.textContent()) ?? "");
    if (texts.size > 2) {
      await meanwhile?.();
      meanwhile = undefined;
    }
    if (texts.size > 1 && (await button.textContent()) === name) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return [...texts, (await output.textContent()) ?? ""];
}

describe("templates for the web", () => {
  it.skipIf(noBrowser)(titled("web-vite", noBrowser), () =>
    built("web-vite", undefined, async (page) => {
      const training = await runBy(page, "#training");
      expect(training.filter((text) => /^epoch \d+, loss 0\.\d{3}$/.test(text)).length).toBeGreaterThan(2);
      expect(training.at(-1)).toMatch(/^(9[5-9]|100)\.\d % of the points are told apart$/);
      await page.hover("#training .picture", { position: { x: 5, y: 5 } });
      expect(await page.textContent("#training output")).toMatch(/^(blue|gold), with probability (0\.[5-9]\d|1\.00)$/);
      const sampling = await runBy(page, "#sampling");
      expect(sampling.filter((text) => /^\d+ draws of each chain$/.test(text)).length).toBeGreaterThan(1);
      const [, low, high] = /^the slope is between (0\.\d\d) and (0\.\d\d), with probability 0\.9$/.exec(sampling.at(-1)!)!;
      expect(Number(low)).toBeLessThan(0.6);
      expect(Number(high)).toBeGreaterThan(0.6);
    }),
  );

  const reason = noBrowser ?? noReact;
  it.skipIf(reason)(titled("web-react", reason), () =>
    built("web-react", react, async (page) => {
      const training = await runBy(page, "main");
      expect(training.filter((text) => /^epoch \d+, loss 0\.\d{3}$/.test(text)).length).toBeGreaterThan(2);
      expect(training.at(-1)).toMatch(/^(9[5-9]|100)\.\d % of the points are told apart$/);
      await page.hover("svg", { position: { x: 5, y: 5 } });
      expect(await page.textContent("output")).toMatch(/^(blue|gold), with probability (0\.[5-9]\d|1\.00)$/);
      // A stopped run has a result: what it has learnt so far.
      await runBy(page, "main", () => page.click("button"));
      const epochs = Number(await page.getAttribute("progress", "value"));
      expect(epochs).toBeGreaterThan(0);
      expect(epochs).toBeLessThan(1000);
      expect(await page.textContent("output")).toMatch(/^(blue|gold), with probability /);
    }),
  );
});
