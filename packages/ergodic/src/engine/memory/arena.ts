import type { Allocation, EngineMemory } from "./memory.ts";
import type { Holder } from "./modules.ts";

/**
 * A group of memory pieces that are freed together. An arena also holds the modules whose slots are stored in its
 * pieces. An arena offers typed writes into blocks of fields (fields.ts).
 */
export class Arena implements Disposable, Holder {
  readonly memory: EngineMemory;
  private readonly purpose: string;
  private readonly pieces: Allocation[] = [];
  private readonly claims: Disposable[] = [];

  constructor(memory: EngineMemory, purpose: string) {
    this.memory = memory;
    this.purpose = purpose;
  }

  /** Allocates a zeroed piece and returns its address. */
  take(bytes: number): number {
    const piece = this.memory.allocate(bytes, this.purpose);
    this.pieces.push(piece);
    return piece.pointer;
  }

  /** Holds a claim on a module until the memory is freed. */
  hold(claim: Disposable): void {
    this.claims.push(claim);
  }

  /** Allocates a block of `bytes`, and writes the u32 numbers in `fields` at their offsets. */
  block(bytes: number, fields: readonly (readonly [at: number, value: number])[]): number {
    const pointer = this.take(bytes);
    for (const [at, value] of fields) this.set(pointer, at, value);
    return pointer;
  }

  copy(values: Float64Array): number {
    const pointer = this.take(values.byteLength);
    this.memory.f64(pointer, values.length).set(values);
    return pointer;
  }

  set(block: number, at: number, value: number): void {
    this.memory.u32(block + at, 1)[0] = value;
  }

  setF64(block: number, at: number, value: number): void {
    this.memory.f64(block + at, 1)[0] = value;
  }

  getF64(block: number, at: number): number {
    return this.memory.f64(block + at, 1)[0];
  }

  /** Bytes allocated, for reports. */
  get bytes(): number {
    return this.pieces.reduce((sum, piece) => sum + piece.bytes, 0);
  }

  /** Frees all pieces when `owner` is garbage collected. */
  ownedBy(owner: object, own: (owner: object, owned: Disposable) => void): void {
    for (const owned of [...this.pieces, ...this.claims]) own(owner, owned);
  }

  dispose(): void {
    for (const piece of this.pieces.splice(0)) piece.dispose();
    for (const claim of this.claims.splice(0)) claim[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
