/** What the packages say of themselves holds for those who install or bundle them. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const names = readdirSync(packages);

interface Manifest {
  bin?: Record<string, string>;
  exports?: Record<string, string | { types: string; default: string }>;
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
  const { bin = {}, exports = {}, sideEffects = true, license, description } = manifest(name);

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

  test("brings every entry that it promises, with its types", () => {
    const files = packed(name);
    const promised = Object.values(exports).flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    const isThere = (path: string): boolean => {
      const [before, after] = path.replace(/^\.\//, "").split("*");
      return files.some((file) => (after === undefined ? file === before : file.startsWith(before) && file.endsWith(after)));
    };
    expect(promised.filter((path) => !isThere(path))).toEqual([]);
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

/** What each entry of the library is for, under the names of its users: as installed, from what was built. */
const entries: Readonly<Record<string, string>> = {
  ergodic: "fit linear sample",
  "ergodic/predict": "predictor LinearPredictor",
  "ergodic/compiler": "add compile compileFunction",
  "ergodic/extend": "ChainsRun defineSearch layer loss rule openEngine",
  "ergodic/diagnostics": "essBulk psisLoo rhat summary",
  "ergodic/worker": "worker",
};

test("every entry of the library is known here", () => {
  const own = Object.keys(manifest("ergodic").exports ?? {}).filter(
    (path) => path !== "./worker/serve" && !path.endsWith(".wasm"),
  );
  expect(Object.keys(entries)).toEqual(own.map((path) => path.replace(/^\./, "ergodic")));
});

test.each(Object.entries(entries))("%s gives %s", (entry, names) => {
  const code = `import * as all from ${JSON.stringify(entry)}; console.log(Object.keys(all).join(" "));`;
  const found = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, encoding: "utf8" });
  expect(found.trim().split(" ")).toEqual(expect.arrayContaining(names.split(" ")));
});

test("no entry names what only Node has, for which bundlers bring polyfills: it is reached by globalThis", async () => {
  const nodes = ["process", "Buffer", "global", "require", "__dirname", "__filename"];
  const marked = (contents: string): ReturnType<typeof build> =>
    build({
      stdin: { contents, resolveDir: packages },
      bundle: true,
      write: false,
      format: "esm",
      logLevel: "silent",
      define: Object.fromEntries(nodes.map((name) => [name, `FREE_${name}`])),
    });
  const free = async (contents: string): Promise<string[]> => {
    const { outputFiles = [] } = await marked(contents);
    return [...new Set(outputFiles.flatMap(({ text }) => text.match(/\bFREE_\w+/g) ?? []))];
  };
  expect(await free('console.log(process.argv, Buffer.from("a"))')).toEqual(["FREE_process", "FREE_Buffer"]);
  const all = [...Object.keys(entries), "ergodic/worker/serve"].map((entry, i) => `export * as e${i} from "${entry}";`);
  expect(await free(all.join("\n"))).toEqual([]);
});

test("diagnostics take plain arrays", () => {
  const code = `import { rhat, summary } from "ergodic/diagnostics";
    const draws = [0.3, -1.2, 0.8, 0.1, -0.4, 1.1, 0.2, -0.9];
    console.log(rhat(draws, 2) === rhat(Float64Array.from(draws), 2), summary({ mu: draws }, { chainCount: 2 }).mu.mean.toFixed(3));`;
  const found = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, encoding: "utf8" });
  expect(found.trim()).toBe("true 0.000");
});
