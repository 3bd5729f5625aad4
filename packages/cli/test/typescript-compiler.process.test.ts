/**
 * TypeScript files on a Node that does not read them itself, with each compiler that a user can have. Every compiler
 * runs in a process of its own, next to the file.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { nodeVersions } from "../../ergodic/test/engine/memory/node-binaries.ts";
import { UsageError } from "../src/errors.ts";
import { compilersNear, registerCompiler } from "../src/options/typescript.ts";
import { temporary } from "./places.ts";

const file = temporary();
const root = fileURLToPath(new URL("../../../", import.meta.url));
const library = new URL("../dist/command-line.js", import.meta.url);

/** A folder in which `ergodic` and these packages are installed. */
function folderWith(name: string, packages: Record<string, string>): string {
  const folder = file(name);
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const [own, path] of Object.entries({ ergodic: join(root, "packages/ergodic"), ...packages }))
    symlinkSync(path, join(folder, "node_modules", own));
  writeFileSync(join(folder, "tsconfig.json"), '{ "compilerOptions": { "noEmit": true } }');
  writeFileSync(
    join(folder, "prior.ts"),
    "export interface Prior {\n  scale: number;\n}\nexport const prior: Prior = { scale: 2 };\n",
  );
  const coin = [
    'import { type ModelContext, normal } from "ergodic";',
    'import { type Prior, prior } from "./prior.ts";',
    "interface Named<T> {",
    "  value: T;",
    "}",
    "const named = { value: prior } satisfies Named<Prior>;",
    "export default function coin({ param }: ModelContext): void {",
    '  param("mean", normal(0, (named as Named<Prior>).value!.scale));',
    "}",
  ];
  writeFileSync(join(folder, "coin.ts"), coin.join("\n"));
  writeFileSync(join(folder, "broken.ts"), "interface A {\n  a: number;\n}\nexport const a: A = { a: = 3 };\n");
  writeFileSync(join(folder, "late.ts"), `${coin.slice(0, 7).join("\n")}\n  const none: any = null;\n  none.value;\n}\n`);
  return folder;
}

const typescript = (version: string): string =>
  join(root, "node_modules/.cache-node", `typescript-${version}`, "node_modules/typescript");
const compilers: [name: string, kind: string, packages: Record<string, string>][] = [
  ["TypeScript 5.4", "typescript", { typescript: typescript("5.4") }],
  ["TypeScript 5.9", "typescript", { typescript: typescript("5.9") }],
  ["TypeScript 6", "typescript", { typescript: join(root, "node_modules/typescript") }],
  ["TypeScript 7", "tsc", { typescript: typescript("7") }],
  ["esbuild", "esbuild", { esbuild: join(root, "node_modules/esbuild") }],
];
const [thisNode, ...newer] = nodeVersions("TypeScript files", library);

/** One process loads the three files. Errors name the user's own lines. */
function expectLoads(folder: string, program: string, ...flags: string[]): void {
  const names = ["coin.ts", "late.ts", "broken.ts"];
  const script = `import { processTerminal, runCommandLine } from ${JSON.stringify(library.href)};
    for (const name of ${JSON.stringify(names)}) {
      const words = ["--draws", "20", "--warmup", "20", "--quiet"];
      console.error("ended with", await runCommandLine(["sample", name, ...words], processTerminal()));
    }`;
  const words = [...flags, "--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(program, words, { cwd: folder, encoding: "utf8" });
  const outcomes = stderr.replaceAll(/^\(.*\n/gm, "").split(/^ended with /m);
  expect([outcomes[0].replace(/^.*ExperimentalWarning.*\n/gm, ""), outcomes[1][0]]).toEqual(["", "0"]);
  expect(stdout).toMatch(/^ *mean .*/m);
  expect(outcomes[1]).toMatch(/ergodic: late\.ts:9:\d+: fails: Cannot read properties of null .* \[MODEL_FILE\]\n$/);
  expect(outcomes[2]).toMatch(
    /ergodic: broken\.ts:4:26: fails: (Expression expected|Unexpected token|Unexpected "=").* \[MODEL_FILE\]\n$/,
  );
}

const readsTypes = Boolean((process.features as { typescript?: unknown }).typescript) || "stripTypeScriptTypes" in nodeModule;
for (const [name, kind, packages] of compilers) {
  const missing = Object.values(packages).find((path) => !existsSync(path));
  if (missing) console.warn(`skipped: TypeScript files with ${name}, which is not under node_modules/.cache-node`);
  it.skipIf(missing !== undefined || thisNode.reason !== "" || readsTypes)(`are read with ${name}`, () => {
    const folder = folderWith(name, packages);
    expect(compilersNear(join(folder, "coin.ts"))[0]).toMatchObject({ kind });
    expectLoads(folder, thisNode.path!);
  });
}

for (const { title, path, reason } of newer)
  it.skipIf(reason !== "")(`are read on ${title} without a compiler, although it is told not to read types itself`, () => {
    expectLoads(folderWith(title, {}), path!, "--no-experimental-strip-types");
  });

it.skipIf("stripTypeScriptTypes" in nodeModule)("are refused without a compiler, or next to one that is too old", () => {
  const folder = folderWith("old", {});
  const old = join(folder, "node_modules/typescript");
  mkdirSync(old);
  writeFileSync(join(old, "package.json"), JSON.stringify({ name: "typescript", version: "4.9.5" }));
  const attempt = (near: string[]) => () => registerCompiler("MODEL", "coin.ts", near);
  const start = `coin.ts is TypeScript, which Node ${process.versions.node} cannot read without a compiler`;
  const advice = "install one (npm install --save-dev typescript), use Node 22.18 or newer, or convert the file to coin.mjs";
  expect(attempt([join(dirname(folder), "none/coin.ts")])).toThrow(new UsageError("MODEL", `${start}; ${advice}`));
  expect(attempt([join(folder, "coin.ts")])).toThrow(
    new UsageError("MODEL", `${start}, and typescript 4.9.5 is too old; ${advice}`),
  );
});
