/**
 * The engine's linear memory and its allocator.
 *
 * Pieces are 64-byte aligned and zeroed. Addresses below 1 MiB hold the kernels' static data. Memory grows as needed,
 * up to one page less than 4 GiB (less if the system cannot reserve that much). Freed pieces are reused, but
 * WebAssembly cannot return memory to the system. Pointers are JavaScript numbers in [0, 2^32). A kernel *returns* an
 * address as a signed i32, to which callers must apply `>>> 0`.
 *
 * Ownership: a piece belongs to one object (a dataset, a run), which disposes it. `own` also frees it when that object
 * is garbage collected. The owner must stay reachable for as long as the piece is in use.
 *
 * @throws MemoryLimitError when a request does not fit, naming the requester, the size and the largest holder
 */
import { assert, MemoryLimitError } from "../errors/errors.ts";
import type { WebAssemblyMemory } from "../threads/web-types.ts";
import { Blocks } from "./free-list.ts";
import { bytesText } from "./room.ts";

export interface Allocation extends Disposable {
  /** Byte address. Reading the address after dispose() fails an assertion. */
  readonly pointer: number;
  readonly bytes: number;
  /** Frees the piece. Later calls do nothing. */
  dispose(): void;
}

const PAGE = 65536;
const UNIT = 64;
const HEAP_START = 1 << 20;
/**
 * Maximum numbers of pages, in the order in which they are tried: first 4 GiB, then less, for systems with a small
 * address space.
 */
const RESERVATIONS = [65536, 32768, 16384, 4096];

export class EngineMemory {
  protected static readonly typeName: string = "EngineMemory";
  readonly memory: WebAssemblyMemory;
  readonly shared: boolean;
  private readonly limit: number;
  private readonly blocks = new Blocks();
  /** Allocated pieces by pointer, for usedBytes and for errors that name the largest piece. */
  private readonly live = new Map<number, { bytes: number; purpose: string }>();
  private used = 0;
  private end: number;
  /** Memory above this address has never been allocated and is therefore still zero. */
  private untouched = HEAP_START;

  constructor(shared: boolean, mostPages = RESERVATIONS[0]) {
    const { memory, maximum } = reserve(shared, mostPages);
    this.memory = memory;
    this.shared = shared;
    // The last page stays unused. If a piece ended at 2^32, its end would wrap to 0. In addition, kernels compute
    // addresses a few vectors beyond the end of a piece.
    this.limit = Math.min(maximum, RESERVATIONS[0] - 1) * PAGE;
    this.end = memory.buffer.byteLength;
    if (this.end > HEAP_START) this.blocks.give(HEAP_START / UNIT, (this.end - HEAP_START) / UNIT);
  }

  /** Number of bytes in use, where the size of each piece is rounded up to a multiple of 64. */
  get usedBytes(): number {
    return this.used;
  }

  /** Bytes of linear memory, used or free. */
  get reservedBytes(): number {
    return this.end;
  }

  /** Allocates a zeroed piece of at least `bytes`. `purpose` names it in errors ("dataset adult.csv"). */
  allocate(bytes: number, purpose: string): Allocation {
    assert(Number.isSafeInteger(bytes) && bytes >= 0, `${purpose} asked for ${bytes} bytes`);
    const units = Math.max(1, Math.ceil(bytes / UNIT));
    let start = units * UNIT > this.limit ? -1 : this.blocks.take(units);
    if (start < 0) {
      freeCollected();
      start = this.grow(units * UNIT, purpose) ? this.blocks.take(units) : -1;
    }
    if (start < 0) throw this.full(bytes, purpose);
    const pointer = start * UNIT;
    const length = units * UNIT;
    if (pointer < this.untouched) this.u8(pointer, Math.min(length, this.untouched - pointer)).fill(0);
    this.untouched = Math.max(this.untouched, pointer + length);
    this.live.set(pointer, { bytes: length, purpose });
    this.used += length;
    return new Piece(this, pointer, bytes, purpose);
  }

  /** Frees a piece. Called once, by the piece's dispose(). */
  release(pointer: number): void {
    const piece = this.live.get(pointer);
    assert(piece, `no memory to give back at ${pointer}`);
    this.live.delete(pointer);
    this.used -= piece.bytes;
    this.blocks.give(pointer / UNIT, piece.bytes / UNIT);
  }

