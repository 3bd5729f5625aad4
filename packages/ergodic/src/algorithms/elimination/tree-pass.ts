import { assert } from "../../base/errors.ts";
import { exp } from "../../base/exp.ts";
import { log } from "../../base/log.ts";
import type { Engine } from "../../host/engine.ts";
import * as F from "../../host/fields.ts";
import type { Allocation } from "../../host/memory.ts";
import { joinSmall, MOST_RANGE, reorder, sizeOf, stridesIn, type Table, walk, widen } from "../inference/table.ts";
import { type AxisRanges, CliqueBlock, outerAxes, type Placed, SparseBlock } from "./clique-block.ts";
import type { Clique } from "./junction-tree.ts";
import { blockEntries, type Support } from "./support.ts";
import type { CliqueSupport, TreeSupports } from "./tree-supports.ts";

/** Sums, with marginals of all variables or without; or maxima. */
export type PassKind = "marginals" | "partition" | "map";

/** What passes over a tree have found. */
export interface TreeAnswer {
  /** ln of the sum (or of the largest) over all states of the product of the tables; −∞ if there is none. */
  logValue: number;
  /** By variable, probabilities of its states. */
  marginals?: Float64Array[];
  /** By variable, its state in one of the best. */
  states?: Int32Array;
}

/** A clique, and what zeros leave of it where they are left out. */
interface Task extends Clique {
  /** How many of its axes are outer ones. */
  readonly outer: number;
  readonly left?: CliqueSupport;
}

/** A table in the engine's memory: e^scale · values, or logarithms of that without a scale. */
interface Kept extends Placed {
  readonly allocation: Allocation;
  readonly entries: number;
  logs: boolean;
  scale: number;
  range: number;
  /** Bound of what underflow has taken from an entry, the largest being 1; of messages from a parent, from the whole mass. */
  lost: number;
}

/** What is multiplied in a clique. */
interface Inputs {
  readonly inputs: Kept[];
  /** What is only for this. */
  readonly temporary: Kept[];
  readonly logs: boolean;
  readonly scale: number;
  /** Bound of what is lost of a product. */
  readonly lost: number;
}

/** The largest product that vanishes, with a margin. */
const UNDERFLOW = 1e-305;
/** The most that may be lost, relative to what it is lost from. */
const MOST_LOST = 1e-14;

/** Entries of tables that small ones are multiplied to: what the second cache holds. */
const JOINED = 2 ** 14;
/** Joint states of own variables whose marginals are gathered together. */
const JOINT = 256;
/** Joint states among which the best is looked for at once. */
const CHOSEN_AT_ONCE = 4096;
/** Joint states of a clique that is swept in pieces, how many at most, and entries of an output that each piece may have a copy of. */
const PIECE_STATES = 2 ** 22;
const PIECES = 8;
const COPIED = 4096;
/** Joint states that are swept in one call: some milliseconds. */
const CALL_STATES = 1 << 20;

/**
 * Messages over a junction tree (Shenoy and Shafer 1990; Hugin's division on the way back): towards the roots m(s) = Σ over a clique's own variables of
 * the product of its tables and of the messages that came in; back to each child the sum of the clique's product over all but the child's variables,
 * divided by what the child had sent (0/0 = 0). Cliques are never written out: they are swept again. For "map" Σ is max over logarithms, and the best
 * states are read off on the way back.
 *
 * Underflow: tables and messages have a largest entry of 1. Where the ranges of what is multiplied sum to more than MOST_RANGE, products may vanish that
 * are below UNDERFLOW. What was lost is bounded all along, relative to the largest entry of a message or to a clique's whole mass, and where that may be more
 * than MOST_LOST the pass ends with `lost`; one that is `careful` works on logarithms in such cliques instead.
 */
export class TreePass {
  readonly answer: TreeAnswer = { logValue: 0 };
  /** Underflow may have taken too much: the answer is void, and a careful pass is needed. */
  lost = false;
  /** Joint states swept so far. */
  swept = 0;
  private readonly cliques: readonly Task[];
  private readonly cardinalities: readonly number[];
  private readonly tables: readonly Table[];
  private readonly engine: Engine;
  private readonly kind: PassKind;
  private readonly careful: boolean;
  private readonly workers: number;
  private readonly supports: TreeSupports | undefined;
  private readonly held = new Set<Kept>();
  /** Of the sweep under way: a pass may be given up in the middle of one. */
  private sweeping: readonly { dispose(): void }[] = [];
  private readonly up: (Kept | undefined)[];
  private readonly down: (Kept | undefined)[];

