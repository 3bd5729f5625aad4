/** The metadata of the packages is true for users who install or bundle them. */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import * as sources from "../packages/ergodic/src/entries/everything.ts";
import { ENTRIES } from "../packages/ergodic/test/browser/whole-library.ts";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
const names = readdirSync(packages);

interface Manifest {
  bin?: Record<string, string>;
  exports?: Record<string, string | { types: string; default: string }>;
  jsdelivr?: string;
  unpkg?: string;
  license?: string;
  description?: string;
}
const manifest = (name: string): Manifest => JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as Manifest;

// Packing uses the built files.
beforeAll(
  () => void execFileSync(process.execPath, ["scripts/build.mjs"], { cwd: join(packages, ".."), stdio: "pipe" }),
  300_000,
);

/** Files that npm would publish of each package, by the name of its folder. */
let published: Map<string, string[]>;
const packed = (name: string): string[] => published.get(name)!;
beforeAll(() => {
  // One call packs all packages, because npm takes longer to start than to pack.
  const answer = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", ...names.map((name) => `./${name}`)], {
    cwd: packages,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const all = JSON.parse(answer) as { files: { path: string }[] }[];
  published = new Map(names.map((name, i) => [name, all[i].files.map(({ path }) => path)]));
});

describe.each(names)("%s", (name) => {
  const { bin = {}, exports = {}, jsdelivr = [], unpkg = [], license, description } = manifest(name);

  test("states its licence, description and README", () => {
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

  test("contains its licence and no references to absent source maps", () => {
    const files = packed(name);
    expect(files).toContain("LICENSE");
    expect(readFileSync(join(packages, name, "LICENSE"), "utf8")).toBe(readFileSync(join(packages, "../LICENSE"), "utf8"));
    const scripts = files.filter((path) => /^dist\/.*\.js$/.test(path));
    if (name === "single-file")
      expect(scripts.sort()).toEqual([
        "dist/engine/memory/evaluate-worker.js",
        "dist/engine/memory/worker.js",
        "dist/ergodic.min.js",
      ]);
    else expect(scripts.length).toBeGreaterThan(name === "cli" ? 2 : 5);
    const absent = [...files.filter((path) => path.endsWith(".map")), ...scripts].flatMap((path) => {
      const text = readFileSync(join(packages, name, path), "utf8");
      const named = path.endsWith(".map")
        ? (JSON.parse(text) as { sources: string[] }).sources
        : [...text.matchAll(/^\/\/# sourceMappingURL=(?!data:)(.*)$/gm)].map(([, map]) => map);
      return named.map((other) => join(dirname(path), other)).filter((other) => !files.includes(other));
    });
    expect(absent).toEqual([]);
  });

  test("contains every promised entry with its types", () => {
    const files = packed(name);
    const entries = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? entry : [entry.types, entry.default]));
    const promised = [...entries, jsdelivr, unpkg].flat();
    const isThere = (path: string): boolean => {
      const [before, after] = path.replace(/^\.\//, "").split("*");
      return files.some((file) => (after === undefined ? file === before : file.startsWith(before) && file.endsWith(after)));
    };
    expect(promised.filter((path) => !isThere(path))).toEqual([]);
  });
});

test.each(names.filter((name) => existsSync(join(packages, name, "src"))))(
  "%s has no module imported for side effects, except those that bundlers may omit",
  (name) => {
    const root = join(packages, name, "src");
    const imported = readdirSync(root, { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .flatMap((path) => [...readFileSync(join(root, path), "utf8").matchAll(/^import "\..*;.*$/gm)].map(([line]) => line));
    expect(imported.filter((line) => !/at-start\.ts"; \/\/ left out by bundlers$/.test(line))).toEqual([]);
    if (name === "ergodic") expect(imported).toHaveLength(21);
  },
);

test("the unpacked library is below 4 MB", () => {
  const bytes = packed("ergodic").reduce((sum, path) => sum + statSync(join(packages, "ergodic", path)).size, 0);
  console.log(`ergodic unpacked: ${(bytes / 1e6).toFixed(2)} MB`);
  expect(bytes).toBeLessThan(4e6);
});

/** Files that Node reads for an entry before running it. */
function loadedFor(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  const text = readFileSync(entry, "utf8");
  for (const [, path] of text.matchAll(/(?:^|[;}\s])(?:import|from)\s*["`](\.[^"`]+)["`]/g))
    loadedFor(join(dirname(entry), path), seen);
  return seen;
}

test("Node loads few files per entry, and no training code for prediction", () => {
  const dist = join(packages, "ergodic/dist");
  const [all, predicting] = ["entries/index.js", "entries/predict.js"].map((entry) => [...loadedFor(join(dist, entry))]);
  console.log(`files that Node loads: ${all.length} for ergodic, ${predicting.length} for ergodic/predict`);
  expect(all.length).toBeLessThan(105);
  expect(predicting.length).toBeLessThan(25);
  expect(predicting.length).toBeGreaterThan(5);
  const bytes = predicting.reduce((sum, file) => sum + statSync(file).size, 0);
  // 209.5 kB, of which 2 kB are the limits for plans from strangers, 2 kB the cells of tables and names of classes, and
  // 1 kB the loader of Boltzmann machines.
  expect(bytes).toBeLessThan(210e3);
});

/** Names that exist only in `ergodic/compiler` and `ergodic/diagnostics`. */
const OF_OTHERS = ["compileFunction", "paretoKhat"];

test("the built library defines everything by name as in its sources and keeps the names", () => {
  const named = ENTRIES.map((name) => (name === "index" ? "ergodic" : `ergodic/${name}`));
  const code = `const modules = await Promise.all(${JSON.stringify(named)}.map((name) => import(name)));
    const all = Object.assign({}, ...modules);
    const taken = (define) => { try { define(); return false; } catch (error) { return error.code === "NAME_TAKEN"; } };
    console.log(JSON.stringify({
      exported: Object.keys(all),
      losses: all.lossNames(),
      layers: all.layerKinds(),
      taken: [
        taken(() => all.rule("chain", {}, ({ g }) => ({ step: g }), { summary: "own", source: "own" })),
        taken(() => all.defineSearch("spsa", {}, () => ({}), { summary: "own", source: "own" })),
        taken(() => all.loss("hinge", {}, ({ z }) => z, { task: "regression", link: "identity" })),
        taken(() => all.initialiser("zeros", {}, () => new Float64Array(0))),
        taken(() => all.layer("dense", (x) => x)),
        taken(() => all.distribution("beta", {}, {})),
      ],
    }));`;
  const built = JSON.parse(
    execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, encoding: "utf8" }),
  ) as Record<string, unknown[]>;
  expect(built.exported).toEqual(expect.arrayContaining(Object.keys(sources).filter((name) => !OF_OTHERS.includes(name))));
  expect(built.losses.toSorted()).toEqual(sources.lossNames().toSorted());
  expect(built.layers.toSorted()).toEqual(sources.layerKinds().toSorted());
  expect(built.taken).toEqual(Array(6).fill(true));
});

/** Main exports of each entry of the library, imported by its public name from the built package. */
const entries: Readonly<Record<string, string>> = {
  ergodic: "fit linear sample",
  "ergodic/learning": "crossValidate gradientDescent linear",
  "ergodic/rules": "adam ruleEquation cosineDecay",
  "ergodic/layers": "dense relu mobileNetV1",
  "ergodic/losses": "logisticLoss lossNames",
  "ergodic/bayes": "loadDraws model nuts sample",
  "ergodic/distributions": "normal distributionLedger",
  "ergodic/graphs": "factorGraph graphGibbs infer",
  "ergodic/search": "cmaEs minimize tune",
  "ergodic/data": "Dataset Pipeline rff",
  "ergodic/predict": "predictor LinearPredictor",
  "ergodic/calibration": "calibrated conformal coverage",
  "ergodic/explain": "attributions importance partialDependence",
  "ergodic/predict/async": "predictor",
  "ergodic/compiler": "add compileFunction matmul",
  "ergodic/extend": "ChainsRun defineSearch layer loss online rule openEngine",
  "ergodic/diagnostics": "essBulk psisLoo rhat summary",
  "ergodic/worker": "worker",
};

test("this file knows every entry of the library", () => {
  const own = Object.keys(manifest("ergodic").exports ?? {}).filter((path) => !/(\/serve|\.wasm|\.json)$/.test(path));
  expect(Object.keys(entries)).toEqual(own.map((path) => path.replace(/^\./, "ergodic")));
});

describe("separate entries", () => {
  let exported: Record<string, string[]>;
  beforeAll(() => {
    // One process has a thread per entry. A thread has separate modules and starts faster than a process.
    const code = `import { once } from "node:events";
      import { Worker } from "node:worker_threads";
      const exported = {};
      for (const entry of ${JSON.stringify(Object.keys(entries))}) {
        const code = 'import(' + JSON.stringify(import.meta.resolve(entry)) + ').then((all) => require("node:worker_threads").parentPort.postMessage(Object.keys(all)))';
        [exported[entry]] = await once(new Worker(code, { eval: true, execArgv: [] }), "message");
      }
      console.log(JSON.stringify(exported));`;
    const found = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, encoding: "utf8" });
    exported = JSON.parse(found) as Record<string, string[]>;
  });

  test.each(Object.entries(entries))("%s exports %s", (entry, names) => {
    expect(exported[entry]).toEqual(expect.arrayContaining(names.split(" ")));
  });
});

test("no entry refers directly to Node's globals, for which bundlers add polyfills", async () => {
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
  const all = [...Object.keys(entries), "ergodic/worker/serve", "ergodic/predict/serve"].map(
    (entry, i) => `export * as e${i} from "${entry}";`,
  );
  expect(await free(all.join("\n"))).toEqual([]);
});

test("diagnostics accept plain arrays", () => {
  const code = `import { rhat, summary } from "ergodic/diagnostics";
    const draws = [0.3, -1.2, 0.8, 0.1, -0.4, 1.1, 0.2, -0.9];
    console.log(rhat(draws, 2) === rhat(Float64Array.from(draws), 2), summary({ mu: draws }, { chainCount: 2 }).mu.mean.toFixed(3));`;
  const found = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd: packages, encoding: "utf8" });
  expect(found.trim()).toBe("true 0.000");
});
