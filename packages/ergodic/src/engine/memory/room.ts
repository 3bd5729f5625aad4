/**
 * Checks in advance whether a request fits into memory. Without this check, the host would throw an unhelpful error or
 * end the process.
 */
import { MemoryLimitError } from "../errors/errors.ts";

/**
 * Largest size of one array of numbers, in bytes. This size is the host's limit for a float64 array or, if that is
 * smaller, the machine's memory.
 */
const MOST_NUMBERS = Math.min(2 ** 35, hostBytes());
/** Largest size of JavaScript objects, in bytes. The JavaScript heap is limited to two to four GiB. */
export const MOST_OBJECTS = 2 ** 30;
/** Largest size of the engine's memory, in bytes. */
export const MOST_ENGINE = Math.min(2 ** 32, hostBytes());

/**
 * Returns the memory of this machine or container. A process that needs more would be killed. Infinity if the host does
 * not report it.
 */
function hostBytes(): number {
  const { process } = globalThis;
  if (typeof process?.getBuiltinModule !== "function") return Infinity;
  const total = process.getBuiltinModule("node:os").totalmem();
  const constrained = process.constrainedMemory?.() ?? 0;
  return constrained > 0 ? Math.min(total, constrained) : total;
}

/**
 * Checks that a request fits. `what`: contents, e.g. "1000000000 draws of each of 4 chains". `instead`: advice.
 *
 * @throws MemoryLimitError [MEMORY_LIMIT] above `most` bytes
 */
export function checkRoom(where: string, what: string, bytes: number, most = MOST_NUMBERS, instead = "ask for fewer"): void {
  if (bytes > most)
    throw new MemoryLimitError(
      where,
      `${what} would take ${bytesText(bytes)}, but at most ${bytesText(most)} is available; ${instead}`,
      "MEMORY_LIMIT",
    );
}

/** Returns an array of zeros. @throws MemoryLimitError [MEMORY_LIMIT] if the host cannot provide it */
export function float64s(where: string, what: string, count: number): Float64Array {
  checkRoom(where, what, 8 * count);
  try {
    return new Float64Array(count);
  } catch (cause) {
    throw new MemoryLimitError(
      where,
      `${what} would take ${bytesText(8 * count)}, which this host cannot allocate; ask for fewer`,
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

/** Formats a large count as a power of two: "2^29.4". */
export const powerText = (count: number): string => `2^${Math.log2(count).toFixed(1)}`;