  constructor(
    cliques: readonly Clique[],
    part: { readonly cardinalities: readonly number[]; readonly tables: readonly Table[] },
    kind: PassKind,
    engine: Engine,
    { careful = false, workers = 1, supports }: { careful?: boolean; workers?: number; supports?: TreeSupports } = {},
  ) {
    this.careful = careful;
    this.workers = workers;
    this.supports = supports;
    this.cardinalities = part.cardinalities;
    this.cliques = cliques.map((clique, number) => {
      const left = supports?.cliques[number];
      return { ...clique, left, outer: left?.outer ?? outerAxes(this.shape(clique.axes)) };
    });
    this.tables = part.tables;
    this.kind = kind;
    this.engine = engine;
    this.up = cliques.map(() => undefined);
    this.down = cliques.map(() => undefined);
  }

  /** All the work, a call of the engine at a time. */
  async *work(): AsyncGenerator<void> {
    const { cliques, answer, kind } = this;
    if (this.supports?.impossible) {
      answer.logValue = -Infinity;
      return;
    }
    for (const [number, clique] of cliques.entries()) {
      // On the way back a root is swept in any case, and its mass is the whole.
      if (kind === "marginals" && clique.parent < 0) continue;
      yield* this.collect(clique, number);
      const message = this.up[number]!;
      // At a root the message is the whole; before, it may be needed in any of its entries.
      this.lost ||= clique.parent < 0 ? message.lost > MOST_LOST : message.range === -Infinity && message.lost > 0;
      if (this.lost) return;
      if (message.range === -Infinity) {
        answer.logValue = -Infinity;
        return;
      }
      if (clique.parent < 0) answer.logValue += message.scale + (message.logs ? this.values(message)[0] : 0);
      if (kind === "partition") for (const child of clique.children) this.drop(this.up, child);
    }
    if (kind === "partition") return;
    if (kind === "map") answer.states = new Int32Array(this.cardinalities.length);
    else answer.marginals = this.cardinalities.map(() => new Float64Array(0));
    for (let number = cliques.length - 1; number >= 0; number--) {
      if (kind === "map") yield* cliques[number].left ? this.chooseSparse(cliques[number]) : this.choose(cliques[number]);
      else yield* this.distribute(cliques[number], number);
      if (this.lost || answer.logValue === -Infinity) return;
    }
  }

  dispose(): void {
    for (const piece of this.sweeping) piece.dispose();
    for (const { allocation } of this.held) allocation.dispose();
    this.held.clear();
  }

  private shape(axes: readonly number[]): number[] {
    return axes.map((variable) => this.cardinalities[variable]);
  }

  private values({ pointer, entries }: Kept): Float64Array {
    return this.engine.memory.f64(pointer, entries);
  }

  private keep(axes: readonly number[], logs: boolean, support?: Support): Kept {
    const shape = this.shape(axes);
    const entries = support ? support.blocks * blockEntries(shape, support) : sizeOf(shape);
    const allocation = this.engine.memory.allocate(entries * 8, "messages of a junction tree");
    const kept = { allocation, pointer: allocation.pointer, entries, axes, support, logs, scale: 0, range: 0, lost: 0 };
    this.held.add(kept);
    if (logs) this.values(kept).fill(-Infinity);
    return kept;
  }

  private free(kept: Kept): void {
    if (this.held.delete(kept)) kept.allocation.dispose();
  }

  private drop(messages: (Kept | undefined)[], number: number): void {
    const message = messages[number];
    if (message) this.free(message);
    messages[number] = undefined;
  }

  /** The clique's tables, with the axes in its order; small ones multiplied with each other, so that fewer are read for each of its states. */
  private place({ axes, scopes, outer }: Task): Kept[] {
    const places = new Map(axes.map((variable, k) => [variable, k]));
    const inOrder = (variables: Iterable<number>): number[] => [...variables].sort((a, b) => places.get(a)! - places.get(b)!);
    const tables = scopes.map((number) => reorder(this.tables[number], inOrder(this.tables[number].scope)));
    const most = Math.min(JOINED, sizeOf(this.shape(axes)) / 8);
    const joined = this.kind === "map" ? tables : joinSmall(tables, most, inOrder);
    // A table with all inner axes is read in one stream, though it then says the same thing several times.
    const inner = axes.slice(outer);
    const widened = joined.map((table) => {
      const scope = inOrder(new Set([...table.scope, ...inner]));
      return scope.length > table.scope.length && sizeOf(this.shape(scope)) <= most
        ? widen(table, scope, this.shape(scope))
        : table;
    });
    return widened.map(({ scope, values, logs, scale, range }) => {
      const kept = this.keep(scope, false);
      const asLogs = this.kind === "map" && !logs;
      this.values(kept).set(asLogs ? values.map((value) => log(value)) : values);
      return Object.assign(kept, { logs: logs || asLogs, scale, range });
    });
  }

