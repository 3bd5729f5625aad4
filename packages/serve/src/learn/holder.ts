import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";

/** The process that holds a lock. The holder's identity is in the file's name, so a lock is never half-written. */
export interface Holder {
  /** Scope in which process ids are unique: the host, its boot, and the namespace. */
  readonly place: string;
  readonly pid: number;
  /** Start time of the process, which is needed because process ids are reused; "" if unknown. */
  readonly start: string;
}

let known: Holder | undefined;

/** Returns this process. */
export function self(): Holder {
  if (known) return known;
  // Hosts with the same name are distinguished by their boot ids or, if there are none, by their network cards.
  const boot = orNone(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")) || cards();
  const namespace = orNone(() => readlinkSync("/proc/self/ns/pid"));
  const place = createHash("sha256").update(`${hostname()}\n${boot}\n${namespace}`).digest("hex").slice(0, 12);
  known = { place, pid: process.pid, start: systemSays(process.pid).start };
  return known;
}

/** Whether the holder's process id refers to this host and this namespace. */
export const isHere = ({ place }: Holder): boolean => place === self().place;

/** Whether a process on this host is still running. */
export function isLive({ pid, start }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = systemSays(pid);
  return !now.hasEnded && (start === "" || now.start === "" || now.start === start);
}

/** Returns the file name of a holder's lock. `random`: 12 hexadecimal digits. */
export const nameOf = ({ place, pid, start }: Holder, random: string): string => `lock-${place}-${pid}-${start}-${random}`;

export function parsed(name: string): Holder | undefined {
  const found = /^lock-([0-9a-f]{12})-(\d+)-(\d*)-[0-9a-f]{12}$/.exec(name);
  return found ? { place: found[1]!, pid: Number(found[2]), start: found[3]! } : undefined;
}

const cards = (): string =>
  Object.values(networkInterfaces())
    .flatMap((all) => (all ?? []).map(({ mac }) => mac))
    .sort()
    .join(" ");

/**
 * Returns the start of a process, in ticks since boot ("" if unknown), and whether the process has ended. A killed
 * process keeps its id as a zombie until its parent collects it. The values are fields 22 and 3. Fields are counted
 * from the end of the program's name, because the name can contain spaces.
 */
function systemSays(pid: number): { readonly start: string; readonly hasEnded: boolean } {
  const text = orNone(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { start: fields[19] ?? "", hasEnded: fields[0] === "Z" || fields[0] === "X" };
}

function orNone(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
