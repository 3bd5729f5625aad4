/**
 * The system's Chromium for tests: its path, its start, and a way to run a module of code in it, on the main thread or
 * in a module worker.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { installed } from "./installed.ts";
import { dist, type SiteOptions, serve } from "./serve.ts";

const executable = (): string | undefined => installed(["chromium", "chromium-browser", "google-chrome"]);
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";

/** Reason why browser tests cannot run here, or undefined if they can. */
export function whyNoBrowser(): string | undefined {
  if (!executable()) return "Chromium is not installed (Debian: apt-get install chromium)";
  if (!existsSync(join(dist, "entries/index.js"))) return "packages/ergodic/dist is not built (npm run build)";
  return undefined;
}

export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: executable(), args: FLAGS.split(" ") });
}

/**
 * Runs `task`, the text of an async function body, in a fresh page, and returns its result as JSON. The body can
 * `import()` from "/dist/…". `thread` selects the main thread or a module worker. `isolated` adds the headers that
 * permit shared memory.
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
