import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Allocation } from "../../../engine/memory/memory.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import type { Stream } from "../../../engine/random/stream.ts";
import * as F from "../../fields.ts";
import type { BlockLayout } from "./block-layout.ts";
import type { Layout } from "./layout.ts";
import type { Schedule, Stretch } from "./schedules/schedule.ts";

/** Number of values per call of the random generator. The sizes of a stretch's pieces are multiples of this number. */
const PIECE = 8;
/** Bytes of scratch memory: one number per state of a variable, and one per value of the random generator. */
const WORK_BYTES = 8 * (256 + 8);

/**
 * States of all variables with their sums. Takes 26 bytes per Boolean and more per variable with more states. Without
 * sums, a variable takes 2 bytes.
 */
export class Chain {
  private readonly engine: Engine;
  private readonly layout: Layout;
  private readonly together: BlockLayout | undefined;
  private readonly held: Allocation[] = [];
  private readonly states: Allocation;
  private readonly counts: Allocation;
  private readonly batch: Allocation;
  private readonly totals: Allocation;
  private readonly squares: Allocation;
  private readonly changed: Allocation;
  /** Number of entries in each sum. 0 if no sums are stored. */
  private readonly slots: number;
  /** GRAPH block of each worker. */
  private readonly blocks: number[] = [];

  /** `sums`: whether sums will be stored. */
  constructor(layout: Layout, engine: Engine, random: Stream, workers: number, together?: BlockLayout, sums = true) {
    const { memory } = engine;
    this.engine = engine;
    this.layout = layout;
    this.together = together;
    const allocate = (bytes: number): Allocation => {
      const piece = memory.allocate(Math.max(8, bytes), "chains over a graph");
      this.held.push(piece);
      return piece;
    };
    const slots = (this.slots = sums ? layout.slots[layout.drawn] : 0);
    this.states = allocate(words(layout.variables.length) * 4);
    this.counts = allocate(4 * layout.counted);
    this.batch = allocate(8 * slots);
    this.totals = allocate(8 * slots);
    this.squares = allocate(8 * slots);
    this.changed = allocate(words(layout.drawn) * 4);
    const { begins, records, counted } = layout.pointers;
    for (let w = 0; w < workers; w++) {
      const tables = together ? allocate(together.tableBytes).pointer : 0;
      const block = allocate(F.GRAPH_BYTES + WORK_BYTES).pointer;
      const fields = memory.u32(block, F.GRAPH_BYTES / 4);
      const set = (field: number, value: number): void => {
        fields[field / 4] = value;
      };
      set(F.GRAPH_BEGINS, begins);
      set(F.GRAPH_RECORDS, records);
      set(F.GRAPH_STATES, this.states.pointer);
      set(F.GRAPH_COUNTS, this.counts.pointer);
      set(F.GRAPH_COUNTED, counted);
      set(F.GRAPH_BATCH, this.batch.pointer);
      set(F.GRAPH_CHANGED, this.changed.pointer);
      set(F.GRAPH_WORK, block + F.GRAPH_BYTES);
      set(F.GRAPH_DRAWN, layout.drawn);
      set(F.GRAPH_BLOCKS, together?.pointer ?? 0);
      set(F.GRAPH_TABLES, tables);
      set(F.GRAPH_KEY_LOW, random.key[0]);
      set(F.GRAPH_KEY_HIGH, random.key[1]);
      this.blocks.push(block);
    }
    this.setPower(1);
  }

  /** Sets the power, so that later draws are from p^power. */
  setPower(power: number): void {
    for (const block of this.blocks) this.engine.memory.f64(block + F.GRAPH_POWER_F64, 1)[0] = power;
  }

  /** State at each position. */
  get current(): Uint8Array {
    return this.engine.memory.u8(this.states.pointer, this.layout.variables.length);
  }

  /**
   * Two sums over finished batches, by slot: the sum of the conditional probabilities, and the sum of (batch
   * total)²/(sweeps of the batch).
   */
  get sums(): { readonly totals: Float64Array; readonly squares: Float64Array; readonly changed: Uint8Array } {
    const { memory } = this.engine;
    const { slots } = this;
    return {
      totals: memory.f64(this.totals.pointer, slots),
      squares: memory.f64(this.squares.pointer, slots),
      changed: memory.u8(this.changed.pointer, this.layout.drawn),
    };
  }

  /** Address of the chain, for kernels. */
  get block(): number {
    return this.blocks[0];
  }

  /** Returns the states, packed four to a word. */
  packedStates(): Uint32Array {
    return this.engine.memory.u32(this.states.pointer, words(this.layout.variables.length));
  }

  restoreStates(kept: KeptPart, name: string): void {
    kept.into(this.packedStates(), name);
    const { cardinalities, variables } = this.layout;
    const wrong = this.current.findIndex((state, p) => state >= cardinalities[variables[p]]);
    if (wrong >= 0)
      kept.refuse(`a variable has ${cardinalities[variables[wrong]]} states, but is in state ${this.current[wrong]}`);
    this.recount();
  }

