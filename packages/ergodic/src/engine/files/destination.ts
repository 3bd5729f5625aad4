import { builtin } from "./node.ts";

/** A regular file to write as a whole. `before`: mode and owner of the replaced file. */
export interface WholeFile {
  readonly kind: "whole";
  readonly folder: string;
  readonly name: string;
  readonly path: string;
  readonly before?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

/** A target to write through. `descriptor`: a descriptor of this process to write to, instead of opening the path. */
export interface Through {
  readonly kind: "through";
  readonly path: string;
  readonly descriptor?: number;
}

/**
 * Kind of file at a path that will be written, determined without opening the file.
 *
 * Links are followed, even to missing targets. A regular or new file is written as a whole: first under a temporary
 * name in the same folder, and then renamed. All other targets (devices, FIFOs, and this process's own descriptors such
 * as /dev/stdout) are opened and written directly, because they cannot be replaced.
 */
export type Destination = WholeFile | Through;

const MOST_LINKS = 40;

/**
 * Returns the destination of a path. @throws the system's error for folders, for targets that are not writable, and for
 * circular links
 */
export async function destinationOf(path: string): Promise<Destination> {
  const { access, constants, stat } = builtin("node:fs/promises");
  const { basename, dirname } = builtin("node:path");
  if (path === "") throw failure("ENOENT");
  const target = await followed(path);
  const found = await stat(target).catch(absent);
  if (!found && /[/\\]$/.test(path)) throw failure("ENOTDIR");
  if (found?.isDirectory()) throw failure("EISDIR");
  const descriptor = ownDescriptor(target);
  if (descriptor !== undefined) return { kind: "through", path: target, descriptor };
  if (found) await access(target, constants.W_OK);
  if (found && !found.isFile()) return { kind: "through", path: target };
  const { mode, uid, gid } = found ?? {};
  const before = mode === undefined ? {} : { before: { mode: mode & 0o7777, uid: uid!, gid: gid! } };
  return { kind: "whole", folder: dirname(target), name: basename(target), path: target, ...before };
}

/** Follows links to their target. The folder of the returned path contains no links. The file itself can be missing. */
async function followed(path: string): Promise<string> {
  const { readlink, realpath } = builtin("node:fs/promises");
  const { basename, dirname, join, resolve } = builtin("node:path");
  for (let links = 0; links < MOST_LINKS; links++) {
    const folder = await realpath(dirname(path));
    const here = join(folder, basename(path));
    if (ownDescriptor(here) !== undefined) return here;
    const link = await readlink(here).catch(() => undefined);
    if (link === undefined) return here;
    path = resolve(folder, link);
  }
  throw failure("ELOOP");
}

function ownDescriptor(path: string): number | undefined {
  const [, pid, number] = /^\/(?:proc\/(\d+)|dev)\/fd\/(\d+)$/.exec(path) ?? [];
  return number !== undefined && (pid === undefined || Number(pid) === globalThis.process.pid) ? Number(number) : undefined;
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });
