import type { Engine } from "../../engine/memory/engine.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { sizeOf } from "../parts/factor-table.ts";
import { type AxisRanges, CliqueBlock, type Placed, SparseBlock } from "./clique-block.ts";
import type { Clique } from "./junction-tree.ts";
import type { Kept, MessageStore } from "./message-store.ts";
import type { CliqueSupport } from "./tree-supports.ts";

/** A clique, with its support if zeros are skipped. */
export interface Task extends Clique {
  /** Number of outer axes. */
  readonly outer: number;
  readonly left?: CliqueSupport;
}

/**
 * Limits for sweeping a clique in pieces: smallest number of joint states, largest number of pieces, and largest output
 * that is copied for each piece.
 */
const PIECE_STATES = 2 ** 22;
const PIECES = 8;
const COPIED = 4096;
/** Number of joint states swept per call: a few milliseconds of work. */
const CALL_STATES = 1 << 20;

/** Loops over the joint states of the cliques in a pass. */
export class CliqueSweeps {
  /** Number of joint states swept so far. */
  swept = 0;
  private readonly engine: Engine;
  private readonly store: MessageStore;
  private readonly best: boolean;
  private readonly workers: number;
  /** Blocks of the current sweep, to be freed if the pass is abandoned. */
  private sweeping: readonly (CliqueBlock | SparseBlock)[] = [];

  /** `best`: computes largest sums of logarithms instead of sums. */
  constructor(store: MessageStore, engine: Engine, { best, workers }: { best: boolean; workers: number }) {
    this.engine = engine;
    this.store = store;
    this.best = best;
    this.workers = workers;
  }

  /**
   * Multiplies and sums over the clique's states. Large cliques are split into pieces for the workers. `fixed`: axes on
   * which only one state is swept.
   */
  async *sweep(
    { axes, outer, left }: Pick<Task, "axes" | "outer" | "left">,
    inputs: readonly Placed[],
    outputs: readonly Kept[],
    logs: boolean,
    fixed: AxisRanges = new Map(),
  ): AsyncGenerator<void> {
    const { memory } = this.engine;
    const shape = this.store.shape(axes);
    const states = left ? left.leaves * sizeOf(shape.slice(outer)) : sizeOf(shape);
    const pieces = fixed.size > 0 || states < PIECE_STATES ? [fixed] : piecesOf(axes.slice(0, outer), shape, outputs);
    // If several pieces write to the same output, each piece writes to a copy until the end.
    const split = [...pieces[0].keys()];
    const shared = pieces.length > 1 ? outputs.filter(({ axes }) => split.some((axis) => !axes.includes(axis))) : [];
    const copies = pieces.map(() => shared.map((output) => this.store.keep(output.axes, logs, output.support)));
    const known = [...inputs, ...outputs].flatMap(({ support }) => support ?? []);
    const supports = left ? [...left.restricting, ...known, left.message] : [];
    const blocks = pieces.map((ranges, i) => {
      const own = outputs.map((output) => (shared.includes(output) ? copies[i][shared.indexOf(output)] : output));
      return left
        ? new SparseBlock(memory, axes, shape, outer, { tables: inputs, outputs: own, supports, ranges })
        : new CliqueBlock(memory, axes, shape, inputs, own, ranges, outer);
    });
    this.sweeping = blocks;
    try {
      for (let first = 0; first < blocks.length; first += this.workers) {
        yield* this.together(blocks.slice(first, first + this.workers), logs);
      }
    } finally {
      this.dispose();
    }
    shared.forEach((output, k) => {
      const values = this.store.values(output);
      for (const kept of copies.map((own) => own[k])) {
        this.store.values(kept).forEach((value, i) => {
          values[i] = this.best ? Math.max(values[i], value) : logs ? logAdd(values[i], value) : values[i] + value;
        });
        this.store.free(kept);
      }
    });
  }

  /** Sweeps several pieces in parallel, one per worker. */
  private async *together(blocks: readonly (CliqueBlock | SparseBlock)[], logs: boolean): AsyncGenerator<void> {
    const mode = this.best ? "Max" : logs ? "LogSum" : "Sum";
    const stretch = Math.max(1, Math.floor(CALL_STATES / blocks[0].inner));
    const before = this.swept;
    let open = blocks;
    for (let from = 0; open.length > 0; from += stretch) {
      const calls = open.map((block) =>
        block instanceof CliqueBlock
          ? { kernel: `clique${mode}`, args: [block.pointer, from, Math.min(block.blocks, from + stretch)] }
          : { kernel: `cliqueSparse${mode}`, args: [block.pointer, stretch] },
      );
      const went = await this.engine.run(calls, { workers: open.length, deterministic: false });
      this.swept = before + blocks.reduce((sum, block) => sum + block.inner * swept(block, from + stretch), 0);
      open = open.filter((block, i) => (block instanceof CliqueBlock ? from + stretch < block.blocks : went[i] === stretch));
      yield;
    }
  }

  dispose(): void {
    for (const piece of this.sweeping) piece.dispose();
    this.sweeping = [];
  }
}

/** Returns ln(eᵃ + eᵇ). */
function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a];
  return low === -Infinity ? high : high + log(1 + exp(low - high));
}

/**
 * Splits a large clique into pieces, which are the same for any number of workers. A piece is a range of states on
 * outer axes. All large outputs contain these axes, so each piece writes to its own part of the outputs.
 */
function piecesOf(outer: readonly number[], shape: readonly number[], outputs: readonly Kept[]): AxisRanges[] {
  const large = outputs.filter(({ entries }) => entries > COPIED);
  let pieces: AxisRanges[] = [new Map()];
  for (const [k, axis] of outer.entries()) {
    if (pieces.length * 2 > PIECES || !large.every((output) => output.axes.includes(axis))) continue;
    const half = Math.ceil(shape[k] / 2);
    const ranges = [[0, half] as const, [half, shape[k] - half] as const];
    pieces = pieces.flatMap((piece) => ranges.map((range) => new Map([...piece, [axis, range]])));
  }
  return pieces;
}

/** Returns the number of outer states of a block that have been swept. */
const swept = (block: CliqueBlock | SparseBlock, upTo: number): number =>
  block instanceof CliqueBlock ? Math.min(block.blocks, upTo) : block.leaves;
