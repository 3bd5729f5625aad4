/**
 * Limits the number of loaded plans with their own memory. WebAssembly reserves gigabytes of address space for each
 * memory (V8 10 GiB; a browser has a terabyte in total). Therefore, a memory is made only when it is first needed. If
 * there are too many memories, the least recently used one is dropped. If a plan has lost its memory, its next call
 * makes a new one. This takes about a millisecond plus the time to copy the parameters.
 */
import { MemoryLimitError } from "../../engine/errors/errors.ts";
import { inNode } from "../../engine/files/node.ts";

export interface HasMemory {
  /** Drops the memory, so that it can be garbage collected. */
  giveUp(): void;
}

const MOST = inNode() ? 256 : 24;

/**
 * Plans in the order of their last use. The references are weak, so that an unused plan can be garbage collected
 * together with its memory.
 */
const order = new Set<WeakRef<HasMemory>>();
let latest: WeakRef<HasMemory> | undefined;

/**
 * Records a use of the memory. Must be called whenever a memory is used. The call is cheap for the most recently used
 * memory.
 */
export function noteMemory(holder: WeakRef<HasMemory>): void {
  if (holder === latest) return;
  latest = holder;
  order.delete(holder);
  order.add(holder);
}

export function forgetMemory(holder: WeakRef<HasMemory>): void {
  order.delete(holder);
  if (holder === latest) latest = undefined;
}

/**
 * Makes a memory. If there are too many memories, others are dropped first. If the system has no more address space,
 * all others are dropped.
 */
export function madeMemory<T>(make: () => T): T {
  for (const holder of order) {
    if (order.size < MOST) break;
    release(holder);
  }
  try {
    return make();
  } catch (error) {
    if (!(error instanceof MemoryLimitError)) throw error;
    for (const holder of order) release(holder);
    return make();
  }
}

function release(holder: WeakRef<HasMemory>): void {
  forgetMemory(holder);
  holder.deref()?.giveUp();
}
