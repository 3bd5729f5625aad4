/**
 * Documents are correct: their code is type-checked and run, their commands are run, stated output is compared, links
 * point to existing targets, and generated pages are up to date.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { constraintWords } from "ergodic/bayes";
import { distributionLedger } from "ergodic/distributions";
import type { Engine } from "ergodic/extend";
import { ruleLedger, ruleRegistry } from "ergodic/rules";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { commands } from "../packages/cli/src/commands/all.ts";
import { transformations } from "../packages/ergodic/src/engine/data/transformations/index.ts";
import type { RuleEntry } from "../packages/ergodic/src/engine/optimise/index.ts";
import { commandLinePage, distributionSources, distributionSummaries, distributionsPage, rulesPage } from "../scripts/docs.mjs";
import { pictures, withSpeeds } from "../scripts/front-page.mjs";
import { type Document, readDocument, statedOutput } from "./docs/blocks.ts";
import { deadLinks } from "./docs/links.ts";
import { isKernel, type Modules, modulesOf, NEW_PROJECT, runModules, typeErrors } from "./docs/modules.ts";
import { compileKernel } from "./docs/recipe-kernel.ts";
import { commandsOf, expressionOf, runCommand } from "./docs/shell.ts";

/** The recipes' files are placed at their paths in the repository and include tests. */
const RECIPES = "docs/recipes.md";