  /** Copies the states of another chain. */
  copyStates(from: Chain): void {
    this.packedStates().set(from.packedStates());
    this.kept.set(from.kept);
  }

  /**
   * Exchanges states with another chain of the layout. The sums of this chain continue. Variables with different states
   * are marked as changed.
   */
  trade(other: Chain): void {
    const { changed } = this.sums;
    const [mine, theirs] = [this.current, other.current];
    for (let p = 0; p < changed.length; p++) if (mine[p] !== theirs[p]) changed[p] = 1;
    for (const [a, b] of [
      [this.packedStates(), other.packedStates()],
      [this.kept, other.kept],
    ]) {
      const was = a.slice();
      a.set(b);
      b.set(was);
    }
  }

  /** Returns the call that updates `value`. */
  valueCall(): Call {
    return { kernel: "graphValue", args: [this.blocks[0], this.layout.counted] };
  }

  /** ln of the factors' product, up to a constant that depends only on the layout. */
  get value(): number {
    return this.engine.memory.f64(this.blocks[0] + F.GRAPH_VALUE_F64, 1)[0];
  }

  /** Sums of the conditional probabilities since the last clear or settle, by slot. */
  get batchSums(): Float64Array {
    return this.engine.memory.f64(this.batch.pointer, this.slots);
  }

  clearBatch(): void {
    this.batchSums.fill(0);
  }

  /** Number of satisfied literals of each counted factor. */
  get kept(): Int32Array {
    return this.engine.memory.i32(this.counts.pointer, this.layout.counted);
  }

  /** Sets the drawn variables to these states, by variable. Observed variables take their observed states. */
  begin(states: (variable: number) => number): void {
    const { variables, drawn, observed } = this.layout;
    const current = this.current;
    for (let p = 0; p < variables.length; p++) current[p] = p < drawn ? states(variables[p]) : observed[variables[p]];
    this.recount();
  }

  /** Recounts the satisfied literals from the states. */
  recount(): void {
    this.layout.countInto(this.kept, this.current);
  }

  /** Returns the calls of a stretch, one per worker: call i runs on worker i of `workers`. */
  calls(
    { from, to, shared }: Stretch,
    schedule: Schedule,
    sweep: number,
    sweeps: number,
    keep: boolean,
    workers: number,
  ): Call[] {
    const flag = keep ? 1 : 0;
    if (schedule.random) return [{ kernel: "graphScan", args: [this.blocks[0], to - from, sweep, sweeps, flag] }];
    const pieces = shared ? workers : 1;
    const step = Math.ceil((to - from) / pieces / PIECE) * PIECE;
    const calls: Call[] = [];
    for (let w = 0; w < pieces; w++) {
      const begin = Math.min(to, from + w * step);
      const [first, end] = [begin, Math.min(to, begin + step)].map((at) => this.together?.blockFrom(at) ?? at);
      const args = [this.blocks[w], first, end, sweep, sweeps, flag];
      calls.push({ kernel: this.together ? "graphBlocks" : "graphSweep", args });
    }
    return calls;
  }

  /** Discards everything summed so far. */
  forget(): void {
    const { memory } = this.engine;
    for (const { pointer } of [this.batch, this.totals, this.squares]) memory.f64(pointer, this.slots).fill(0);
    memory.u8(this.changed.pointer, this.layout.drawn).fill(0);
  }

  /** Ends a batch of this many sweeps. */
  settle(sweeps: number): void {
    const { batch, totals, squares } = this;
    this.engine.kernel("graphSettle", false)(batch.pointer, totals.pointer, squares.pointer, this.slots, 1 / sweeps);
  }

  snapshot(): Record<string, Tensor> {
    const { memory } = this.engine;
    const numbers = (pointer: number): Float64Array => memory.f64(pointer, this.slots).slice();
    return {
      states: this.packedStates().slice(),
      changed: memory.u32(this.changed.pointer, words(this.layout.drawn)).slice(),
      batch: numbers(this.batch.pointer),
      totals: numbers(this.totals.pointer),
      squares: numbers(this.squares.pointer),
    };
  }

  restore(kept: KeptPart): void {
    const { memory } = this.engine;
    kept.into(memory.u32(this.changed.pointer, words(this.layout.drawn)), "changed");
    for (const [name, { pointer }] of Object.entries({ batch: this.batch, totals: this.totals, squares: this.squares }))
      kept.into(memory.f64(pointer, this.slots), name);
    this.restoreStates(kept, "states");
  }

  dispose(): void {
    for (const piece of this.held) piece.dispose();
  }
}

const words = (bytes: number): number => Math.ceil(bytes / 4);
