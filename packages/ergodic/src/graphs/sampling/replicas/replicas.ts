import type { Tensor } from "../../../engine/contract/index.ts";
import type { KeptPart } from "../../../engine/loop/kept-part.ts";
import type { Engine } from "../../../engine/memory/engine.ts";
import type { Allocation } from "../../../engine/memory/memory.ts";
import type { Call } from "../../../engine/memory/pool.ts";
import type { Draws, Stream } from "../../../engine/random/stream.ts";
import * as F from "../../fields.ts";
import type { Stretch } from "../gibbs/schedules/schedule.ts";
import type { BitLayout } from "./bit-layout.ts";

/** Number of replicas per block, number of groups, and number of replicas per group. Each group has its own sums. */
export const REPLICAS = 64;
export const GROUPS = 8;
export const GROUP_REPLICAS = REPLICAS / GROUPS;
/** Number of sweeps that fit in the bytes of the tally (at most 31 × 8 ones). */
export const TALLY_SWEEPS = 31;
/**
 * The number of positions in a piece that workers share is a multiple of this number. Two positions are drawn together,
 * and a cache line holds eight words of states.
 */
const PIECE = 8;

/**
 * 64 replicas with their states, and sums for eight groups of eight replicas. Takes 88 bytes per variable: a word of
 * states, 8 bytes of tally, eight sums of a batch and eight of all batches (u32), and one sum of squares.
 */
export class Replicas {
  private readonly engine: Engine;
  private readonly layout: BitLayout;
  private readonly held: Allocation[] = [];
  private readonly states: number;
  private readonly tally: number;
  private readonly batch: number;
  private readonly totals: number;
  private readonly squares: number;
  /** REPLICAS block of each worker. */
  private readonly blocks: number[] = [];
  /** Number of sweeps in the tally. */
  tallied = 0;

  constructor(layout: BitLayout, engine: Engine, random: Stream, workers: number) {
    this.engine = engine;
    this.layout = layout;
    const { positions } = layout;
    const allocate = (bytes: number): number => {
      const piece = engine.memory.allocate(Math.max(16, bytes), "replicas of a graph");
      this.held.push(piece);
      return piece.pointer;
    };
    // A word of zeros follows the states.
    this.states = allocate(8 * positions + 8);
    this.tally = allocate(8 * positions);
    this.batch = allocate(4 * GROUPS * positions);
    this.totals = allocate(4 * GROUPS * positions);
    this.squares = allocate(8 * positions);
    for (let w = 0; w < workers; w++) {
      const block = allocate(F.REPLICAS_BYTES + F.REPLICAS_WORK_BYTES);
      const fields = engine.memory.u32(block, F.REPLICAS_BYTES / 4);
      fields[F.REPLICAS_RUNS / 4] = layout.pointer;
      fields[F.REPLICAS_RUN_COUNT / 4] = layout.runs.length;
      fields[F.REPLICAS_STATES / 4] = this.states;
      fields[F.REPLICAS_TALLY / 4] = this.tally;
      fields[F.REPLICAS_WORK / 4] = block + F.REPLICAS_BYTES;
      fields[F.REPLICAS_KEY_LOW / 4] = random.key[0];
      fields[F.REPLICAS_KEY_HIGH / 4] = random.key[1];
      this.blocks.push(block);
    }
  }

  /** Address of the words of states, for kernels. */
  get pointer(): number {
    return this.states;
  }

  /** States as two words per position: bit r of the pair is the state of replica r. */
  get words(): Uint32Array {
    return this.engine.memory.u32(this.states, 2 * this.layout.positions);
  }

  /**
   * Sums over finished batches. `totals` has the number of ones by position and group. `squares` has a sum per
   * position, over groups and batches, of (number of ones in the batch)²/(sweeps of the batch).
   */
  get sums(): { readonly totals: Uint32Array; readonly squares: Float64Array } {
    const { memory } = this.engine;
    const { positions } = this.layout;
    return { totals: memory.u32(this.totals, GROUPS * positions), squares: memory.f64(this.squares, positions) };
  }

  /** Number of sweeps that still fit in the tally. */
  get room(): number {
    return TALLY_SWEEPS - this.tallied;
  }

  /** Sets the initial states: all 0 in the first group, all 1 in the second, random in the others. */
  begin(draws: Draws): void {
    const { words } = this;
    for (let position = 0; position < this.layout.positions; position++) {
      words[2 * position] = (draws.bits() & 0xffff0000) | 0xff00;
      words[2 * position + 1] = draws.bits();
    }
  }

  /** Returns the calls of a stretch, one per worker: call i runs on worker i of `workers`. */
  calls({ from, to, shared }: Stretch, sweep: number, sweeps: number, keep: boolean, workers: number): Call[] {
    const pieces = shared ? workers : 1;
    const step = Math.ceil((to - from) / pieces / PIECE) * PIECE;
    return Array.from({ length: pieces }, (_, w) => {
      const begin = Math.min(to, from + w * step);
      const args = [this.blocks[w], begin, Math.min(to, begin + step), sweep, sweeps, keep ? 1 : 0];
      return { kernel: "graphReplicas", args };
    });
  }

  /** Records kept sweeps over all positions. Empties the tally if it is full. */
  counted(sweeps: number): void {
    this.tallied += sweeps;
    if (this.room === 0) this.empty();
  }

  /** Ends a batch of this many sweeps. */
  settle(sweeps: number): void {
    this.empty();
    const { batch, totals, squares, layout } = this;
    this.engine.kernel("graphSettleReplicas", false)(batch, totals, squares, layout.positions, sweeps);
  }

  /** Discards everything summed so far. */
  forget(): void {
    for (const [name, view] of this.parts()) if (name !== "states") view.fill(0);
    this.tallied = 0;
  }

  private empty(): void {
    if (this.tallied > 0) this.engine.kernel("graphTally", false)(this.tally, this.batch, 8 * this.layout.positions);
    this.tallied = 0;
  }

  snapshot(): Record<string, Tensor> {
    return Object.fromEntries(this.parts().map(([name, view]) => [name, view.slice()]));
  }

  restore(kept: KeptPart, tallied: number): void {
    for (const [name, view] of this.parts()) kept.into(view, name);
    this.tallied = tallied;
  }

  private parts(): [string, Tensor][] {
    const { memory } = this.engine;
    const { positions } = this.layout;
    return [
      ["states", this.words],
      ["tally", memory.u32(this.tally, 2 * positions)],
      ["batch", memory.u32(this.batch, GROUPS * positions)],
      ["totals", memory.u32(this.totals, GROUPS * positions)],
      ["squares", memory.f64(this.squares, positions)],
    ];
  }

  dispose(): void {
    for (const piece of this.held) piece.dispose();
  }
}