  /** Tables and messages to be multiplied, all as they are or all as logarithms. */
  private inputs(clique: Task, more: readonly Kept[]): Inputs {
    const tables = this.place(clique);
    const given = [...tables, ...more];
    if (given.length === 0) {
      const one = this.keep([], false);
      this.values(one)[0] = this.kind === "map" ? 0 : 1;
      one.logs = this.kind === "map";
      given.push(one);
      tables.push(one);
    }
    const range = given.reduce((sum, kept) => sum + kept.range, 0);
    const wide = range > MOST_RANGE;
    const logs = this.kind === "map" || (wide && this.careful) || given.some((kept) => kept.logs);
    const lost = given.reduce((sum, kept) => sum + kept.lost, wide && !logs ? UNDERFLOW : 0);
    const scale = given.reduce((sum, kept) => sum + kept.scale, 0);
    const temporary = [...tables];
    const inputs = given.map((kept) => {
      if (!logs || kept.logs) return kept;
      const made = this.asLogs(kept);
      temporary.push(made);
      return made;
    });
    return { inputs, temporary, logs, scale, lost };
  }

  private asLogs(kept: Kept): Kept {
    const made = this.keep(kept.axes, true, kept.support);
    const [from, to] = [this.values(kept), this.values(made)];
    for (let i = 0; i < from.length; i++) to[i] = log(from[i]);
    return Object.assign(made, { range: kept.range, lost: kept.lost });
  }

  /** Multiplies and adds over the clique's states; those of large ones in pieces, which workers take. `fixed`: axes of which only one state is swept. */
  private async *sweep(
    { axes, outer, left }: Pick<Task, "axes" | "outer" | "left">,
    inputs: readonly Placed[],
    outputs: readonly Kept[],
    logs: boolean,
    fixed: AxisRanges = new Map(),
  ): AsyncGenerator<void> {
    const { memory } = this.engine;
    const shape = this.shape(axes);
    const states = left ? left.leaves * sizeOf(shape.slice(outer)) : sizeOf(shape);
    const pieces = fixed.size > 0 || states < PIECE_STATES ? [fixed] : piecesOf(axes.slice(0, outer), shape, outputs);
    // Outputs that several pieces would write are theirs alone until the end.
    const split = [...pieces[0].keys()];
    const shared = pieces.length > 1 ? outputs.filter(({ axes }) => split.some((axis) => !axes.includes(axis))) : [];
    const copies = pieces.map(() => shared.map((output) => this.keep(output.axes, logs, output.support)));
    const restricting = left ? this.supports!.restricting(axes.slice(0, outer)) : [];
    const known = [...inputs, ...outputs].flatMap(({ support }) => support ?? []);
    const supports = left ? [...restricting, ...known, left.message] : [];
    const blocks = pieces.map((ranges, i) => {
      const own = outputs.map((output) => (shared.includes(output) ? copies[i][shared.indexOf(output)] : output));
      return left
        ? new SparseBlock(memory, axes, shape, outer, { tables: inputs, outputs: own, supports, ranges })
        : new CliqueBlock(memory, axes, shape, inputs, own, ranges, outer);
    });
    this.sweeping = [...blocks, ...restricting.map(({ allocation }) => allocation)];
    try {
      for (let first = 0; first < blocks.length; first += this.workers) {
        yield* this.together(blocks.slice(first, first + this.workers), logs);
      }
    } finally {
      for (const piece of this.sweeping) piece.dispose();
      this.sweeping = [];
    }
    shared.forEach((output, k) => {
      const values = this.values(output);
      for (const kept of copies.map((own) => own[k])) {
        this.values(kept).forEach((value, i) => {
          values[i] = this.kind === "map" ? Math.max(values[i], value) : logs ? logAdd(values[i], value) : values[i] + value;
        });
        this.free(kept);
      }
    });
  }

