/**
 * The code of README.md and docs/ runs in a project of a user: as plain JavaScript, by Node, with the packages as npm
 * unpacks them. docs.test.ts runs it with the sources, and so finds neither a file that a package lacks nor an
 * undeclared dependency.
 */
import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocument, statedOutput } from "./docs/blocks.ts";
import { modulesOf } from "./docs/modules.ts";
import { copyOfRepository, names, unpackedPackages } from "./docs/packages.ts";

const root = new URL("../", import.meta.url);
const folder = fileURLToPath(root);
const project = mkdtempSync(join(tmpdir(), "ergodic-project-"));
afterAll(() => rmSync(project, { recursive: true, force: true }));

/** The recipes change files of the repository. */
const isOfUsers = (path: string): boolean => path.endsWith(".md") && path !== "recipes.md";
const paths = [
  "README.md",
  ...names.map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(folder, "docs"), { recursive: true, encoding: "utf8" })
    .filter(isOfUsers)
    .map((name) => `docs/${name}`),
];
const pages = paths
  .map((path) => readDocument(root, path))
  .filter(({ blocks }) => blocks.some(({ language, file }) => language === "ts" && file === undefined));

/** Links a third-party package from the repository. Optional peers can be absent. */
function link(name: string): void {
  const [from, to] = [join(folder, "node_modules", name), join(project, "node_modules", name)];
  if (existsSync(to) || !existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(from, to, "junction");
}

beforeAll(() => {
  const copy = copyOfRepository();
  try {
    const unpacked = unpackedPackages(copy);
    mkdirSync(join(project, "node_modules/@ergodic"), { recursive: true });
    for (const [name, from] of unpacked) renameSync(from, join(project, "node_modules", name));
    for (const name of unpacked.keys()) {
      const manifest = JSON.parse(readFileSync(join(project, "node_modules", name, "package.json"), "utf8")) as Record<
        string,
        object
      >;
      for (const other of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) link(other);
    }
  } finally {
    rmSync(copy, { recursive: true });
  }
});

/** Line that separates the outputs of two blocks. */
const MARK = "\u0001block ";
const run = promisify(execFile);

describe.concurrent("stated output of code in a project", () => {
  test.each(pages.map((page): [string, typeof page] => [page.path, page]))("%s", async (path, page) => {
    const { sources, main, blocks } = modulesOf(page, root);
    const { outputText } = ts.transpileModule(sources.get(main)!, {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    // Pages write files of the same names.
    const cwd = join(project, path.replaceAll("/", "-"));
    mkdirSync(cwd);
    symlinkSync(join(project, "node_modules"), join(cwd, "node_modules"), "junction");
    const begin = `globalThis.__block = (k) => console.log(${JSON.stringify(MARK)} + k);\n`;
    writeFileSync(join(cwd, "page.mjs"), begin + outputText);
    const { stdout } = await run(process.execPath, ["page.mjs"], { cwd, maxBuffer: 1e8 });
    const printed = stdout.split(new RegExp(`^${MARK}\\d+\\n`, "m")).slice(1);
    const byLine = (output: string[]) => Object.fromEntries(blocks.map(({ line }, k) => [`line ${line}`, output[k]]));
    expect(byLine(printed)).toEqual(byLine(blocks.map(statedOutput)));
  });
});
