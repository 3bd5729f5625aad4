// Builds the kernels, then each package in the order of its dependencies. Skips TypeScript when nothing changed. Of the library TypeScript makes the
// declarations alone: its scripts are bundled.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rewriteDeclarations } from "./declarations.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { buildKernels, writeModules } = await import("../packages/ergodic/scripts/build-kernels.mjs");
await buildKernels();
await writeModules(join(root, "packages/ergodic/dist/kernels"));
const { buildThreads } = await import("../packages/ergodic/scripts/build-threads.mjs");
await buildThreads();
const { bundle, singleFile } = await import("../packages/ergodic/scripts/bundle.mjs");

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const newest = (folder, pattern) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => pattern.test(file))
    .reduce((time, file) => Math.max(time, statSync(join(folder, file)).mtimeMs), 0);

/** What was built of a source that is no more would be packed, and found by nobody. */
function removeStale(folder) {
  const dist = join(folder, "dist");
  for (const file of existsSync(dist) ? readdirSync(dist, { recursive: true }) : []) {
    const stem = /^(.*?)\.(js|d\.ts|js\.map)$/.exec(file);
    if (!stem) continue;
    const source = [".ts", ".js"].some((ending) => existsSync(join(folder, "src", stem[1] + ending)));
    if (!source || stem[2] === "js.map") rmSync(join(dist, file));
  }
}

const bundling = ["bundle.mjs", "direct-imports.mjs", "pure.mjs", "reachable-types.mjs", "../package.json"].map((file) =>
  join(root, "packages/ergodic/scripts", file),
);
let dependencyChanged = false;
for (const name of ["ergodic", "ingest", "serve", "plots", "cli"]) {
  const folder = join(root, "packages", name);
  const bundled = name === "ergodic";
  if (!bundled) removeStale(folder);
  const settings = [join(folder, "tsconfig.json"), join(root, "tsconfig.base.json"), ...(bundled ? bundling : [])].map(
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
}
