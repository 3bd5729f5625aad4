/** The packages as npm packs them with their scripts, from a copy of the repository: scripts change files while npm packs. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const names = readdirSync(join(root, "packages"));

/** Copies what packing reads to a new folder. Remove it at the end. */
export function copyOfRepository(): string {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-copy-"));
  const isRead = (path: string): boolean => !/[\\/](node_modules|bench|test|kernels|\.git)$|packages[\\/]\w+[\\/]src$/.test(path);
  for (const name of readdirSync(root)) {
    // dist/ has kernels of its own.
    if (/^(docs|examples|packages|scripts|.*\.md|package\.json)$/.test(name))
      cpSync(join(root, name), join(folder, name), { recursive: true, filter: (path) => isRead(path) || path.includes("dist") });
  }
  // Pages link to it, although no package contains it.
  cpSync(join(root, "bench/README.md"), join(folder, "bench/README.md"));
  return folder;
}

/** Packs all packages of a copy with one call of npm, and unpacks them. Returns the folder of each by the package's name. */
export function unpackedPackages(copy: string): Map<string, string> {
  const tarballs = join(copy, "tarballs");
  mkdirSync(tarballs, { recursive: true });
  const pack = ["pack", "--json", "--pack-destination", tarballs, ...names.map((name) => `./packages/${name}`)];
  const answer = execFileSync("npm", pack, { cwd: copy, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const packed = JSON.parse(answer.slice(answer.indexOf("[\n"))) as { name: string; filename: string }[];
  return new Map(
    packed.map(({ name, filename }) => {
      const folder = join(tarballs, name);
      mkdirSync(folder, { recursive: true });
      execFileSync("tar", ["-xzf", join(tarballs, filename), "-C", folder, "--strip-components=1"]);
      return [name, folder];
    }),
  );
}

/** Hashes of all files in a folder, by path. */
export function hashesOf(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
    statSync(join(folder, path)).isFile(),
  );
  const hash = (path: string): string =>
    createHash("sha256")
      .update(readFileSync(join(folder, path)))
      .digest("hex");
  return Object.fromEntries(files.sort().map((path) => [path, hash(path)]));
}
