// Checks the package that npm would publish, with publint and @arethetypeswrong/core: entries that cannot be resolved
// or have wrong types. Needs dist/ (npm run build).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const packages = fileURLToPath(new URL("../packages/", import.meta.url));
/**
 * The packages contain only ES modules. Resolvers without `exports`, or without require() of modules, are not
 * supported.
 */
const UNSERVED = ["node10", "node16-cjs"];

/** @returns {Promise<string[]>} */
async function problemsOf(name, folder) {
  const pkgDir = join(packages, name);
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const answer = execFileSync("npm", pack, { cwd: pkgDir, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const [{ filename }] = JSON.parse(answer);
  const tarball = Uint8Array.from(readFileSync(join(folder, filename)));
  const { messages } = await publint({ strict: true, pack: { tarball: tarball.buffer } });
  const manifest = JSON.parse(readFileSync(join(pkgDir, "package.json"), "utf8"));
  const types = await checkPackage(createPackageFromTarballData(tarball));
  if (!types.types) throw new Error(`${name}: has no types`);
  const wrong = types.problems.filter(({ resolutionKind, resolutionOption }) => {
    const kinds = resolutionKind ? [resolutionKind] : resolutionOption === "node16" ? ["node16-esm"] : [resolutionOption];
    return !kinds.every((kind) => UNSERVED.includes(kind));
  });
  return [
    ...messages.map((message) => `publint: ${formatMessage(message, manifest, { color: false })}`),
    ...wrong.map((problem) => `types: ${JSON.stringify(problem)}`),
  ];
}

const folder = mkdtempSync(join(tmpdir(), "ergodic-packed-"));
try {
  for (const name of ["ergodic", "single-file", "ingest", "serve", "plots", "cli"]) {
    const problems = await problemsOf(name, folder);
    for (const problem of problems) console.error(`packages/${name}: ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
