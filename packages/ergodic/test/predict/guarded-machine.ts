/**
 * Kernels on a memory in which every byte outside of allocated pieces holds a canary. `touched` reports changed
 * canaries. Pieces are far apart and end exactly at their requested size.
 */
import { type Engine, type Machine, openEngine } from "../../src/engine/memory/engine.ts";
import type { Allocation, EngineMemory } from "../../src/engine/memory/memory.ts";

const HEAP = 1 << 20;
const APART = 1024;

interface Piece {
  readonly from: number;
  readonly to: number;
}

export class GuardedMachine {
  readonly #machine: Machine;
  readonly #pieces = new Set<Piece>();
  readonly #end: number;
  /** An engine with only this memory. */
  readonly engine: Engine;

  private constructor(engine: Engine, bytes: number) {
    this.#end = HEAP + bytes;
    this.#machine = engine.apart(this.#end / 65536);
    const { memory } = this.#machine;
    memory.allocate(bytes, "all of it").dispose();
    const allocate = memory.allocate.bind(memory);
    const guarded: EngineMemory = Object.assign(Object.create(memory) as EngineMemory, {
      allocate: (wanted: number, purpose: string): Allocation => {
        const whole = allocate(wanted + 2 * APART, purpose);
        const piece = { from: whole.pointer + APART, to: whole.pointer + APART + wanted };
        this.#pieces.add(piece);
        // Allocated memory is zero, so the bytes around a piece must get their canaries back.
        this.#fillBetween(whole.pointer, whole.pointer + Math.ceil(whole.bytes / 64) * 64, piece);
        const dispose = (): void => {
          if (!this.#pieces.delete(piece)) return;
          this.#bytes(piece.from, piece.to).fill(this.#canary);
          whole.dispose();
        };
        return { pointer: piece.from, bytes: wanted, dispose, [Symbol.dispose]: dispose };
      },
    });
    this.engine = Object.assign(Object.create(engine) as Engine, {
      memory: guarded,
      kernel: (name: string, deterministic: boolean) => this.#machine.kernel(name, deterministic),
    });
  }

  static async open(bytes = 2 ** 18): Promise<GuardedMachine> {
    return new GuardedMachine(await openEngine(), bytes);
  }

  #canary = 0;

  /** Fills everything outside of pieces. */
  fill(canary: number): void {
    this.#canary = canary;
    let from = HEAP;
    for (const piece of this.#sorted()) {
      this.#bytes(from, piece.from).fill(canary);
      from = piece.to;
    }
    this.#bytes(from, this.#end).fill(canary);
  }

  /** Addresses of the first few changed canaries. */
  touched(): number[] {
    const found: number[] = [];
    const wanted = Buffer.alloc(this.#end - HEAP, this.#canary);
    let from = HEAP;
    for (const { from: start, to } of [...this.#sorted(), { from: this.#end, to: this.#end }]) {
      const bytes = this.#bytes(from, start);
      // Compares blocks first, because most are unchanged and checking each byte is slow.
      if (Buffer.compare(bytes, wanted.subarray(0, bytes.length)) !== 0)
        found.push(from + bytes.findIndex((byte) => byte !== this.#canary));
      from = to;
    }
    return found;
  }

  #sorted(): Piece[] {
    return [...this.#pieces].sort((a, b) => a.from - b.from);
  }

  #fillBetween(from: number, to: number, piece: Piece): void {
    this.#bytes(from, piece.from).fill(this.#canary);
    this.#bytes(piece.to, to).fill(this.#canary);
  }

  #bytes(from: number, to: number): Uint8Array {
    return this.#machine.memory.u8(from, Math.max(0, to - from));
  }
}