const root = new URL("../", import.meta.url);
const folder = fileURLToPath(root);
const markdownIn = (path: string): string[] =>
  readdirSync(join(folder, path), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${path}/${name}`);
const paths = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "bench/README.md"],
  ...readdirSync(join(folder, "packages")).map((name) => `packages/${name}/README.md`),
  ...markdownIn("docs"),
  ...markdownIn("packages/ergodic/src"),
];
const documents = paths.map((path) => readDocument(root, path));
const withCode = documents.filter(({ blocks }) => blocks.some(({ language }) => language === "ts"));
const commandBlocks = documents.flatMap(({ path, blocks }) =>
  blocks
    .filter(({ language, code }) => language === "sh" && commandsOf(code).length > 0)
    .map((block): [string, typeof block] => [`${path}:${block.line}`, block]),
);

/** Documents run in a writable folder that looks like the repository. */
const scratch = mkdtempSync(join(tmpdir(), "ergodic-docs-"));
const home = process.cwd();
beforeAll(() => {
  for (const name of ["packages", "examples"]) symlinkSync(join(folder, name), join(scratch, name));
  // Pages read the file where a project finds it. Those on the command also refer to it by its bare name.
  mkdirSync(join(scratch, "node_modules/@ergodic"), { recursive: true });
  symlinkSync(join(folder, "packages/cli"), join(scratch, "node_modules/@ergodic/cli"));
  symlinkSync(join(folder, "packages/cli/data/digits.csv"), join(scratch, "digits.csv"));
  process.chdir(scratch);
});
afterAll(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true });
});

test("every document is found and contains something to run", () => {
  expect(withCode.map(({ path }) => path)).toEqual(
    expect.arrayContaining(["README.md", "ARCHITECTURE.md", RECIPES, "packages/ergodic/README.md"]),
  );
  expect(commandBlocks.length).toBeGreaterThan(4);
  const untitled = paths.filter((path) => !/^# \S/.test(readFileSync(new URL(path, root), "utf8")));
  expect(untitled).toEqual([]);
});

test("code in documents is well-typed, under the options of a new project", () => {
  const users = withCode.filter(({ path }) => path !== RECIPES);
  expect(
    typeErrors(
      users.map((document) => modulesOf(document, root)),
      NEW_PROJECT,
    ),
  ).toEqual([]);
});

test("recipes are well-typed, under the options of this repository", () => {
  expect(typeErrors([modulesOf(documents.find(({ path }) => path === RECIPES)!, root)])).toEqual([]);
});

describe("stated output of code in documents", () => {
  test.each(withCode.filter(({ path }) => path !== RECIPES).map((d): [string, Document] => [d.path, d]))(
    "%s",
    async (_, document) => {
      const modules = modulesOf(document, root);
      expect(named(modules, await runModules(modules))).toEqual(named(modules, modules.blocks.map(statedOutput)));
    },
  );
});

/** Output by the line of its block. */
function named({ blocks }: Modules, output: string[]): Record<string, string> {
  return Object.fromEntries(blocks.map(({ line }, k) => [`line ${line}`, output[k]]));
}

/** The one-line entries that the recipes require are made here in memory. */
const entries: Record<string, (exports: Record<string, unknown>) => void> = {
  "sign-descent.ts": ({ signDescent }) => {
    (ruleRegistry as Record<string, unknown>).signDescent = { make: signDescent, convex: {}, scaled: {} } as unknown as RuleEntry;
  },
  "count.ts": (module) => {
    (commands as Record<string, unknown>).count = module;
  },
  "signed-log.ts": ({ signedLog }) => {
    (transformations as Map<string, unknown>).set("signedLog", signedLog);
  },
};

test("the recipes work and pass their own tests", async () => {
  const document = documents.find(({ path }) => path === RECIPES)!;
  const modules = modulesOf(document, root);
  const kernels = document.blocks.filter(({ file }) => file && isKernel(file));
  const collected: { name: string; run: () => unknown }[] = [];
  const override = (path: string, real: Record<string, unknown>): Record<string, unknown> => {
    if (path === "vitest") return { ...real, test: (name: string, run: () => unknown) => void collected.push({ name, run }) };
    if (path.endsWith("/memory/engine.ts"))
      return { ...real, openEngine: () => withRecipes(real.openEngine as () => Promise<Engine>, kernels) };
    return real;
  };
  const files = [...modules.sources.keys()].filter((path) => path !== modules.main);
  const printed = await runModules(
    modules,
    { override, loaded: (path, exports) => entries[path.split("/").at(-1)!]?.(exports) },
    [...files, modules.main],
  );
  expect(named(modules, printed)).toEqual(named(modules, modules.blocks.map(statedOutput)));
  expect(collected.length).toBeGreaterThan(0);
  for (const { run } of collected) await run();
  // The page of commands is compared below.
  delete (commands as Record<string, unknown>).count;
});

async function withRecipes(open: () => Promise<Engine>, kernels: Document["blocks"]): Promise<Engine> {
  const engine = await open();
  const recipes = Object.assign({}, ...(await Promise.all(kernels.map(({ code }) => compileKernel(code, engine)))));
  const kernel: Engine["kernel"] = (name, deterministic) => recipes[name] ?? engine.kernel(name, deterministic);
  return new Proxy(engine, { get: (target, key) => (key === "kernel" ? kernel : Reflect.get(target, key)) });
}

test("each program of README.md runs alone, with the library as its only package", async () => {
  const { blocks, ...document } = documents.find(({ path }) => path === "README.md")!;
  const programs = blocks.filter(({ language }) => language === "ts");
  expect(programs.length).toBe(3);
  for (const program of programs) {
    expect([...program.code.matchAll(/from "([^"]+)"/g)].map(([, name]) => name)).toEqual(["ergodic"]);
    expect(await runModules(modulesOf({ ...document, blocks: [program] }, root))).toEqual([statedOutput(program)]);
    // The page tells readers to run them by Node, without a compiler.
    const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "--check"], {
      input: program.code,
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }
});

describe("commands in documents", () => {
  test.each(commandBlocks)("%s", async (_, block) => {
    let out = "";
    for (const command of commandsOf(block.code)) {
      const outcome = await runCommand(command);
      expect(outcome.code, `${command}\n${outcome.notes}`).toBe(0);
      out += outcome.out;
    }
    if (block.output !== undefined) expect(out).toMatch(expressionOf(block.output));
  });
});

test("links between documents point to existing files and headings", () => {
  const broken = paths.flatMap((path) => deadLinks(folder, path));
  expect(broken).toEqual([]);
});

describe("generated pages (npm run docs updates them)", () => {
  const page = (name: string): string => readFileSync(join(folder, "docs", name), "utf8");

  test("distributions.md is up to date", () => {
    const made = distributionsPage(distributionLedger(), distributionSummaries(distributionSources()), constraintWords);
    expect(page("distributions.md")).toBe(made);
    for (const name of ["normal", "censored", "lkjCholesky", "zeroInflated"]) expect(made).toMatch(new RegExp(`\\b${name}\\(`));
    expect(made.match(/^- `\w+`: ./gm)?.length).toBeGreaterThan(30);
  });

  test("rules.md is up to date", () => {
    expect(page("rules.md")).toBe(rulesPage(ruleLedger().filter(({ rule }) => rule !== "signDescent")));
  });

  test("command-line.md is up to date", async () => {
    const help = async (args: string[]): Promise<string> => (await runCommand(["ergodic", ...args].join(" "))).out;
    expect(page("command-line.md")).toBe(await commandLinePage(help));
  });

  test("the table and the picture of README.md are up to date", async () => {
    const readme = readFileSync(join(folder, "README.md"), "utf8");
    expect(readme).toBe(withSpeeds(readme, page("benchmarks.md")));
    for (const [theme, picture] of Object.entries(await pictures())) expect(page(`pictures/schools-${theme}.svg`)).toBe(picture);
  });
});
