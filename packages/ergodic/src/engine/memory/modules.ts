import type { WebAssemblyModule } from "../threads/web-types.ts";
import { compiledHere } from "./load.ts";
import { disown, freeCollected } from "./memory.ts";
import type { Slots } from "./slots.ts";

export interface LinkedFunction {
  /** Index of the function in the tables of all threads. */
  slot: number;
  /** The function on this thread. */
  call: (...args: number[]) => number;
}

/**
 * Holder of modules. A holder keeps a claim on each module that it uses. When it no longer needs the module, it
 * disposes the claim.
 */
export interface Holder {
  /** Takes a claim. The holder must dispose the claim when it no longer needs the module. */
  hold(claim: Disposable): void;
}

/** Holder of modules that stay in use until the process ends. */
export const forGood: Holder = { hold: () => {} };

/** Functions in the tables of all threads. */
export interface Filled {
  readonly functions: Record<string, LinkedFunction>;
  /** Empties the slots. */
  clear(): void;
}
/** Links a module into the tables of all threads. `build`: build of the kernels that the module imports. */
export type FillTables = (module: WebAssemblyModule, exports: string[], slots: number[], build: string) => Filled;

/** Limits on the modules that are cached without a holder: their number, and their total code size. */
const IDLE_MODULES = 128;
const IDLE_BYTES = 4 * 2 ** 20;
/**
 * If there are more modules than this, garbage-collected owners are searched for explicitly. With fewer modules, the
 * host's finalisation callbacks are fast enough.
 */
const FIRST_SEARCH = 512;

interface Entry extends Filled {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly slots: readonly number[];
  holders: number;
}

/**
 * Generated modules in the tables of all threads. Modules with equal contents are stored once, for as long as they have
 * a holder.
 *
 * A holder owns the memory in which slot numbers are stored (usually an arena) and releases its modules when it frees
 * that memory. Modules without a holder stay cached for a while, because runs often need the same few modules again.
 * The least recently used of these modules is evicted first: its slots become free, and every thread drops it.
 */
export class Modules {
  private readonly slots: Slots;
  private readonly fill: FillTables;
  private readonly hashOf: (bytes: Uint8Array) => string;
  private readonly entries = new Map<string, Entry[]>();
  /** Modules without a holder, least recently used first. */
  private readonly idle = new Set<Entry>();
  private idleBytes = 0;
  private count = 0;
  private searchAt = FIRST_SEARCH;

  /** `hashOf`: any hash of the bytes. If two hashes are equal, the contents are compared. */
  constructor(slots: Slots, fill: FillTables, hashOf: (bytes: Uint8Array) => string = hash) {
    this.slots = slots;
    this.fill = fill;
    this.hashOf = hashOf;
  }

  /**
   * Links a module and returns its functions, which stay in their slots until the holder releases them. The bytes are
   * stored without copying, so they must not change.
   */
  link(bytes: Uint8Array, exports: string[], holder: Holder, build = ""): Record<string, LinkedFunction> {
    const key = `${this.hashOf(bytes)} ${build} ${exports.join(" ")}`;
    const entry = this.entries.get(key)?.find((known) => equal(known.bytes, bytes)) ?? this.add(key, bytes, exports, build);
    if (entry.holders === 0 && this.idle.delete(entry)) this.idleBytes -= entry.bytes.length;
    entry.holders++;
    holder.hold(new Claim(this, entry));
    return entry.functions;
  }

  /** Number of linked modules, and number of linked modules without a holder. */
  get counts(): { linked: number; idle: number } {
    return { linked: this.count, idle: this.idle.size };
  }

  /** Releases a module. Called once, by a claim. */
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

/** FNV-1a with the length. If two hashes are equal, the bytes are compared. */
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
