/** The readers, bundled for browsers, on a page in Chromium: addresses, responses and files. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, runInBrowser, whyNoBrowser } from "../../ergodic/test/browser/chromium.ts";

const reason = whyNoBrowser();
if (reason) console.warn(`skipped: readers in a browser, because ${reason}`);

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../dist/index.js", import.meta.url))],
    bundle: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return outputFiles[0].text;
}

describe.skipIf(reason)(`readers in a browser${reason ? ` (skipped: ${reason})` : ""}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
  });

  it("read addresses, responses, files and bytes in a page", async () => {
    const text = "a,b\n1,x\n2,y\n";
    const task = `
      const { readCsv, readLibsvm, readTable } = await import("/ingest.js");
      const found = {};
      const take = async (name, source) => {
        const { rowCount, columnCount } = await readCsv(await source, { target: "a" });
        found[name] = [rowCount, columnCount];
      };
      await take("a path of the site", "/t.csv");
      await take("a URL", new URL("/t.csv", location.href));
      await take("a response", fetch("/t.csv"));
      await take("a file", new File([${JSON.stringify(text)}], "t.csv"));
      const packed = await new Response(new Blob([${JSON.stringify(text)}]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
      await take("a packed file", new File([packed], "t.csv.gz"));
      found.sparse = (await readLibsvm("/t.libsvm")).columnCount;
      const controller = new AbortController();
      controller.abort(new Error("enough"));
      const failures = [readTable("/none.csv"), readTable("/wrong.csv"), readTable("/t.csv", { signal: controller.signal })];
      found.failures = (await Promise.allSettled(failures)).map(({ reason }) => reason.message);
      return found;`;
    const files = {
      "/ingest.js": await bundle(),
      "/t.csv": text,
      "/t.libsvm": "1 1:2\n-1 2:3\n",
      "/wrong.csv": "a,b\n1,x\n2\n",
    };
    const { failures, ...found } = (await runInBrowser(browser, { isolated: false, thread: "page", task, files })) as {
      failures: string[];
    };
    const table = [2, 2];
    expect(found).toEqual({
      "a path of the site": table,
      "a URL": table,
      "a response": table,
      "a file": table,
      "a packed file": table,
      sparse: 2,
    });
    expect(failures[0]).toMatch(/^\/none\.csv: the server answered 404 Not Found; check the address \[DATA_FILE_MISSING\]$/);
    expect(failures[1]).toMatch(/^\/wrong\.csv:3:/);
    expect(failures[2]).toBe("enough");
  });
});
