/**
 * A cross-origin isolated page in the system's Chromium that imports the built library from /dist/. For benchmarks of a
 * page's responsiveness and of programs that run only in pages.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Skipped } from "./peer.mjs";

const built = fileURLToPath(new URL("../packages/ergodic/dist/", import.meta.url));
const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS =
  "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const TYPES = { ".js": "text/javascript", ".wasm": "application/wasm" };
const HEADERS = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/** Trace category for the activity of the browser's threads, and the name of the event for a task. */
const CATEGORIES = ["disabled-by-default-devtools.timeline"];
const TASK = "RunTask";
const PAGE_THREAD = "CrRendererMain";

/** Returns the tasks of the page's own thread in a trace, in ms: { wall, cpu } each. */
function tasksOf(trace) {
  const { traceEvents } = JSON.parse(trace);
  const isPage = ({ name, args }) => name === "thread_name" && args.name === PAGE_THREAD;
  const threads = new Set(traceEvents.filter(isPage).map(({ pid, tid }) => `${pid} ${tid}`));
  return traceEvents
    .filter(({ name, pid, tid, dur }) => name === TASK && dur !== undefined && threads.has(`${pid} ${tid}`))
    .map(({ dur, tdur = 0 }) => ({ wall: dur / 1000, cpu: tdur / 1000 }));
}

/**
 * Resolves to { version, evaluate(function, argument) → { result, tasks }, close() }. `folders`: other folders that the
 * page can read, by URL path: { "/data/": … }.
 *
 * @throws Skipped if Chromium is not installed
 */
export async function openPage(folders = {}) {
  const all = Object.entries({ "/dist/": built, ...folders });
  const executablePath = PLACES.find((path) => existsSync(path));
  if (!executablePath) throw new Skipped("Chromium is not installed (Debian: apt-get install chromium)");
  const { chromium } = await import("playwright-core");
  const server = createServer(async (request, response) => {
    // A parsed URL contains no "..", so the path stays inside its folder.
    const { pathname } = new URL(request.url, "http://localhost");
    const [under, folder] = all.find(([path]) => pathname.startsWith(path)) ?? [];
    const body = folder
      ? await readFile(join(folder, pathname.slice(under.length))).catch(() => undefined)
      : "<!doctype html><meta charset=utf-8><link rel=icon href=data:,>";
    response.writeHead(body === undefined ? 404 : 200, { "content-type": TYPES[extname(pathname)] ?? "text/html", ...HEADERS });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: FLAGS.split(" ") });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}`);
  return {
    version: `Chromium ${browser.version()}`,
    async evaluate(task, given) {
      await browser.startTracing(page, { categories: CATEGORIES });
      const result = await page.evaluate(task, given);
      return { result, tasks: tasksOf(String(await browser.stopTracing())) };
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
