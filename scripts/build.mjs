// Builds the kernels, then each package in the order of its dependencies. Skips TypeScript when nothing changed.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const { buildKernels } = await import("../packages/ergodic/scripts/build-kernels.mjs");
await buildKernels();

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const newest = (folder, pattern) =>
  readdirSync(folder, { recursive: true })
    .filter((file) => pattern.test(file))
    .reduce((time, file) => Math.max(time, statSync(join(folder, file)).mtimeMs), 0);

let dependencyChanged = false;
for (const name of ["ergodic", "ingest", "cli"]) {
  const folder = join(root, "packages", name);
  const settings = [join(folder, "tsconfig.json"), join(root, "tsconfig.base.json")].map((path) => statSync(path).mtimeMs);
  const source = Math.max(newest(join(folder, "src"), /\.(ts|js)$/), ...settings);
  const built = existsSync(join(folder, "dist")) ? newest(join(folder, "dist"), /\.js$/) : 0;
  if (!dependencyChanged && built > source) continue;
  dependencyChanged = true;
  execFileSync(process.execPath, [tsc, "-p", folder], { cwd: root, stdio: "inherit" });
}
