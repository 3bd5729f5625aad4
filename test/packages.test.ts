/** What the packages say of themselves holds for those who install or bundle them. */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const names = readdirSync(packages);

interface Manifest {
  bin?: Record<string, string>;
  sideEffects?: boolean | string[];
  license?: string;
  description?: string;
}
const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Manifest;

describe.each(names)("%s", (name) => {
  const { bin = {}, sideEffects = true, license, description } = manifest(name);

  test("says what it is", () => {
    expect(license).toBe("Apache-2.0");
    expect(description).toMatch(/\w{3,}/);
    expect(existsSync(join(packages, name, "README.md"))).toBe(true);
  });

  test("has its commands before the first build, so that npm can link them", () => {
    for (const path of Object.values(bin)) {
      expect(path).not.toContain("dist");
      accessSync(join(packages, name, path), constants.X_OK);
    }
  });

  test("keeps, when bundled, the modules that are imported for what they do", () => {
    const root = join(packages, name);
    const imported = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => {
        const text = readFileSync(join(root, "src", path), "utf8");
        return [...text.matchAll(/^import "(\..*)";/gm)].map(([, to]) => relative(root, join(root, "src", dirname(path), to)));
      });
    const folders = Array.isArray(sideEffects) ? sideEffects.map((glob) => glob.replace(/^\.\//, "").replace(/\*$/, "")) : [];
    const kept = (path: string): boolean => sideEffects === true || folders.some((folder) => path.startsWith(folder));
    expect(imported.filter((path) => !kept(path))).toEqual([]);
    if (name === "ergodic") expect(imported).toContain("src/models/losses/index.ts");
  });
});
