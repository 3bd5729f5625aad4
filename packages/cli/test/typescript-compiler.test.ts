/** TypeScript files next to a `typescript` package that cannot transform modules, such as version 7. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { UsageError } from "../src/errors.ts";
import { registerCompiler } from "../src/options/module-file.ts";
import { temporary } from "./captured.ts";

const file = temporary();

/** A file in a separate folder, next to such a package. */
function fileNextTo(name: string, version: string, main: string): string {
  const folder = join(file(name), "node_modules", "typescript");
  mkdirSync(join(folder, "lib"), { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "typescript", version, main: "./lib/main.cjs" }));
  writeFileSync(join(folder, "lib", "main.cjs"), main);
  return join(file(name), "coin.ts");
}
const seven = fileNextTo("seven", "7.0.2", 'module.exports = { version: "7.0.2" };');
const six = fileNextTo("six", "6.0.3", "module.exports = { transpileModule() {}, ModuleKind: {}, ScriptTarget: {} };");

const advice = "use a newer Node, add the package typescript@6, or convert it to coin.mjs";
const start = `coin.ts is TypeScript, which needs Node 22.18 or newer, but this is ${process.versions.node}`;

it("is distinguished from a missing package", () => {
  const attempt = (near: string[]) => () => registerCompiler("MODEL", "coin.ts", near);
  expect(attempt([seven])).toThrow(
    new UsageError("MODEL", `${start}, and typescript 7.0.2 here has no transpileModule(); ${advice}`),
  );
  expect(attempt([join(file("none"), "coin.ts")])).toThrow(new UsageError("MODEL", `${start}; ${advice}`));
});

it("is skipped if another package works", () => {
  expect(() => registerCompiler("MODEL", "coin.ts", [seven, six])).not.toThrow();
});
