/**
 * How many loaded plans have a memory at a time. WebAssembly reserves gigabytes of address space for each (V8 10 GiB, and a
 * browser has a terabyte for all), so that a memory is made when it is first needed, and the one that was used longest ago is
 * given up for it; its plan makes another when it is called again, in about a millisecond and the time of copying its numbers.
 */
import { MemoryLimitError } from "../../engine/errors/errors.ts";
import { inNode } from "../../engine/files/node.ts";

export interface HasMemory {
  /** Lets go of the memory. It is collected. */
  giveUp(): void;
}

const MOST = inNode() ? 256 : 24;

/** In the order of their last use. Weak: who is collected takes its memory along. */
const order = new Set<WeakRef<HasMemory>>();
let latest: WeakRef<HasMemory> | undefined;

/** To be called at each use: cheap for the one that was used last. */
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

/** Makes a memory, for which others are given up where there are too many, or all of them where the system has no more address space. */
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
