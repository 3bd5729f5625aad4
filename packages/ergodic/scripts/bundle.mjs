// Bundles src/ into dist/: one file an entry of package.json's `exports`, the parts that they share, and those that are imported when asked for.
// A package of its own has all of `ergodic` in one file that imports nothing: what a page takes from a CDN. Needs what build-kernels.mjs and build-threads.mjs make.
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
/** Where the shared parts are: compiler/array/position.ts knows the library's own lines by this name. */
const PARTS = "parts";
/** Programs of threads, for hosts that open a thread on a file. */
const PROGRAMS = ["join/worker/serve.ts", "predict/serve.ts", "engine/memory/worker.js", "engine/memory/evaluate-worker.js"];
/** Those of them beside the file of everything, for pages whose policy refuses threads that are made from text. */
const ALONE = ["engine/memory/worker.js", "engine/memory/evaluate-worker.js"];
const PROGRAM_ADDRESS = /new URL\("\.\/((?:serve|worker|evaluate-worker)\.js)", import\.meta\.url\)/g;
/** Modules that act as they are loaded, each a file of its own: bundlers leave out the second kind, and keep nothing of what it names. */
const ACTING = [...PROGRAMS, "entries/at-start.ts", "predict/at-start.ts"];

/**
 * Modules whose users use little else. What several entries, or modules imported when asked for, have in common is one part: each module named here makes
 * parts smaller, so that bundles of users have less in common with what they load later, and there are more of them, which Node takes longer to load.
 */
const APART = ["predict/load.ts", "search/minimize/minimize.ts"];

/** The modules that package.json's `exports` name. */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return Object.values(exports).flatMap((entry) =>
    typeof entry === "object" ? [entry["@ergodic/source"].replace("./src/", "")] : [],
  );
}

/** Marks the address of a program by its path in dist, until it is known which file makes a thread of it. */
const IN_DIST = "./in-dist/";

/** Addresses of programs, as seen from the file that has them. */
const programAddresses = (path, text, folder) =>
  text.replaceAll(/new URL\((["`])\.\/in-dist\/([^"`]+)\1/g, (_, quote, program) => {
    const to = relative(dirname(path), join(folder, program));
    return `new URL(${quote}${to.startsWith(".") ? to : `./${to}`}${quote}`;
  });

/** `apart`: what bundlers leave out is imported as the file that it is, not joined with anything that they keep. */
const sources = (apart) => ({
  name: "sources",
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /\/at-start\.ts$/ }, ({ path, resolveDir, kind }) => {
      if (apart && kind !== "entry-point") return { path: path.replace(/ts$/, "js"), external: true };
      // What users' bundlers may leave out, says package.json; this one may not.
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

/** Kernels with relaxed instructions, which make training a seventh faster, are a twentieth of the package: the file of everything does without a second copy. */
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
  const files = new Set([...(await entries()), ...APART, ...ACTING]);
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
  const acting = ACTING.map(built);
  const texts = new Map(
    outputFiles.map(({ path, text }) => [path, acting.includes(path) ? text : annotatePure(namespacesByValue(text))]),
  );
  const stay = [...new Set([...(await entries()), ...ACTING])].map(built);
  const merged = await mergeParts(texts, dist, stay, acting, [...ALONE, "join/worker/serve.ts"].map(built));
  const parts = merged.map(async ({ path, text }) => ({
    path,
    text: acting.includes(path) ? text : await shaken(path, text),
  }));
  const written = [
    ...(await Promise.all(parts)).map(({ path, text }) => ({ path, text: programAddresses(path, text, dist) })),
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

/** Modules of users, whose addresses are known as they run: not for bundlers to look for. esbuild keeps no comments that say so. */
const ownImports = (text) => text.replace(/\bimport\(([\w$.]+)\)/g, "import(/* @vite-ignore */ /* webpackIgnore: true */ $1)");

/** Without imports of parts for what these do as they are loaded, which is nothing: Node would read files that are not needed. */
const withoutBareImports = (text) => text.replace(/\bimport"[./]+(?:parts\/)?chunk-\w+\.js";/g, "");

/** A part of which bundlers leave out what is not used: variables within functions have short names, functions and classes their own, for stack traces. */
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

/** esbuild fills the object of a namespace in a statement, which bundlers would have to keep with all that the object names. */
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
    // What runs modules as functions (Vitest, Jest) has parameters of these names, which a var would not hide.
    const [, hidden] = /^var (module|exports|require|__dirname|__filename)\b/m.exec(text) ?? [];
    if (hidden) throw new Error(`${path}: call the variable "${hidden}" something else`);
    for (const [, name] of text.matchAll(/new Worker\(\s*new URL\("([^"]+)",\s*import\.meta\.url\)/g))
      if (!paths.has(join(dirname(path), name))) throw new Error(`${path}: there is no ${name}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
