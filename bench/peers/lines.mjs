/**
 * The npm peer's side of bench/peer.mjs: the problem comes as JSON in the first argument, commands as lines, answers as
 * lines of JSON. The peers' packages are those of bench/package.json.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

export const problem = JSON.parse(process.argv[2]);

const say = (answer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
// Messages logged by a library must not be mixed with the answers.
for (const level of ["log", "info", "warn", "debug"]) console[level] = console.error;

/** Reports that something is not installed, so that the benchmark skips this peer with a message. */
export function missing(name) {
  say({ missing: name });
  process.exit(0);
}

/**
 * Loads each package. If one is not installed, reports its name, so that the benchmark skips this peer with a message.
 */
export async function packages(...names) {
  const loaded = [];
  for (const name of names) {
    try {
      loaded.push(await import(name));
    } catch (error) {
      if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
      missing(name);
    }
  }
  return loaded;
}

/**
 * Returns a version such as "4.22.0". For packages that do not export their package.json, reads it next to their main
 * file.
 */
export function versionOf(name) {
  const main = createRequire(import.meta.url).resolve(name);
  const folder = main.slice(0, main.lastIndexOf(`/node_modules/${name}/`));
  return JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`, "utf8")).version;
}

/** Reads the raw float32 numbers of a file. */
export function floats(file) {
  const bytes = readFileSync(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

/**
 * Reports that the peer is ready, with `more` for the other side, then answers each line `run {options}` with the
 * result of `await run(options)`, until stdin ends.
 */
export async function serve(version, run, more = {}) {
  say({ version: `${version} on node ${process.versions.node}`, ...more });
  for await (const line of createInterface({ input: process.stdin })) {
    const at = line.indexOf(" ");
    const command = at < 0 ? line : line.slice(0, at);
    if (command !== "run") throw new Error(`peer: "${command}" is not a command; the only one is "run"`);
    say(await run(JSON.parse(line.slice(at + 1) || "{}")));
  }
  process.exit(0);
}
