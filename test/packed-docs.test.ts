/** The documents that npm publishes: their links work in the unpacked packages, and packing leaves the repository as it was. */
import { execFileSync, spawnSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { deadLinks, targetsOf } from "./docs/links.ts";
import { copyOfRepository, hashesOf, names, unpackedPackages } from "./docs/packages.ts";

let copy: string;
let before: Record<string, string>;
let unpacked: Map<string, string>;
beforeAll(() => {
  execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: fileURLToPath(new URL("../", import.meta.url)), stdio: "pipe" });
  copy = copyOfRepository();
  before = hashesOf(join(copy, "packages"));
  unpacked = unpackedPackages(copy);
});
afterAll(() => rmSync(copy, { recursive: true }));

const documentsIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".md"));

test("every relative link in a package leads to a file and a heading of that package", () => {
  expect(unpacked.size).toBe(names.length);
  for (const [name, folder] of unpacked) {
    const documents = documentsIn(folder);
    expect(documents).toContain("README.md");
    expect({ name, dead: documents.flatMap((path) => deadLinks(folder, path)) }).toEqual({ name, dead: [] });
    const targets = documents.flatMap((path) =>
      targetsOf(readFileSync(join(folder, path), "utf8")).map((to) => join(path, "..", to)),
    );
    expect(targets.filter((path) => path.startsWith(".."))).toEqual([]);
  }
});

test("the library contains all pages and pictures of docs/", () => {
  const pages = readdirSync(join(copy, "docs"), { recursive: true });
  expect(readdirSync(join(unpacked.get("ergodic")!, "docs"), { recursive: true }).sort()).toEqual(pages.sort());
});

test("packing leaves all files as they were", () => {
  expect(hashesOf(join(copy, "packages"))).toEqual(before);
});

test("the next call repairs what a killed one left, and never overwrites an edited README", () => {
  const script = join(copy, "scripts/packed-docs.mjs");
  for (const name of names) {
    const cwd = join(copy, "packages", name);
    const run = (...args: string[]) => spawnSync(process.execPath, [script, ...args], { cwd, encoding: "utf8" });
    const original = readFileSync(join(cwd, "README.md"), "utf8");
    for (const args of [[], [], ["--restore"], ["--restore"]]) expect(run(...args).stderr).toBe("");
    expect(readFileSync(join(cwd, "README.md"), "utf8")).toBe(original);
    run();
    expect(readFileSync(join(cwd, "README.md"), "utf8")).not.toBe(original);
    appendFileSync(join(cwd, "README.md"), "An edit.\n");
    expect(run().stderr).toContain(`packages/${name}/README.md was edited`);
    expect(readFileSync(join(cwd, "README.md"), "utf8")).toMatch(/An edit\.\n$/);
    writeFileSync(join(cwd, "README.md"), original);
    run("--restore");
  }
  expect(hashesOf(join(copy, "packages"))).toEqual(before);
});
