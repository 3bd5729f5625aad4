/**
 * Every dependency of a published package installs on the oldest Node version that it supports, even with npm's
 * --engine-strict. Fastify requires light-my-request ^6.0.0, whose version 6.8 uses a cookie package for Node 22. So
 * @ergodic/serve depends on the previous version, although it does not import it, and npm installs that version for
 * both.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, it } from "vitest";

interface Installed {
  readonly name?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

const require = createRequire(import.meta.url);
const { satisfies } = require("semver") as { satisfies(version: string, range: string): boolean };
const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
  packages: Record<string, Installed>;
};
const OLDEST = "20.19.0";

/** Places where a package finds a dependency: its own folder or a parent folder. */
function found(from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf("node_modules/")).replace(/\/$/, "")) {
    const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (path in packages) return packages[path].link ? packages[path].resolved! : path;
    if (!folder.includes("node_modules/")) {
      const top = `node_modules/${name}`;
      if (!(top in packages)) throw new Error(`${from} wants ${name}, which is not in the lock`);
      return packages[top].link ? packages[top].resolved! : top;
    }
  }
}

function reached(from: string, all = new Set<string>()): Set<string> {
  if (all.has(from)) return all;
  all.add(from);
  for (const name of Object.keys(packages[from].dependencies ?? {})) reached(found(from, name), all);
  return all;
}

const published = ["ergodic", "single-file", "ingest", "serve", "plots", "cli"].map((name) => `packages/${name}`);

it.each(published)("%s and its dependencies run on Node 20.19", (folder) => {
  const refused = [...reached(folder)].filter((path) => !satisfies(OLDEST, packages[path].engines?.node ?? "*"));
  expect(refused).toEqual([]);
});

it("the server's dependencies are checked", () => {
  const all = reached("packages/cli");
  for (const name of ["fastify", "light-my-request", "cookie", "pino"]) expect(all).toContain(`node_modules/${name}`);
});
