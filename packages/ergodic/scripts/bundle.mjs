// Bundles src/ into dist/: one file an entry of package.json's `exports`, the parts that they share, and those that are imported when asked for.
// Another file has all of `ergodic` and imports nothing: what a page takes from a CDN. Needs what build-kernels.mjs and build-threads.mjs make.
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { annotatePure } from "./pure.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const src = join(root, "src");
const dist = join(root, "dist");
/** Where the shared parts are: position.ts knows the library's own lines by this name. */
const PARTS = "parts";
/** Programs of threads: workers are opened on these files. */
const PROGRAMS = ["worker/serve.ts", "host/worker.js", "host/evaluate-worker.js"];
/** Modules that act as they are loaded: those programs, and what bundlers leave out. Each is a file of its own, so that they can. */
const ACTING = [...PROGRAMS, "at-start.ts", "predict/at-start.ts"];

/** Entries of package.json by their place in src. */
async function entries() {
  const { exports } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return Object.values(exports).flatMap((entry) => (typeof entry === "object" ? [entry["@ergodic/source"].replace("./src/", "")] : []));
}

/**
 * `from`: the folder of dist in which a module's text will be that makes a worker of a file. `apart`: what bundlers leave out is imported as the file that
 * it is, not joined with anything that they keep.
 */
const sources = (from, apart) => ({
  name: "sources",
  setup({ onLoad, onResolve }) {
    // What package.json says that users' bundlers may leave out, this one keeps.
    onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) =>
      apart && kind !== "entry-point" && path.endsWith("/at-start.ts")
        ? { path: path.replace(/ts$/, "js"), external: true }
        : { path: join(resolveDir, path), sideEffects: true },
    );
    onLoad({ filter: /\/src\/.*\.[jt]s$/ }, async ({ path }) => {
      const file = relative(src, path);
      const text = await readFile(path, "utf8");
      const placed = text.replace(
        /new URL\("\.\/([\w-]+\.js)", import\.meta\.url\)/g,
        (_, name) => `new URL("./${join(relative(from, dirname(file)), name)}", import.meta.url)`.replace("./../", "../"),
      );
      return { contents: annotatePure(file, placed, ACTING.includes(file)), loader: "ts", resolveDir: dirname(path) };
    });
  },
});

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
  const files = [...(await entries()), ...ACTING];
  const modules = await build({
    ...common,
    entryPoints: Object.fromEntries([...new Set(files)].map((file) => [file.replace(/\.[jt]s$/, ""), join("src", file)])),
    outdir: dist,
    splitting: true,
    chunkNames: `${PARTS}/[name]-[hash]`,
    // Names stay as they are, and lines short, for the sake of stack traces; the rest costs a download bytes.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    plugins: [sources(PARTS, true)],
  });
  const single = await build({
    ...common,
    entryPoints: ["src/index.ts"],
    outfile: join(dist, "ergodic.min.js"),
    minify: true,
    keepNames: false,
    plugins: [sources(".", false)],
  });
  const written = [...modules.outputFiles, ...single.outputFiles].map(({ path, text }) => ({ path, text: pureNamespaces(text) }));
  await removeOld(new Set(written.map(({ path }) => path)));
  for (const { path, text } of written) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  for (const { path, text } of written)
    for (const [, name] of text.matchAll(/new URL\("([\w./-]+\.js)",import\.meta\.url\)/g))
      if (!existsSync(join(dirname(path), name))) throw new Error(`${path}: there is no ${name}`);
}

/** esbuild makes the object of a namespace by a call that bundlers have to keep, with all that the object names. */
function pureNamespaces(text) {
  const made = text
    .replace(/var (\w+)=\{\};\s*__export\(\1,(\{[^{}]*\})\);/g, "var $1=/* @__PURE__ */__export({},$2);")
    .replace(/(var __export=\((\w+),\w+\)=>\{for\(.*?\}\))\};/s, "$1;return $2};");
  return made;
}

async function removeOld(kept) {
  for (const file of existsSync(dist) ? await readdir(dist, { recursive: true }) : []) {
    const path = join(dist, file);
    if (/\.js$/.test(file) && !kept.has(path)) await rm(path);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await bundle();
