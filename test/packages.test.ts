/** What the packages say of themselves holds for those who install or bundle them. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const names = readdirSync(packages);

interface Manifest {
  bin?: Record<string, string>;
  sideEffects?: boolean | string[];
  license?: string;
  description?: string;
}
const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Manifest;

// What is packed is what was built.
beforeAll(
  () => void execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: join(packages, ".."), stdio: "pipe" }),
  300_000,
);

/** What npm would publish. */
function packed(name: string): string[] {
  const answer = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: join(packages, name),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [{ files }] = JSON.parse(answer) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
}

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

  test("brings its licence, and no map of sources that it does not bring", () => {
    const files = packed(name);
    expect(files).toContain("LICENSE");
    expect(readFileSync(join(packages, name, "LICENSE"), "utf8")).toBe(readFileSync(join(packages, "../LICENSE"), "utf8"));
    const scripts = files.filter((path) => /^dist\/.*\.js$/.test(path));
    expect(scripts.length).toBeGreaterThan(5);
    const absent = [...files.filter((path) => path.endsWith(".map")), ...scripts].flatMap((path) => {
      const text = readFileSync(join(packages, name, path), "utf8");
      const named = path.endsWith(".map")
        ? (JSON.parse(text) as { sources: string[] }).sources
        : [...text.matchAll(/^\/\/# sourceMappingURL=(?!data:)(.*)$/gm)].map(([, map]) => map);
      return named.map((other) => join(dirname(path), other)).filter((other) => !files.includes(other));
    });
    expect(absent).toEqual([]);
  });

  test("keeps, when bundled, the modules that are imported for what they do", () => {
    const root = join(packages, name);
    const imported = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => {
        const text = readFileSync(join(root, "src", path), "utf8");
        return [...text.matchAll(/^import "(\..*)";(?! \/\/ left out by bundlers)/gm)].map(([, to]) =>
          relative(root, join(root, "src", dirname(path), to)),
        );
      });
    const folders = Array.isArray(sideEffects) ? sideEffects.map((glob) => glob.replace(/^\.\//, "").replace(/\*$/, "")) : [];
    const kept = (path: string): boolean => sideEffects === true || folders.some((folder) => path.startsWith(folder));
    expect(imported.filter((path) => !kept(path))).toEqual([]);
    if (name === "ergodic") expect(imported).toContain("src/models/losses/index.ts");
  });
});
