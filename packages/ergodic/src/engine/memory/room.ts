/** Whether what was asked for has room, found out before it is made: a host that cannot give it throws what says nothing, or ends the process. */
import { MemoryLimitError } from "../errors/errors.ts";

/** Bytes of numbers that one thing may take: as many as one array of float64 can have, and no more than there is. */
const MOST_NUMBERS = Math.min(2 ** 35, hostBytes());
/** Bytes of objects of JavaScript, whose heap ends at two to four GiB. */
export const MOST_OBJECTS = 2 ** 30;
/** Bytes of the engine's memory. */
export const MOST_ENGINE = Math.min(2 ** 32, hostBytes());

/** The memory of this machine, or of the container: more than that ends the process. Infinity where the host does not say. */
function hostBytes(): number {
  const { process } = globalThis;
  if (typeof process?.getBuiltinModule !== "function") return Infinity;
  const total = process.getBuiltinModule("node:os").totalmem();
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(total, constrained) : total;
}

/**
 * `what`: "1000000000 draws of each of 4 chains", what takes the memory. `instead`: what to do.
 *
 * @throws MemoryLimitError [MEMORY_LIMIT] above `most` bytes
 */
export function checkRoom(where: string, what: string, bytes: number, most = MOST_NUMBERS, instead = "ask for fewer"): void {
  if (bytes > most)
    throw new MemoryLimitError(
      where,
      `${what} would take ${bytesText(bytes)}, but at most ${bytesText(most)} can be had; ${instead}`,
      "MEMORY_LIMIT",
    );
}

/** Zeros. @throws MemoryLimitError [MEMORY_LIMIT] where the host has no room for them */
export function float64s(where: string, what: string, count: number): Float64Array {
  checkRoom(where, what, 8 * count);
  try {
    return new Float64Array(count);
  } catch (cause) {
    throw new MemoryLimitError(
      where,
      `${what} would take ${bytesText(8 * count)}, which this host does not give; ask for fewer`,
      "MEMORY_LIMIT",
      {
        cause,
      },
    );
  }
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = Math.min(units.length, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * power)).toFixed(1).replace(/\.0$/, "")} ${units[power - 1]}`;
}

/** A large count as a power of two: "2^29.4". */
export const powerText = (count: number): string => `2^${Math.log2(count).toFixed(1)}`;
