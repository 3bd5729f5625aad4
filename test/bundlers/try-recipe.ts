/** Follows a recipe in a fresh project: installs, builds, and runs the result in a browser. */
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Browser } from "playwright-core";
import { serve } from "../../packages/ergodic/test/browser/serve.ts";
import { filesOf, page, programs } from "./bundlers.ts";
import type { Recipe, Row } from "./recipes.ts";

interface Attempt {
  readonly builds: boolean;
  /** Results of the program, or none if it failed. */
  readonly outcome?: unknown;
  /** Reason why it does not build or run. */
  readonly problem?: string;
}

const run = promisify(execFile);
const own = fileURLToPath(new URL("./", import.meta.url));
const environment = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "true" };
const MINUTES = 60_000;

/** `tarball` is the path of the packed library. */
export async function install(folder: string, { packages }: Recipe, tarball: string): Promise<void> {
  mkdirSync(folder);
  write(folder, { "package.json": JSON.stringify({ name: "app", private: true, type: "module" }) });
  for (const file of programs) cpSync(join(own, file), join(folder, file));
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", tarball, ...packages], {
    cwd: folder,
  });
}

/**
 * Tries the programs with default settings and, if these fail, with the remedy of the remark. Returns the resulting row
 * and the problems.
 */
export async function tryRecipe(
  browser: Browser,
  folder: string,
  recipe: Recipe,
  wanted: Readonly<Record<"plain" | "threaded", unknown>>,
): Promise<{ row: Row; problems: string[] }> {
  const problems: string[] = [];
  const attempt = async (program: "plain" | "threaded", helped: boolean): Promise<Record<"builds" | "runs", boolean>> => {
    const { builds, outcome, problem } = await once(browser, folder, recipe, `./${program}.js`, helped);
    const runs = JSON.stringify(outcome) === JSON.stringify(wanted[program]);
    if (!runs) problems.push(`${program}${helped ? ", as remarked" : ""}: ${problem ?? `it gave ${JSON.stringify(outcome)}`}`);
    return { builds, runs };
  };
  const found = { plain: [await attempt("plain", false)], threaded: [await attempt("threaded", false)] };
  if (recipe.help && !found.threaded[0].runs) {
    if (!found.plain[0].runs) found.plain.push(await attempt("plain", true));
    found.threaded.push(await attempt("threaded", true));
  }
  const answer = (oks: readonly boolean[]): Row["builds"] => (oks[0] ? "yes" : oks.at(-1) ? "as remarked" : "no");
  const row: Row = {
    bundler: recipe.bundler,
    builds: answer(found.threaded.map(({ builds }) => builds)),
    runs: answer(found.plain.map(({ runs }) => runs)),
    worker: answer(found.threaded.map(({ runs }) => runs)),
    remark: recipe.remark,
  };
  return { row, problems };
}

async function once(browser: Browser, folder: string, recipe: Recipe, entry: string, helped: boolean): Promise<Attempt> {
  const { args = "", files = {}, copies = {}, given = "undefined" } = (helped && recipe.help) || {};
  const out = join(folder, recipe.out ?? "out");
  rmSync(out, { recursive: true, force: true });
  write(folder, { ...recipe.files?.(entry), ...files });
  const command = `npx --no-install ${recipe.command(entry)} ${args}`;
  if (recipe.serves) return await withServer(folder, command, recipe.serves, (address) => outcomeOf(browser, address, given));
  try {
    await run("sh", ["-c", command], { cwd: folder, env: environment, timeout: 5 * MINUTES });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    return { builds: false, problem: firstError(stderr + stdout) };
  }
  if (recipe.page) write(out, { "index.html": page(recipe.page) });
  for (const [from, to] of Object.entries(copies)) cpSync(join(folder, from), join(out, to), { recursive: true });
  await using site = await serve({ isolated: false, files: filesOf(out) });
  return { builds: true, ...(await outcomeOf(browser, `${site.origin}/index.html`, given)) };
}

async function withServer(
  folder: string,
  command: string,
  serves: (port: number) => string,
  use: (address: string) => Promise<Omit<Attempt, "builds">>,
): Promise<Attempt> {
  const port = await freePort();
  const [program, ...args] = `${command} ${serves(port)}`.split(/\s+/);
  // A separate process group, so that child processes end with the command.
  const server = spawn(program, args, { cwd: folder, env: environment, stdio: ["ignore", "pipe", "pipe"], detached: true });
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  try {
    const address = `http://127.0.0.1:${port}/`;
    for (let tries = 0; ; tries++) {
      if (
        await fetch(address).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        break;
      if (tries > 600 || server.exitCode !== null) return { builds: false, problem: "the server did not answer" };
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return { builds: true, ...(await use(address)) };
  } finally {
    if (server.exitCode === null) process.kill(-server.pid!, "SIGTERM");
    await ended;
  }
}

async function outcomeOf(browser: Browser, address: string, given: string): Promise<Omit<Attempt, "builds">> {
  const tab = await browser.newPage();
  try {
    await tab.addInitScript(`globalThis.given = ${given}`);
    await tab.goto(address);
    // A development server can reload the page after it has found the packages.
    const outcome = await tab.waitForFunction("globalThis.outcome", null, { timeout: MINUTES / 2 });
    return { outcome: await outcome.jsonValue() };
  } catch (error) {
    return { problem: firstError(String(error)) };
  } finally {
    await tab.close();
  }
}

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** First line of an output that names an error, or else its first line. */
function firstError(output: string): string {
  const lines = output.split("\n").map((line) => line.trim());
  return lines.find((line) => /error|fail/i.test(line) && /\w{3,} \w/.test(line)) ?? lines.find(Boolean) ?? "no reason was given";
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
