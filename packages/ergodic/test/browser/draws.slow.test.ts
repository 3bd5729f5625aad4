/** Draws stored by a page in its own file system (OPFS), in a single file and as bytes, and their summary in slices. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, runInBrowser, whyNoBrowser } from "./chromium.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: draws that a page keeps, because ${reason}`);

const begin = `
const { Draws, loadDraws, saveDraws } = await import("/dist/entries/index.js");
const drawn = (chains, count, size) => new Draws({
  chains, count, quantities: [{ name: "theta", shape: [size], kind: "parameter" }],
  values: { theta: Float64Array.from({ length: chains * count * size }, (_, i) => Math.sin(i * i + i)) },
  fields: ["logDensity"], transitions: new Float64Array(chains * count).fill(-0.5), description: { model: "m" }, report: {},
});`;

describe.skipIf(reason)(`draws stored by a page${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  it("reads draws back from a folder, a file and bytes", async () => {
    const task = `${begin}
      const draws = drawn(2, 30, 3);
      const root = await navigator.storage.getDirectory();
      const folder = await root.getDirectoryHandle("run", { create: true });
      const same = async (from) => JSON.stringify(await loadDraws(from)) === JSON.stringify(draws);
      const listed = async () => (await Array.fromAsync(folder.keys())).sort();
      const found = {};
      await saveDraws(drawn(3, 30, 3), folder);
      await saveDraws(draws, folder);
      found.csv = [await same(folder), await listed()];
      await saveDraws(draws, folder, { format: "json" });
      found.json = [await same(folder), await listed()];
      const file = await root.getFileHandle("draws.json", { create: true });
      await saveDraws(draws, file);
      found.file = await same(file);
      found.bytes = await same(await saveDraws(draws));
      found.refused = await saveDraws(draws, "out").catch((error) => error.code);
      return found;`;
    expect(await runInBrowser(browser, { isolated: false, thread: "page", task })).toEqual({
      csv: [true, ["chain_1.csv", "chain_2.csv", "draws.json"]],
      json: [true, ["draws.json"]],
      file: true,
      bytes: true,
      refused: "NO_FILES",
    });
  });

  it("summarises draws in slices, so that timers of 10 ms still fire", async () => {
    const task = `${begin}
      const draws = drawn(4, 1000, 300);
      let [turns, ended] = [0, false];
      const summarised = draws.summarise().then((table) => { ended = true; return table; });
      for (; !ended; turns++) await new Promise((resolve) => setTimeout(resolve, 10));
      const table = await summarised;
      return { turns, rows: Object.keys(table).length, same: draws.summary()["theta[300]"] === table["theta[300]"] };`;
    const found = (await runInBrowser(browser, { isolated: false, thread: "page", task })) as { turns: number };
    expect(found).toMatchObject({ rows: 300, same: true });
    // A summary in one task would let only one timer fire.
    expect(found.turns).toBeGreaterThan(4);
  });
});
