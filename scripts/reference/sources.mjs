// Loads modules of the sources that no entry point exports, for pages that are computed from them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Bundles modules of the sources into one module and imports it. The exports have the names of their modules' keys.
 *
 * @param {Readonly<Record<string, string>>} modules paths relative to the repository, by name
 * @returns {Promise<unknown>}
 */
export async function importSources(modules) {
  const folder = mkdtempSync(join(tmpdir(), "ergodic-reference-"));
  const lines = Object.entries(modules).map(([name, path]) => `export * as ${name} from "./${path}";`);
  const outfile = join(folder, "sources.mjs");
  try {
    await build({
      stdin: { contents: lines.join("\n"), resolveDir: root },
      ...{ bundle: true, format: "esm", platform: "node", conditions: ["@ergodic/source"], outfile, logLevel: "error" },
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
