// Bundles src/ into dist/: one file per entry in package.json's `exports`, the parts that entries share, and modules
// that are imported on demand. A separate package contains all of `ergodic` in one file without imports, for pages that
// load it from a CDN. Needs the output of build-kernels.mjs and build-threads.mjs.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { minify } from "vite";
import { directImports } from "./direct-imports.mjs";
import { leanTypes } from "./lean-types.mjs";
import { mergeParts } from "./merge-parts.mjs";
import { actingLine, annotatePure, breakLines } from "./pure.mjs";
import { keepReachableTypes } from "./reachable-types.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const src = join(root, "src");
const dist = join(root, "dist");
export const singleFile = join(root, "../single-file/dist/ergodic.min.js");
/** Folder of the shared parts. compiler/array/position.ts recognises the library's own lines by this name. */
const PARTS = "parts";
/** Programs of threads, for hosts that start a thread from a file. */
const PROGRAMS = ["join/worker/serve.ts", "predict/serve.ts", "engine/memory/worker.js", "engine/memory/evaluate-worker.js"];
/**
 * Programs of the engine's threads, for pages whose policy forbids threads made from text. Each is one file without
 * imports, because bundlers and servers copy it as it is. They are next to the single file, too.
 */
const ALONE = ["engine/memory/worker.js", "engine/memory/evaluate-worker.js"];
const PROGRAM_ADDRESS = /new URL\("\.\/((?:serve|worker|evaluate-worker)\.js)", import\.meta\.url\)/g;
/**
 * Modules with side effects when they are loaded, each a separate file. Bundlers drop the at-start modules together
 * with everything that they refer to.
 */
const ACTING = [
  ...PROGRAMS,
  ...["entries", "bayes", "engine/optimise", "learning", "predict", "search"].map((house) => `${house}/at-start.ts`),
];

/** Acting modules that import parts of other files. */
const SHARING = ACTING.filter((file) => !ALONE.includes(file));

/**
 * Modules whose users use little else. Code shared by several entries or on-demand modules becomes one part. Each
 * module listed here makes parts smaller, so that bundles of users share less with code that they load later. It also
 * makes more parts, which Node takes longer to load.
 */
const APART = ["predict/load.ts", "search/minimize/minimize.ts"];

/** Returns the modules that package.json's `exports` name. */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return Object.values(exports).flatMap((entry) =>
    typeof entry === "object" ? [entry["@ergodic/source"].replace("./src/", "")] : [],
  );
}

/** Marks the address of a program by its path in dist, until it is known which file starts the thread. */
const IN_DIST = "./in-dist/";

/** Rewrites the addresses of programs relative to the file that contains them. */
const programAddresses = (path, text, folder) =>
  text.replaceAll(/new URL\((["`])\.\/in-dist\/([^"`]+)\1/g, (_, quote, program) => {
    const to = relative(dirname(path), join(folder, program));
    return `new URL(${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
  });

/**
 * `apart`: whether modules that bundlers drop are imported as separate files instead of being joined with code that
 * they keep.
 */
const sources = (apart) => ({
  name: "sources",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /\/at-start\.ts$/ }, ({ path, resolveDir, kind }) => {
      if (apart && kind !== "entry-point") return { path: path.replace(/ts$/, "js"), external: true };
      // package.json allows users' bundlers to drop these files; this bundler must keep them.
      return { path: join(resolveDir, path), sideEffects: true };
    });
    onLoad({ filter: /\/src\/.*\.[jt]s$/ }, async ({ path }) => {
      const file = relative(src, path);
      const text = await readFile(path, "utf8");
      const acting = ACTING.includes(file) ? undefined : actingLine(text);
      if (acting !== undefined)
        throw new Error(
          `${path}:${acting}: a module that acts as it is loaded could not be left out of bundles; make this a function, called where it is needed, or part of at-start.ts`,
        );
      const contents = text.replace(
        PROGRAM_ADDRESS,
        (_, name) => `new URL("${IN_DIST}${join(dirname(file), name)}", import.meta.url)`,
      );
      return { contents: annotatePure(directImports(path, contents)), loader: file.endsWith(".ts") ? "ts" : "js" };
    });
  },
});

/**
 * Kernels with relaxed instructions make training a seventh faster and are a twentieth of the package. The single file
 * leaves this second copy out.
 */
const plainKernels = {
  name: "plain kernels",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /-relaxed\.ts$/ }, ({ path, resolveDir }) => ({
      path: join(resolveDir, path.replace("-relaxed", "-simd")),
    }));
    onLoad({ filter: /\/memory\/load\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const plain = text.replace("const HAS_RELAXED = true;", "const HAS_RELAXED = false;");
      if (plain === text) throw new Error(`${path}: HAS_RELAXED is no longer there`);
      return { contents: plain, loader: "ts" };
    });
  },
};

