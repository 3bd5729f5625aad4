/**
 * Names of partial files: `model.safetensors.4711-9f3a01c2-k3x9q0z1.partial` is next to its target and identifies the
 * process that writes it. The name contains the process ID, and a digest of the host, the boot and the process
 * namespace. Within these, the process ID is unique. Partial files of killed processes can therefore be distinguished
 * from partial files of running processes.
 */

import { murmur3 } from "../random/murmur3.ts";
import { builtin } from "./node.ts";

/**
 * Age at which partial files from other hosts or containers are removed, in milliseconds since their last write. For
 * such files, this process cannot check whether the writing process still runs.
 */
const ELSEWHERE_MS = 24 * 3600 * 1000;
/** Longest name used in full, in bytes. Most hosts allow 255 bytes, and the suffix takes about forty. */
const LONGEST = 200;
const SHORTENED = 50;

let place: Promise<string> | undefined;

/** Returns a unique name for a partial file that this process writes next to `name`. */
export async function partialName(name: string): Promise<string> {
  const random = Math.random().toString(36).slice(2, 10).padEnd(8, "0");
  return `${stem(name)}.${globalThis.process.pid}-${await (place ??= findPlace())}-${random}.partial`;
}

/**
 * Removes partial files of `name` that dead processes left behind. Never removes a partial file of a running process.
 * Does nothing if the folder cannot be read.
 */
export async function clearAbandoned(folder: string, name: string): Promise<void> {
  const { readdir, rm } = builtin("node:fs/promises");
  const { join } = builtin("node:path");
  const start = `${stem(name)}.`;
  const names = await readdir(folder).catch((): string[] => []);
  for (const found of names) {
    if (!found.startsWith(start)) continue;
    const parts = /^(\d+)-([0-9a-f]{8})-[0-9a-z]{8}\.partial$/.exec(found.slice(start.length));
    if (!parts || !(await abandoned(join(folder, found), Number(parts[1]), parts[2]))) continue;
    // Errors are ignored: another process might have removed the file first, and a file that cannot be removed does no
    // harm.
    await rm(join(folder, found)).catch(() => undefined);
  }
}

async function abandoned(path: string, pid: number, where: string): Promise<boolean> {
  const { readFile, stat } = builtin("node:fs/promises");
  if (where === (await (place ??= findPlace()))) {
    if (!lives(pid)) return true;
    // A killed process keeps its process ID until its parent reads the exit status. The state is field 3, after a name
    // that can contain spaces and parentheses.
    const status = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => "");
    return /[ZX]/.test(status.charAt(status.lastIndexOf(")") + 2));
  }
  const written = await stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => Infinity,
  );
  return Date.now() - written > ELSEWHERE_MS;
}

function lives(pid: number): boolean {
  try {
    globalThis.process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process runs, but belongs to another user.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function stem(name: string): string {
  return new TextEncoder().encode(name).length > LONGEST ? name.slice(0, SHORTENED) : name;
}

async function findPlace(): Promise<string> {
  const { readFile, readlink } = builtin("node:fs/promises");
  const { hostname } = builtin("node:os");
  const known = await Promise.all([
    hostname(),
    readFile("/proc/sys/kernel/random/boot_id", "latin1").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
  ]);
  const bytes = new TextEncoder().encode(known.join("\n"));
  return murmur3(bytes, 0, bytes.length, 0).toString(16).padStart(8, "0");
}
