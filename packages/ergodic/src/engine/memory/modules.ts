import { compiledHere } from "./load.ts";
import { disown, freeCollected } from "./memory.ts";
import type { Slots } from "./slots.ts";
import type { WebAssemblyModule } from "./web-types.ts";

export interface LinkedFunction {
  /** Index in the function table of every thread. */
  slot: number;
  /** The function on this thread. */
  call: (...args: number[]) => number;
}

/** Who needs a module: it disposes what it is given to hold when it needs it no more. */
export interface Holder {
  /** Takes a claim, to dispose it when the module is no longer needed. */
  hold(claim: Disposable): void;
}

/** For what stays in use as long as the process. */
export const forGood: Holder = { hold: () => {} };

/** Functions in the tables of all threads. */
export interface Filled {
  readonly functions: Record<string, LinkedFunction>;
  /** Empties the slots. */
  clear(): void;
}
/** `build`: of the kernels that the module imports. */
export type FillTables = (module: WebAssemblyModule, exports: string[], slots: number[], build: string) => Filled;

/** Modules, and bytes of code in them, that are kept though nobody holds them. */
const IDLE_MODULES = 128;
const IDLE_BYTES = 4 * 2 ** 20;
/** Once so many are held, those of owners that were collected are looked for without waiting for the host's word. */
const FIRST_SEARCH = 512;

interface Entry extends Filled {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly slots: readonly number[];
  holders: number;
}

/**
 * Emitted modules in the tables of all threads: one for each content, as long as somebody holds it.
 *
 * A holder is what owns the memory in which slot numbers stand (an arena, mostly): when it gives its memory back, it lets go of
 * its modules. What nobody holds is kept for a while, since runs ask for the same few again and again; of that, the least
 * recently used goes first, its slots become free and every thread forgets it.
 */
export class Modules {
  private readonly slots: Slots;
  private readonly fill: FillTables;
  private readonly hashOf: (bytes: Uint8Array) => string;
  private readonly entries = new Map<string, Entry[]>();
  /** Held by nobody, the least recently used first. */
  private readonly idle = new Set<Entry>();
  private idleBytes = 0;
  private count = 0;
  private searchAt = FIRST_SEARCH;

  /** `hashOf`: told apart by content, so that any function of the bytes will do. */
  constructor(slots: Slots, fill: FillTables, hashOf: (bytes: Uint8Array) => string = hash) {
    this.slots = slots;
    this.fill = fill;
    this.hashOf = hashOf;
  }

  /** The functions of the module, which stay in their slots until the holder lets go. The bytes are kept: they must not change. */
  link(bytes: Uint8Array, exports: string[], holder: Holder, build = ""): Record<string, LinkedFunction> {
    const key = `${this.hashOf(bytes)} ${build} ${exports.join(" ")}`;
    const entry = this.entries.get(key)?.find((known) => equal(known.bytes, bytes)) ?? this.add(key, bytes, exports, build);
    if (entry.holders === 0 && this.idle.delete(entry)) this.idleBytes -= entry.bytes.length;
    entry.holders++;
    holder.hold(new Claim(this, entry));
    return entry.functions;
  }

  /** Modules that are linked, and how many of them nobody holds. */
  get counts(): { linked: number; idle: number } {
    return { linked: this.count, idle: this.idle.size };
  }

  /** Called by a claim, once. */
  release(entry: Entry): void {
    entry.holders--;
    if (entry.holders > 0) return;
    this.idle.add(entry);
    this.idleBytes += entry.bytes.length;
    this.evict();
  }

  private add(key: string, bytes: Uint8Array, exports: string[], build: string): Entry {
    if (this.count >= this.searchAt) {
      freeCollected();
      this.searchAt = Math.max(FIRST_SEARCH, 2 * this.count);
    }
    const module = compiledHere(bytes.slice());
    const slots = exports.map(() => this.slots.take());
    const entry = { key, bytes, slots, ...this.fill(module, exports, slots, build), holders: 0 };
    this.entries.set(key, [...(this.entries.get(key) ?? []), entry]);
    this.count++;
    return entry;
  }

  private evict(): void {
    for (const entry of this.idle) {
      if (this.idle.size <= IDLE_MODULES && this.idleBytes <= IDLE_BYTES) return;
      this.idle.delete(entry);
      this.idleBytes -= entry.bytes.length;
      this.count--;
      const others = this.entries.get(entry.key)!.filter((other) => other !== entry);
      if (others.length > 0) this.entries.set(entry.key, others);
      else this.entries.delete(entry.key);
      entry.clear();
      for (const slot of entry.slots) this.slots.give(slot);
    }
  }
}

class Claim implements Disposable {
  private readonly modules: Modules;
  private entry: Entry | undefined;

  constructor(modules: Modules, entry: Entry) {
    this.modules = modules;
    this.entry = entry;
  }

  [Symbol.dispose](): void {
    const { entry } = this;
    if (!entry) return;
    this.entry = undefined;
    disown(this);
    this.modules.release(entry);
  }
}

/** FNV-1a with the length; collisions are told apart by comparing bytes. */
function hash(bytes: Uint8Array): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) h = Math.imul(h ^ bytes[i], 0x01000193);
  return `${bytes.length}:${h >>> 0}`;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