/** @type {import("esbuild").BuildOptions} */
const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2023",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
  write: false,
};

export async function bundle() {
  const files = new Set([...(await entries()), ...APART, ...SHARING]);
  const { outputFiles } = await build({
    ...common,
    entryPoints: Object.fromEntries([...files].map((file) => [stem(file), `src/${file}`])),
    outdir: dist,
    splitting: true,
    chunkNames: `${PARTS}/[name]-[hash]`,
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [sources(true)],
  });
  const single = await build({
    ...common,
    entryPoints: {
      "ergodic.min": "src/entries/everything.ts",
      ...Object.fromEntries(ALONE.map((file) => [stem(file), `src/${file}`])),
    },
    outdir: dirname(singleFile),
    minify: true,
    plugins: [plainKernels, sources(false)],
  });
  const built = (file) => join(dist, `${stem(file)}.js`);
  const acting = SHARING.map(built);
  const texts = new Map(
    outputFiles.map(({ path, text }) => [path, acting.includes(path) ? text : annotatePure(namespacesByValue(text))]),
  );
  const stay = [...new Set([...(await entries()), ...SHARING])].map(built);
  const merged = await mergeParts(texts, dist, stay, acting, [built("join/worker/serve.ts")]);
  const parts = merged.map(async ({ path, text }) => ({
    path,
    text: acting.includes(path) ? text : await shaken(path, text),
  }));
  const written = [
    ...(await Promise.all(parts)).map(({ path, text }) => ({ path, text: programAddresses(path, text, dist) })),
    ...single.outputFiles
      .map(({ path, text }) => ({ path: join(dist, relative(dirname(singleFile), path)), text }))
      .filter(({ path }) => ALONE.map(built).includes(path)),
    ...single.outputFiles.map(({ path, text }) => ({ path, text: programAddresses(path, text, dirname(singleFile)) })),
  ];
  await replace(written.map(({ path, text }) => ({ path, text: withoutBareImports(ownImports(text)) })));
  const types = (await entries()).map((file) => `${stem(file)}.d.ts`);
  keepReachableTypes(dist, types);
  const left = await readdir(dist, { recursive: true });
  leanTypes(
    dist,
    types,
    left.filter((name) => name.endsWith(".d.ts")),
  );
}

/**
 * Modules of users, whose addresses are only known at run time, so bundlers must not look for them. esbuild drops the
 * comments that say so.
 */
const ownImports = (text) => text.replace(/\bimport\(([\w$.]+)\)/g, "import(/* @vite-ignore */ /* webpackIgnore: true */ $1)");

/**
 * Removes imports of parts for their side effects, of which they have none, because Node would read files that are not
 * needed.
 */
const withoutBareImports = (text) => text.replace(/\bimport"[./]+(?:parts\/)?chunk-\w+\.js";/g, "");

/**
 * Minifies a part from which bundlers drop unused code. Variables inside functions get short names; functions and
 * classes keep theirs, for stack traces.
 */
async function shaken(path, text) {
  const { code, errors } = await minify(path, text, {
    module: true,
    compress: false,
    mangle: { toplevel: true, keepNames: { function: true, class: true } },
  });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  return breakLines(annotatePure(code));
}

const stem = (file) => file.replace(/\.[jt]s$/, "");

/**
 * esbuild fills a namespace object in a statement, which bundlers would have to keep together with everything that the
 * object refers to.
 */
const namespacesByValue = (text) =>
  text
    .replace(/var (\w+)=\{\};\s*__export\(\s*\1,\s*(\{[^{}]*\})\s*\);/g, "var $1=__export({},$2);")
    .replace(/(var __export=\(target,all\)=>\{for\(.*?\}\))\};/s, "$1;return target};");

/** @param {readonly { path: string, text: string }[]} files all scripts of dist, from now on */
async function replace(files) {
  const paths = new Set(files.map(({ path }) => path));
  for (const folder of [dist, dirname(singleFile)])
    for (const file of existsSync(folder) ? await readdir(folder, { recursive: true }) : [])
      if (/\.js$/.test(file) && !paths.has(join(folder, file))) await rm(join(folder, file));
  for (const { path, text } of files) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (/__export\(\w+,/.test(text))
      throw new Error(`${path}: esbuild fills a namespace in another way than namespacesByValue knows`);
    // Programs that run modules as functions (Vitest, Jest) have parameters of these names, which a var would not
    // shadow.
    const [, hidden] = /^var (module|exports|require|__dirname|__filename)\b/m.exec(text) ?? [];
    if (hidden) throw new Error(`${path}: call the variable "${hidden}" something else`);
    for (const [, name] of text.matchAll(/new Worker\(\s*new URL\("([^"]+)",\s*import\.meta\.url\)/g))
      if (!paths.has(join(dirname(path), name))) throw new Error(`${path}: there is no ${name}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
