/**
 * The system's Chromium for tests: where it is, how it starts, and a way to run one module of code in it, on the page's own thread or in a
 * module worker.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { installed } from "./installed.ts";
import { dist, type SiteOptions, serve } from "./serve.ts";

const executable = (): string | undefined => installed(["chromium", "chromium-browser", "google-chrome"]);
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Why browser tests cannot run here; undefined if they can. */
export function whyNoBrowser(): string | undefined {
  if (!executable()) return "Chromium is not installed (Debian: apt-get install chromium)";
  if (!existsSync(join(dist, "entries/index.js"))) return "packages/ergodic/dist is not built (npm run build)";
  return undefined;
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: FLAGS.split(" ") });
}

/**
 * Runs `task`, the text of an async function body, in a fresh page and returns what it returns, as JSON. The body may `import()` from
 * "/dist/…". `thread`: the page's own, or a module worker. `isolated`: with the headers that permit shared memory.
 */
export async function runInBrowser(
  browser: Browser,
  { task, thread, files = {}, ...place }: { task: string; thread: "page" | "worker" } & SiteOptions,
): Promise<unknown> {
  const run = `const run = async () => {\n${task}\n};\nconst outcome = run().then((value) => ({ value }), (error) => ({ error: error.stack ?? String(error) }));\n`;
  await using site = await serve({
    ...place,
    files: {
      ...files,
      "/task.js": `${run}export { outcome };`,
      "/worker-task.js": `${run}outcome.then((result) => postMessage(JSON.stringify(result)));`,
    },
  });
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(site.origin);
    const text = await page.evaluate(
      thread === "page"
        ? `import("/task.js").then(async ({ outcome }) => JSON.stringify(await outcome))`
        : `new Promise((resolve, reject) => {
             const worker = new Worker("/worker-task.js", { type: "module" });
             worker.onmessage = ({ data }) => resolve(data);
             worker.onerror = (event) => reject(new Error(event.message ?? "the worker could not be loaded"));
           })`,
    );
    const { value, error } = JSON.parse(text as string);
    if (error !== undefined) throw new Error(error);
    return value;
  } finally {
    await context.close();
  }
}
