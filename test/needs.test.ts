/**
 * Requirements whose absence skips tests: each missing one is reported, and the list of reference data matches what the
 * tests read.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";

const { browsers, hosts, libraries, missing, nodeMajors, references } = (await import(
  new URL("../scripts/needs.mjs", import.meta.url).href
)) as {
  missing(where: { root: string; beside?: string; path: string; python: string }): string[];
  libraries: { name: string; folder: string }[];
  hosts: { folder: string; name: string; file: string }[];
  browsers: { name: string; programs: string[] }[];
  nodeMajors: string[];
  references: string[];
};

const root = mkdtempSync(join(tmpdir(), "ergodic-needs-"));
const beside = join(root, "data");
const bin = join(root, "bin");
const python = join(root, "python");
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "");
}

function putBrowsers(): void {
  for (const { programs } of browsers) put(join(bin, programs[0]));
}

it("names missing needs, and nothing if all are present", () => {
  mkdirSync(beside, { recursive: true });
  const lines = missing({ root, beside, path: bin, python });
  const about = (what: string): number => lines.filter((line) => line.includes(what)).length;
  for (const what of [...[...hosts, ...libraries].map(({ name }) => name), ...references])
    expect(about(what), what).toBeGreaterThan(0);
  for (const { folder, file } of hosts) put(join(root, "node_modules/.cache-node", folder, `node_modules/package/${file}`));
  for (const file of references) put(join(beside, file));
  for (const { folder } of libraries) put(join(python, folder, "__init__.py"));
  putBrowsers();
  expect(missing({ root, beside, path: bin, python })).toEqual([]);
  // A folder that a failed install left behind contains no Node.
  rmSync(join(root, "node_modules/.cache-node", nodeMajors[0], "node_modules"), { recursive: true });
  expect(missing({ root, beside, path: bin, python })).toEqual([expect.stringContaining(`Node ${nodeMajors[0]}`)]);
  rmSync(join(beside, references[0]));
  expect(missing({ root, beside, path: bin, python })).toHaveLength(2);
});

it("accepts a clone without reference data", () => {
  putBrowsers();
  const lines = missing({ root, beside: join(root, "nowhere"), path: bin, python });
  expect(lines.filter((line) => line.includes("reference data"))).toEqual([]);
});

it("lists every folder of reference data that a test reads", () => {
  const sources = ["../packages", "."].flatMap((folder) => {
    const at = new URL(folder === "." ? "./" : `${folder}/`, import.meta.url);
    return readdirSync(at, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.ts$/.test(path) && !/(^|\/)(node_modules|dist|src)\//.test(path))
      .map((path) => readFileSync(new URL(path, at), "utf8"));
  });
  const named = sources.flatMap((text) => [...text.matchAll(/shared\/data\/([\w.-]+(?:\/[\w.-]+)?)/g)].map(([, path]) => path));
  const folders = new Set(references.map((path) => path.split("/")[0]));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((path) => !folders.has(path.split("/")[0]))).toEqual([]);
  expect(named.filter((path) => /\.\w+$/.test(path) && !references.includes(path))).toEqual([]);
});
