/**
 * The engine's one linear memory and its allocator.
 *
 * Pieces are 64-byte aligned and zeroed. Addresses below 1 MiB hold the kernels' static data. Memory grows as needed, up to 4 GiB but for a page
 * (less where the system cannot reserve that much), and is reused when given back; WebAssembly cannot return it to the system.
 * Pointers are JavaScript numbers in [0, 2^32): a kernel *returns* an address as a signed i32, so take `>>> 0` of it.
 *
 * Ownership: a piece belongs to one object (a dataset, a run), which disposes it; `own` also frees it when that object is
 * collected. Whoever works on a piece keeps its owner reachable meanwhile.
 *
 * @throws MemoryLimitError when a request does not fit, naming who asked for how much and who holds most
 */
import { assert, MemoryLimitError } from "../errors/errors.ts";
import { Blocks } from "./free-list.ts";
import { bytesText } from "./room.ts";
import type { WebAssemblyMemory } from "./web-types.ts";

export interface Allocation extends Disposable {
  /** Byte address; reading it after dispose() is an assertion. */
  readonly pointer: number;
  readonly bytes: number;
  /** Gives the piece back; later calls do nothing. */
  dispose(): void;
}

const PAGE = 65536;
const UNIT = 64;
const HEAP_START = 1 << 20;
/** Most pages to reserve: 4 GiB, then less for systems with a small address space. */
const RESERVATIONS = [65536, 32768, 16384, 4096];

export class EngineMemory {
  readonly memory: WebAssemblyMemory;
  readonly shared: boolean;
  private readonly limit: number;
  private readonly blocks = new Blocks();
  /** Live pieces by pointer, for usedBytes and for an error that names who holds most. */
  private readonly live = new Map<number, { bytes: number; purpose: string }>();
  private used = 0;
  private end: number;
  /** Bytes from here on were never handed out, so they are still zero. */
  private untouched = HEAP_START;

  constructor(shared: boolean, mostPages = RESERVATIONS[0]) {
    const { memory, maximum } = reserve(shared, mostPages);
    this.memory = memory;
    this.shared = shared;
    // The last page stays unused: a piece that ends at 2^32 would have the end 0, and kernels compute addresses a few vectors beyond an end.
    this.limit = Math.min(maximum, RESERVATIONS[0] - 1) * PAGE;
    this.end = memory.buffer.byteLength;
    if (this.end > HEAP_START) this.blocks.give(HEAP_START / UNIT, (this.end - HEAP_START) / UNIT);
  }

  /** Bytes in use, each piece rounded up to 64. */
  get usedBytes(): number {
    return this.used;
  }

  /** Bytes of linear memory, used or free. */
  get reservedBytes(): number {
    return this.end;
  }

  /** A zeroed piece of at least `bytes`; `purpose` names it in errors ("dataset adult.csv"). */
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

  /** Called by a piece's dispose(), once. */
  release(pointer: number): void {
    const piece = this.live.get(pointer);
    assert(piece, `no memory to give back at ${pointer}`);
    this.live.delete(pointer);
    this.used -= piece.bytes;
    this.blocks.give(pointer / UNIT, piece.bytes / UNIT);
  }

  // Views on the current buffer: never kept across an allocate, which may replace it.
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

  /** Makes room for one piece of `bytes`, and an eighth more so that many small requests grow seldom. */
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
      `${reason ? `, and ${reason}` : ""}; dispose what is no longer needed, or take fewer rows or columns, or a narrower type (f32, i16, i8)`;
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

/** Disposes what is `owned`, a piece of memory or what else has an end, when `owner` is collected. It must not refer to the owner, and tell its end by `disown`. */
export function own(owner: object, owned: Disposable): void {
  collected.register(owner, owned, owned);
  owners.set(owned, new WeakRef(owner));
}

/** It has come to its end. */
export function disown(owned: Disposable): void {
  if (owners.delete(owned)) collected.unregister(owned);
}

/** The registry's callbacks wait for an idle moment; a request that does not fit cannot. */
export function freeCollected(): void {
  for (const [owned, owner] of owners) if (owner.deref() === undefined) owned[Symbol.dispose]();
}

let one: EngineMemory | undefined;

/** The memory of this process or realm, made on first use; shared where the host permits it. `own`: not shared, if it is made now. */
export function engineMemory({ own = false } = {}): EngineMemory {
  one ??= new EngineMemory(!own && sharingPermitted());
  return one;
}

/** A page without cross-origin isolation cannot share memory; Node always can. */
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
