// Bundles a package's compiled files into a few files. Node takes half a millisecond to find and compile each file, and
// the command had a hundred and thirty. Other packages are still imported.
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { rolldown } from "rolldown";

/**
 * @param {string} dist
 * @param {readonly string[]} entries files of dist that `to` has under the same names
 * @param {string} to another folder, or dist itself, whose other scripts are removed
 */
export async function bundleFiles(dist, entries, to) {
  const bundle = await rolldown({
    input: Object.fromEntries(entries.map((file) => [file.replace(/\.js$/, ""), join(dist, file)])),
    external: (id) => !/^[./]/.test(id),
    platform: "node",
  });
  const { output } = await bundle.generate({
    format: "esm",
    comments: { legal: false, annotation: true, jsdoc: false },
    // At the depth of modules that name files of their package by import.meta.url.
    chunkFileNames: "parts/[name]-[hash].js",
  });
  await bundle.close();
  const lost = output.find(({ fileName, code }) => !fileName.startsWith("parts/") && code.includes("import.meta.url"));
  if (lost) throw new Error(`${join(to, lost.fileName)} has modules that name files from one folder deeper`);
  for (const { fileName, code } of output) {
    await mkdir(dirname(join(to, fileName)), { recursive: true });
    await writeFile(join(to, fileName), code);
  }
  const written = output.map(({ fileName }) => join(fileName));
  for (const file of await readdir(to, { recursive: true }))
    if (file.endsWith(".js") && !written.includes(file)) await rm(join(to, file));
}
