/**
 * Files under way: `model.safetensors.4711-9f3a01c2-k3x9q0z1.partial` lies next to what it becomes, and says which process
 * writes it: its number, and a digest of where that number means something (host, boot, and namespace of processes). So what a
 * killed process has left is told from what a living one writes.
 */

import { murmur3 } from "../random/murmur3.ts";
import { builtin } from "./node.ts";

/** Files of another host or container, whose processes cannot be asked for, are left for so long after they were last written to. */
const ELSEWHERE_MS = 24 * 3600 * 1000;
/** Names of files have 255 bytes at most on most hosts, of which the ending takes some forty. */
const LONGEST = 200;
const SHORTENED = 50;

let place: Promise<string> | undefined;

/** The name, next to `name`, of a file that this process writes; another at each call. */
export async function partialName(name: string): Promise<string> {
  const random = Math.random().toString(36).slice(2, 10).padEnd(8, "0");
  return `${stem(name)}.${globalThis.process.pid}-${await (place ??= findPlace())}-${random}.partial`;
}

/** Removes what processes that are no more have left of `name`; never what a living one writes. A folder that cannot be read is left as it is. */
export async function clearAbandoned(folder: string, name: string): Promise<void> {
  const { readdir, rm } = builtin("node:fs/promises");
  const { join } = builtin("node:path");
  const start = `${stem(name)}.`;
  const names = await readdir(folder).catch((): string[] => []);
  for (const found of names) {
    if (!found.startsWith(start)) continue;
    const parts = /^(\d+)-([0-9a-f]{8})-[0-9a-z]{8}\.partial$/.exec(found.slice(start.length));
    if (!parts || !(await abandoned(join(folder, found), Number(parts[1]), parts[2]))) continue;
    // Another process may have been faster, and one that is not ours to remove does no harm.
    await rm(join(folder, found)).catch(() => undefined);
  }
}

async function abandoned(path: string, pid: number, where: string): Promise<boolean> {
  const { readFile, stat } = builtin("node:fs/promises");
  if (where === (await (place ??= findPlace()))) {
    if (!lives(pid)) return true;
    // One that was killed keeps its number until its parent asks how it ended: field 3, behind a name that may hold spaces and parentheses.
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
    // One of another user lives, too, but may not be asked.
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