  // Views of the current buffer. Views become invalid at the next call of `allocate`, because this call can replace the
  // buffer.
  f64(pointer: number, count: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, count);
  }
  f32(pointer: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, count);
  }
  i8(pointer: number, count: number): Int8Array {
    return new Int8Array(this.memory.buffer, pointer, count);
  }
  i16(pointer: number, count: number): Int16Array {
    return new Int16Array(this.memory.buffer, pointer, count);
  }
  i32(pointer: number, count: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, count);
  }
  u32(pointer: number, count: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, pointer, count);
  }
  u8(pointer: number, count: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, count);
  }

  /**
   * Grows memory to fit a piece of `bytes`. If possible, the memory grows by at least an eighth of its size, so that
   * small requests seldom make it grow.
   */
  private grow(bytes: number, purpose: string): boolean {
    if (this.blocks.largest() * UNIT >= bytes) return true;
    const needed = bytes - this.blocks.endingAt(this.end / UNIT) * UNIT;
    if (this.end + needed > this.limit) return false;
    const wanted = Math.min(Math.max(needed, this.end / 8), this.limit - this.end);
    for (const more of [wanted, needed]) {
      const pages = Math.ceil(more / PAGE);
      try {
        this.memory.grow(pages);
      } catch {
        continue;
      }
      this.blocks.give(this.end / UNIT, (pages * PAGE) / UNIT);
      this.end += pages * PAGE;
      return true;
    }
    throw this.full(bytes, purpose, "the system gives no more");
  }

  private full(bytes: number, purpose: string, reason?: string): MemoryLimitError {
    let holder = { bytes: 0, purpose: "" };
    for (const piece of this.live.values()) if (piece.bytes > holder.bytes) holder = piece;
    const most = holder.bytes > 0 ? `, most by ${holder.purpose} (${bytesText(holder.bytes)})` : "";
    const message =
      `asked for ${bytesText(bytes)}, but ${bytesText(this.used)} of the engine's ${bytesText(this.limit)} are in use${most}` +
      `${reason ? `, and ${reason}` : ""}; dispose what is no longer needed, or use fewer rows or columns, or a narrower type (f32, i16, i8)`;
    return new MemoryLimitError(purpose, message, "MEMORY_LIMIT");
  }
}

class Piece implements Allocation {
  readonly bytes: number;
  private readonly purpose: string;
  private readonly address: number;
  private owner: EngineMemory | undefined;

  constructor(owner: EngineMemory, address: number, bytes: number, purpose: string) {
    this.owner = owner;
    this.address = address;
    this.bytes = bytes;
    this.purpose = purpose;
  }

  get pointer(): number {
    assert(this.owner, `${this.purpose} was used after dispose()`);
    return this.address;
  }

  dispose(): void {
    const owner = this.owner;
    if (!owner) return;
    this.owner = undefined;
    disown(this);
    owner.release(this.address);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

const collected = new FinalizationRegistry<Disposable>((owned) => owned[Symbol.dispose]());
const owners = new Map<Disposable, WeakRef<object>>();

/**
 * Disposes `owned` (memory or another resource) as soon as `owner` has been garbage collected. `owned` must not refer
 * to the owner, and must call `disown` when it is disposed earlier.
 */
export function own(owner: object, owned: Disposable): void {
  collected.register(owner, owned, owned);
  owners.set(owned, new WeakRef(owner));
}

/** Stops tracking `owned`, which has been disposed. */
export function disown(owned: Disposable): void {
  if (owners.delete(owned)) collected.unregister(owned);
}

/**
 * Immediately disposes resources whose owners have been garbage collected. The registry's callbacks run only when the
 * host is idle. For a request that does not fit, this would be too late.
 */
export function freeCollected(): void {
  for (const [owned, owner] of owners) if (owner.deref() === undefined) owned[Symbol.dispose]();
}

let one: EngineMemory | undefined;

/**
 * Returns the memory of this process or realm, created on first use and shared if the host permits it. `own`: do not
 * share the memory if this call creates it.
 */
export function engineMemory({ own = false } = {}): EngineMemory {
  one ??= new EngineMemory(!own && sharingPermitted());
  return one;
}

/** Whether memory can be shared: always in Node, but on the web only with cross-origin isolation. */
function sharingPermitted(): boolean {
  return (
    typeof SharedArrayBuffer === "function" && (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated !== false
  );
}

function reserve(shared: boolean, mostPages: number): { memory: WebAssembly.Memory; maximum: number } {
  let cause: unknown;
  for (const maximum of new Set(RESERVATIONS.map((pages) => Math.min(pages, mostPages)))) {
    try {
      return { memory: new WebAssembly.Memory({ initial: HEAP_START / PAGE, maximum, shared }), maximum };
    } catch (error) {
      cause = error;
    }
  }
  throw new MemoryLimitError(
    "engine",
    "the system cannot reserve 256 MiB of address space for WebAssembly; free some and retry",
    "MEMORY_LIMIT",
    {
      cause,
    },
  );
}
