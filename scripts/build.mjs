// Builds the kernels, then each package in the order of its dependencies. Skips TypeScript if nothing changed. For the
// library, TypeScript writes only the declarations, because its scripts are bundled.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rewriteDeclarations } from "./declarations.mjs";
import { buildExamples } from "./examples.mjs";
import { bundleFiles } from "./few-files.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { buildKernels, copyBuilds, writeModules } = await import("../packages/ergodic/scripts/build-kernels.mjs");
await buildKernels();
await writeModules(join(root, "packages/ergodic/dist/kernels"));
await copyBuilds(join(root, "packages/ergodic/dist/engine/memory/builds"));
const { buildThreads } = await import("../packages/ergodic/scripts/build-threads.mjs");
await buildThreads();
const { bundle, singleFile } = await import("../packages/ergodic/scripts/bundle.mjs");

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const newest = (folder, pattern) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => pattern.test(file))
    .reduce((time, file) => Math.max(time, statSync(join(folder, file)).mtimeMs), 0);

/**
 * Packages that a command loads as a whole: the files that are imported or run by name, and the folder in dist for the
 * bundled files. Readers are also kept as separate modules, for bundlers.
 */
const commands = {
  ingest: { entries: ["index.js", "graphs/index.js", "draws.js"], to: "node" },
  cli: { entries: ["main.js", "command-line.js"], to: "." },
};

/** Removes files built from sources that no longer exist. They would be published although nothing uses them. */
function removeStale(folder, { to } = {}) {
  const dist = join(folder, "dist");
  for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true }) : []) {
    const stem = /^(.*?)\.(js|d\.ts|js\.map)$/.exec(file);
    // Bundled files have no sources of their own and are rewritten anyway.
    const isFew = to !== undefined && (to === "." || file.startsWith(`${to}/`));
    if (!stem || (stem[2] === "js" && isFew)) continue;
    const source = [".ts", ".js"].some((ending) => existsSync(join(folder, "src", stem[1] + ending)));
    if (!source || stem[2] === "js.map") rmSync(join(dist, file));
  }
}

const bundling = [
  "bundle.mjs",
  "merge-parts.mjs",
  "direct-imports.mjs",
  "pure.mjs",
  "reachable-types.mjs",
  "../package.json",
].map((file) => join(root, "packages/ergodic/scripts", file));
let dependencyChanged = false;
for (const name of ["ergodic", "ingest", "serve", "plots", "cli"]) {
  const folder = join(root, "packages", name);
  const bundled = name === "ergodic";
  if (!bundled) removeStale(folder, commands[name]);
  const scripts = bundled ? bundling : name in commands ? [join(root, "scripts/few-files.mjs")] : [];
  const settings = [join(folder, "tsconfig.json"), join(root, "tsconfig.base.json"), ...scripts].map(
    (path) => statSync(path).mtimeMs,
  );
  const source = Math.max(newest(join(folder, "src"), /\.(ts|js)$/), ...settings);
  const built = existsSync(join(folder, "dist")) ? newest(join(folder, "dist"), /\.js$/) : 0;
  const whole = !bundled || existsSync(singleFile);
  if (!dependencyChanged && whole && built > source) continue;
  dependencyChanged = true;
  execFileSync(process.execPath, [tsc, "-p", folder], { cwd: root, stdio: "inherit" });
  rewriteDeclarations(join(folder, "dist"));
  if (bundled) await bundle();
  if (name in commands) {
    const { entries, to } = commands[name];
    await bundleFiles(join(folder, "dist"), entries, join(folder, "dist", to));
  }
}
buildExamples();
