/**
 * The system's Firefox for tests. No driver speaks to one as it is published, so pages tell the test's own server what they found, which answers with the page to
 * go to next: one start for all of them.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { dist, type Site, type SiteOptions, serve } from "./serve.ts";

const NAMES = ["firefox-esr", "firefox"];

/** Nothing is fetched but what a test asks for, and no page of its own is shown. */
const PREFERENCES = {
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "http://127.0.0.1:9/",
  "toolkit.telemetry.enabled": false,
};

/** Why Firefox cannot be tested with here; undefined if it can. */
export function whyNoFirefox(): string | undefined {
  if (!executable()) return "Firefox is not installed (Debian: apt-get install firefox-esr)";
  if (!existsSync(join(dist, "index.js"))) return "packages/ergodic/dist is not built (npm run build)";
  return undefined;
}

/** A page to be visited. `task`: the text of an async function body, whose value is posted. */
export interface Visit extends SiteOptions {
  readonly task: string;
}

/** What the tasks of some pages gave, one after the other, as JSON; an Error where one failed. */
export async function runInFirefox(visits: readonly Visit[], timeoutMs: number): Promise<unknown[]> {
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
    await showing(
      sites[0].origin,
      finished,
      timeoutMs,
      () => `${found.length} of ${visits.length} pages have told what they found`,
    );
    return found;
  } finally {
    for (const site of sites) await site[Symbol.asyncDispose]();
  }
}

/** Shows a page until `finished`. @throws where that takes longer than `timeoutMs`, or Firefox ends */
async function showing(address: string, finished: Promise<void>, timeoutMs: number, state: () => string): Promise<void> {
  const profile = await mkdtemp(join(tmpdir(), "ergodic-firefox-"));
  const preferences = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});`);
  await writeFile(join(profile, "user.js"), preferences.join("\n"));
  // A group of its own: Firefox is many processes.
  const options = { detached: true, stdio: "ignore" } as const;
  const firefox = spawn(executable()!, ["--headless", "--no-remote", "--profile", profile, address], options);
  const ended = new Promise<string>((resolve) => {
    firefox.once("error", (error) => resolve(`Firefox cannot be started: ${error.message}`));
    firefox.once("exit", (code) => resolve(`Firefox ended with code ${code}`));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => (timer = setTimeout(resolve, timeoutMs, `${timeoutMs} ms have passed`)));
  const problem = await Promise.race([finished, ended, late]);
  clearTimeout(timer);
  if (firefox.pid && firefox.exitCode === null) process.kill(-firefox.pid, "SIGKILL");
  await ended;
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  if (problem) throw new Error(`${problem}; ${state()}`);
}

const pageOf = (task: string): string => `<!doctype html><meta charset=utf-8><title>Ergodic</title><link rel=icon href=data:,>
<script type="module">
const run = async () => {
${task}
};
const result = await run().then((value) => ({ value }), (error) => ({ error: String(error) + "\\n" + error?.stack }));
const answer = await fetch("/outcome", { method: "POST", body: JSON.stringify(result) });
location.href = await answer.text();
</script>`;

function executable(): string | undefined {
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path));
}