  /** Pieces at once, a worker each. */
  private async *together(blocks: readonly (CliqueBlock | SparseBlock)[], logs: boolean): AsyncGenerator<void> {
    const mode = this.kind === "map" ? "Max" : logs ? "LogSum" : "Sum";
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

  /** Scales an output to a largest entry of 1, which it returns as it was, and measures its range. */
  private settle(kept: Kept): number {
    const { engine } = this;
    const block = engine.memory.allocate(F.CLIQUE_BYTES, "cliques");
    const high = engine.kernel("cliqueExtremes", false)(kept.pointer, kept.entries, block.pointer, kept.logs ? 1 : 0);
    const low = engine.memory.f64(block.pointer + F.CLIQUE_LOW_F64, 1)[0];
    block.dispose();
    const none = kept.logs ? high === -Infinity : high === 0;
    kept.range = none ? -Infinity : kept.logs ? high - low : log(high) - log(low);
    if (none || this.kind === "map") return high;
    const values = this.values(kept);
    if (kept.logs && kept.range <= MOST_RANGE) {
      for (let i = 0; i < values.length; i++) values[i] = exp(values[i] - high);
      kept.scale += high;
      kept.logs = false;
    } else if (!kept.logs && kept.range > MOST_RANGE) {
      for (let i = 0; i < values.length; i++) values[i] = log(values[i]);
      kept.logs = true;
    } else if (!kept.logs) {
      engine.kernel("cliqueScale", false)(kept.pointer, kept.entries, 1 / high);
      kept.scale += log(high);
    }
    return high;
  }

  private async *collect(clique: Task, number: number): AsyncGenerator<void> {
    const { axes, own, children } = clique;
    const received = children.map((child) => this.up[child]!);
    const { inputs, temporary, logs, scale, lost } = this.inputs(clique, received);
    const message = this.keep(axes.slice(0, axes.length - own), logs, clique.left?.message);
    yield* this.sweep(clique, inputs, [message], logs);
    for (const kept of temporary) this.free(kept);
    message.scale = scale;
    const high = this.settle(message);
    if (lost > 0) message.lost = (lost * sizeOf(this.shape(axes.slice(axes.length - own)))) / (logs ? exp(high) : high);
    this.up[number] = message;
  }

  private async *distribute(clique: Task, number: number): AsyncGenerator<void> {
    const { children, axes, own } = clique;
    const received = this.down[number];
    const sent = children.map((child) => this.up[child]!);
    const { inputs, temporary, logs, scale, lost } = this.inputs(clique, received ? [...sent, received] : sent);
    const back = children.map((child) => this.keep(this.up[child]!.axes, logs, this.up[child]!.support));
    const mine = axes.slice(axes.length - own);
    const marginals = groups(mine, this.shape(mine), JOINT).map((group) => this.keep(group, logs));
    yield* this.sweep(clique, inputs, [...back, ...marginals], logs);
    for (const kept of temporary) this.free(kept);
    // Lost before from the whole mass, and here from each product.
    const before = received?.lost ?? 0;
    const first = this.values(marginals[0]);
    const largest = logs ? first.reduce((high, value) => Math.max(high, value), -Infinity) : 0;
    const mass = first.reduce((sum, value) => sum + (logs ? exp(value - Math.max(largest, -1e300)) : value), 0);
    const lostMass = before + (lost > before ? ((lost - before) * sizeOf(this.shape(axes))) / mass : 0);
    this.lost ||= !(lostMass <= MOST_LOST);
    if (clique.parent < 0) this.answer.logValue += scale + log(mass) + largest;
    if (this.lost || mass === 0) return;
    this.drop(this.down, number);
    for (const kept of marginals) this.normalise(kept);
    for (const [i, child] of children.entries()) {
      const [message, sent] = [back[i], this.up[child]!];
      assert(message.entries === sent.entries, "a message goes both ways over the same variables");
      const divisor = message.logs && !sent.logs ? this.asLogs(sent) : sent;
      // Sent as logarithms, it had made this clique work on logarithms.
      if (message.logs) this.engine.kernel("cliqueSubtract", false)(message.pointer, divisor.pointer, message.entries);
      else this.engine.kernel("cliqueDivide", false)(message.pointer, divisor.pointer, message.entries);
      if (divisor !== sent) this.free(divisor);
      this.drop(this.up, child);
      this.settle(message);
      // Only ratios count from here on.
      message.scale = 0;
      message.lost = lostMass;
      this.down[child] = message;
    }
  }

  /** Marginals of each variable from those of a few together. */
  private normalise(kept: Kept): void {
    const high = this.settle(kept);
    const values = this.values(kept);
    const joint = kept.logs ? values.map((value) => exp(value - high)) : values;
    const total = joint.reduce((sum, value) => sum + value, 0);
    const shape = this.shape(kept.axes);
    const marginals = shape.map((count) => new Float64Array(count));
    let inside = joint.length;
    for (const [k, count] of shape.entries()) {
      inside /= count;
      joint.forEach((value, i) => {
        marginals[k][Math.floor(i / inside) % count] += value / total;
      });
      this.answer.marginals![kept.axes[k]] = marginals[k];
    }
    this.free(kept);
  }

  /** The best states of the clique's own variables, given those of the others: one by one while they have many joint states, then all at once. */
  private async *choose(clique: Task): AsyncGenerator<void> {
    const { axes, own, children } = clique;
    const states = this.answer.states!;
    const tables = this.place(clique);
    const given = [...tables, ...children.map((child) => this.up[child]!)];
    let fixed = axes.length - own;
    for (; sizeOf(this.shape(axes.slice(fixed))) > CHOSEN_AT_ONCE; fixed++) {
      const left = axes.slice(fixed);
      const best = this.keep([axes[fixed]], true);
      yield* this.sweep(
        { axes: left, outer: outerAxes(this.shape(left)) },
        given.map((kept) => this.at(kept, axes.slice(0, fixed))),
        [best],
        true,
      );
      states[axes[fixed]] = largestPlace(this.values(best));
      this.free(best);
    }
    const left = axes.slice(fixed);
    const parts = given.map((kept) => this.at(kept, axes.slice(0, fixed)));
    const values = new Float64Array(sizeOf(this.shape(left)));
    for (const { pointer, axes: own } of parts) {
      const shape = this.shape(own);
      const read = this.engine.memory.f64(pointer, sizeOf(shape));
      walk(this.shape(left), [stridesIn({ scope: own, shape }, left)], (index, [at]) => {
        values[index] += read[at];
      });
    }
    let place = largestPlace(values);
    for (const variable of left.toReversed()) {
      states[variable] = place % this.cardinalities[variable];
      place = Math.floor(place / this.cardinalities[variable]);
    }
    for (const kept of tables) this.free(kept);
  }

  /** The same where zeros are left out. */
  private async *chooseSparse(clique: Task): AsyncGenerator<void> {
    const { axes, own, outer, children } = clique;
    const states = this.answer.states!;
    const tables = this.place(clique);
    const given = [...tables, ...children.map((child) => this.up[child]!)];
    const shared = axes.length - own;
    const fixed = new Map<number, readonly [first: number, count: number]>();
    for (const [k, axis] of axes.slice(0, outer).entries()) {
      if (k >= shared) {
        const best = this.keep([axis], true);
        yield* this.sweep(clique, given, [best], true, fixed);
        states[axis] = largestPlace(this.values(best));
        this.free(best);
      }
      fixed.set(axis, [states[axis], 1]);
    }
    const left = axes.slice(outer);
    const best = this.keep(left, true);
    yield* this.sweep(clique, given, [best], true, fixed);
    // The states of those that are shared are chosen already.
    let [place, high] = [-1, -Infinity];
    const shape = this.shape(left);
    const values = this.values(best);
    const strides = stridesIn({ scope: left, shape }, left);
    const stateAt = (at: number, k: number): number => Math.floor(at / strides[k]) % shape[k];
    for (let at = 0; at < values.length; at++) {
      if (values[at] <= high || left.some((axis, k) => outer + k < shared && stateAt(at, k) !== states[axis])) continue;
      [place, high] = [at, values[at]];
    }
    for (const [k, axis] of left.entries()) states[axis] = stateAt(place, k);
    this.free(best);
    for (const kept of tables) this.free(kept);
  }

  /** The part of a table where the states of some variables, its slowest axes among them, are those that were chosen. */
  private at(kept: Kept, chosen: readonly number[]): Placed {
    const shape = this.shape(kept.axes);
    const strides = stridesIn({ scope: kept.axes, shape }, chosen);
    const offset = chosen.reduce((sum, variable, k) => sum + strides[k] * this.answer.states![variable], 0);
    return { pointer: kept.pointer + 8 * offset, axes: kept.axes.filter((variable) => !chosen.includes(variable)) };
  }
}

/** ln(eᵃ + eᵇ). */
function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a];
  return low === -Infinity ? high : high + log(1 + exp(low - high));
}

/**
 * Pieces of a large clique, the same at any number of workers: ranges of states of outer axes that all large outputs have, so that each piece writes its own
 * part of these.
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

/** Outer states of a block that were swept. */
const swept = (block: CliqueBlock | SparseBlock, upTo: number): number =>
  block instanceof CliqueBlock ? Math.min(block.blocks, upTo) : block.leaves;

function largestPlace(values: Float64Array): number {
  let place = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[place]) place = i;
  return place;
}

/** Consecutive axes with at most `most` joint states together, or one axis. */
function groups(axes: readonly number[], shape: readonly number[], most: number): number[][] {
  const found: number[][] = [];
  let size = Infinity;
  axes.forEach((axis, k) => {
    if (size * shape[k] > most) {
      found.push([]);
      size = 1;
    }
    found.at(-1)!.push(axis);
    size *= shape[k];
  });
  return found;
}
