/**
 * Pages in published browsers that no driver of ours can control. Each page reports its result to the test's own
 * server, which replies with the next page. One browser start serves all pages.
 */
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dist, type Site, type SiteOptions, serve } from "./serve.ts";

export interface ToldBrowser {
  readonly name: string;
  /** Missing requirement of the browser, or undefined if everything is installed. */
  absent(): string | undefined;
  /**
   * Shows a page. `folder` is an empty folder for the browser's own files. The first process is the browser, and each
   * process leads its own process group.
   */
  show(address: string, folder: string): Promise<ChildProcess[]>;
}

/** Reason why this browser cannot be tested here, or undefined if it can. */
export function whyNot(browser: ToldBrowser): string | undefined {
  if (!existsSync(join(dist, "entries/index.js"))) return "packages/ergodic/dist is not built (npm run build)";
  return browser.absent();
}

/** A page to visit. `task` is the text of an async function body whose value is posted. */
export interface Visit extends SiteOptions {
  readonly task: string;
}

/** Returns the results of several pages' tasks in order, as JSON. A failed task gives an Error. */
export async function runIn(browser: ToldBrowser, visits: readonly Visit[], timeoutMs: number): Promise<unknown[]> {
  const found: unknown[] = [];
  const sites: Site[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  try {
    for (const [i, { task, ...options }] of visits.entries()) {
      const receive = (body: string): string => {
        const { value, error } = JSON.parse(body) as { value?: unknown; error?: string };
        found[i] = error === undefined ? value : new Error(error);
        if (i + 1 === visits.length) finish();
        return sites[i + 1]?.origin ?? "about:blank";
      };
      sites.push(await serve({ ...options, page: pageOf(task), receive }));
    }
    const state = (): string => `${found.length} of ${visits.length} pages have told what they found`;
    await showing(browser, sites[0].origin, finished, timeoutMs, state);
    return found;
  } finally {
    for (const site of sites) await site[Symbol.asyncDispose]();
  }
}

/** Shows a page until `finished`. @throws if this takes longer than `timeoutMs` or the browser ends */
async function showing(
  browser: ToldBrowser,
  address: string,
  finished: Promise<void>,
  timeoutMs: number,
  state: () => string,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), `ergodic-${browser.name.toLowerCase()}-`));
  try {
    const processes = await browser.show(address, folder);
    const ends = processes.map((one, i) => ended(one, i === 0 ? browser.name : `what ${browser.name} needs`));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => (timer = setTimeout(resolve, timeoutMs, `${timeoutMs} ms have passed`)));
    const problem = await Promise.race([finished, ...ends, late]);
    clearTimeout(timer);
    for (const { pid, exitCode, signalCode } of processes)
      if (pid && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
    await Promise.all(ends);
    if (problem) throw new Error(`${problem}; ${state()}`);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

const ended = (one: ChildProcess, name: string): Promise<string> =>
  new Promise((resolve) => {
    one.once("error", (error) => resolve(`${name} cannot be started: ${error.message}`));
    one.once("exit", (code, signal) => resolve(`${name} ended with ${signal ?? `code ${code}`}`));
  });

const pageOf = (task: string): string => `<!doctype html><meta charset=utf-8><title>Ergodic</title><link rel=icon href=data:,>
<script type="module">
const run = async () => {
${task}
};
const result = await run().then((value) => ({ value }), (error) => ({ error: String(error) + "\\n" + error?.stack }));
const answer = await fetch("/outcome", { method: "POST", body: JSON.stringify(result) });
location.href = await answer.text();
</script>`;
