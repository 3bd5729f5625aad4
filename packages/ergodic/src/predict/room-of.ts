import { MemoryLimitError } from "../engine/errors/errors.ts";

/** @throws MemoryLimitError */
export function roomOf(count: number, where: string): Float64Array {
  try {
    return new Float64Array(count);
  } catch (cause) {
    const message = `gives ${count} numbers for these rows, more than an array holds; give it fewer rows at a time`;
    throw new MemoryLimitError(where, message, "MEMORY_LIMIT", { cause });
  }
}
