import type { Engine } from "../../engine/memory/engine.ts";
import { stream } from "../../engine/random/stream.ts";
import { joinSmall, sizeOf, stridesIn, type Table, walk } from "../parts/factor-table.ts";
import { outerAxes, SparseBlock, type SparseWork } from "./clique-block.ts";
import { type Clique, treeCost } from "./junction-tree.ts";
import { allocateSupport, type Support, supportBytes, supportOf } from "./support.ts";

/** Cardinalities and tables of a part, from which the part's zeros follow. */
interface Tables {
  readonly cardinalities: readonly number[];
  readonly tables: readonly Table[];
}

/** Largest number of inner states per block if a clique's zeros are skipped. */
const INNER = 32;
/**
 * Tables that restrict a clique's states are merged by multiplication as long as the product has at most this many
 * entries.
 */
const JOINED = 2 ** 10;
/** Number of states drawn at random per clique, and number of cliques examined. */
const DRAWN = 512;
const CLIQUES = 32;
/** Number of walk steps per call: a few milliseconds of work. */
const CALL_STEPS = 1 << 18;
/**
 * Overhead per block, and cost of a step in a counting walk. Both are in units of the cost of one state. The cost
 * includes a margin for the later walks.
 */
const LEAF = 20;
const STEP = 32;
/** Trees with fewer states are swept in a few milliseconds, so supports are not tried. */
const SMALL = 2 ** 20;
/**
 * Supports are searched for only if the tables rule out enough outer states: at most this share may remain possible.
 */
const MOST_SHARE = 0.5;

/**
 * Restrictions on the outer states of a clique. A restriction rules out states for which some table is certainly 0.
 * Every table with at least two of the outer variables contributes, even a table of another clique, because a zero in
 * any table makes the whole product 0.
 */
export class Restrictions {
  private readonly cardinalities: readonly number[];
  /** Tables with zeros, as indicators: 1 where an entry is positive. */
  private readonly bits: readonly Table[];
  /** Indices of these tables, by variable. */
  private readonly around: readonly (readonly number[])[];

  constructor({ cardinalities, tables }: Tables) {
    this.cardinalities = cardinalities;
    const zero = ({ logs }: Table): number => (logs ? -Infinity : 0);
    this.bits = tables
      .filter((table) => table.values.includes(zero(table)))
      .map((table) => bitsOn(table.scope, table.shape, (at) => table.values[at] > zero(table)));
    const around: number[][] = cardinalities.map(() => []);
    for (const [number, { scope }] of this.bits.entries()) for (const variable of scope) around[variable].push(number);
    this.around = around;
  }

  /** Returns the restrictions on these axes, in the axes' order. */
  on(axes: readonly number[]): Table[] {
    const places = new Map(axes.map((variable, k) => [variable, k]));
    const inOrder = (variables: Iterable<number>): number[] => [...variables].sort((a, b) => places.get(a)! - places.get(b)!);
    const found: Table[] = [];
    for (const number of new Set(axes.flatMap((variable) => this.around[variable]))) {
      const table = this.bits[number];
      const scope = inOrder(table.scope.filter((variable) => places.has(variable)));
      if (scope.length < 2) continue;
      const projected = this.project(table, scope);
      if (projected.values.includes(0)) found.push(projected);
    }
    return joinSmall(found, JOINED, inOrder);
  }

  private project(table: Table, scope: readonly number[]): Table {
    const shape = scope.map((variable) => this.cardinalities[variable]);
    const made = bitsOn(scope, shape, () => false);
    walk(table.shape, [stridesIn(made, table.scope)], (index, [at]) => {
      if (table.values[index] > 0) made.values[at] = 1;
    });
    return made;
  }
}

function bitsOn(scope: readonly number[], shape: readonly number[], bit: (at: number) => boolean): Table {
  const values = Float64Array.from({ length: sizeOf(shape) }, (_, at) => (bit(at) ? 1 : 0));
  return { scope, shape, values, logs: false, scale: 0, range: 0 };
}

/** Set of a clique's states that zeros do not rule out. */
export interface CliqueSupport {
  /** Number of outer axes. */
  readonly outer: number;
  /** Number of outer states reached. */
  readonly leaves: number;
  /** Support of the message that the clique sends to its parent. */
  readonly message: Support;
  /** Restrictions that tables impose on outer axes. */
  readonly restricting: readonly Support[];
}

/**
 * States of the cliques in a junction tree, except states that are certainly 0 according to the tables and the cliques
 * below.
 */
export class TreeSupports {
  /** Number of remaining joint states of all cliques. */
  states = 0;
  /** Cost of sweeping these states, measured in states of a dense sweep. */
  work = 0;
  /** Number of bytes in the messages and in all supports. */
  bytes = 0;
  /** Whether some clique has no remaining states. */
  impossible = false;
  readonly cliques: CliqueSupport[] = [];
  private readonly tree: readonly Clique[];
  private readonly cardinalities: readonly number[];
  private readonly engine: Engine;
  private readonly restrictions: Restrictions;
  private readonly inner: number;
  private held: { dispose(): void }[] = [];

  /** `inner` is the largest number of states per block. */
  constructor(tree: readonly Clique[], part: Tables, engine: Engine, inner = INNER) {
    this.tree = tree;
    this.cardinalities = part.cardinalities;
    this.engine = engine;
    this.inner = inner;
    this.restrictions = new Restrictions(part);
  }

  /**
   * Draws random outer states of the largest cliques, and returns the share of these states that tables leave possible.
   */
  openShare(): number {
    const draws = stream(0, "open share").at(0);
    const largest = this.tree
      .map(({ axes }) => ({ axes, size: sizeOf(this.shape(axes)) }))
      .sort((a, b) => b.size - a.size)
      .slice(0, CLIQUES);
    let [open, total] = [0, 0];
    for (const { axes, size } of largest) {
      const shape = this.shape(axes);
      const outer = axes.slice(0, outerAxes(shape, this.inner));
      const tables = this.restrictions.on(outer).map((table) => ({ values: table.values, strides: stridesIn(table, outer) }));
      let left = DRAWN;
      for (let n = 0; n < DRAWN && tables.length > 0; n++) {
        const states = outer.map((_, k) => draws.integer(shape[k]));
        const closed = tables.some(
          ({ values, strides }) => values[states.reduce((at, state, k) => at + state * strides[k], 0)] === 0,
        );
        if (closed) left--;
      }
      open += (size * left) / DRAWN;
      total += size;
    }
    return open / total;
  }

  /**
   * Finds the supports from the leaves to the roots. Gives up and returns false once the work exceeds `mostWork` or the
   * messages exceed `memory`.
   */
  async *find({ mostWork, memory }: { mostWork: number; memory: number }): AsyncGenerator<void, boolean> {
    for (const clique of this.tree) {
      const { axes, own, parent, children } = clique;
      const shape = this.shape(axes);
      const outer = outerAxes(shape, this.inner);
      const restricting = this.restrictions.on(axes.slice(0, outer)).map((table) => supportOf(this.engine.memory, table));
      this.held.push(...restricting.map(({ allocation }) => allocation));
      const supports = [...restricting, ...children.map((child) => this.cliques[child].message)];
      const counting = this.block(clique, outer, { supports });
      const states = sizeOf(shape.slice(outer));
      const work = (leaves: number, steps: number): number => this.work + Math.max(leaves * (states + LEAF), steps * STEP);
      let steps = 0;
      for await (const went of this.walk("cliqueSupportCount", counting)) {
        steps += went;
        yield;
        if (work(counting.leaves, steps) > mostWork) return this.giveUp();
      }
      const { leaves } = counting;
      this.work = work(leaves, steps);
      this.states += leaves * states;
      const shared = axes.slice(0, axes.length - own);
      const kept = shared.slice(0, outer).filter((variable) => parent >= 0 && this.isOuter(parent, variable));
      const nodes = [Math.min(1, leaves), ...counting.prefixes(outer + 1).slice(1)];
      const blocks = nodes[kept.length];
      this.bytes += restricting.reduce((sum, { allocation }) => sum + allocation.bytes, 0);
      this.bytes += supportBytes(this.shape(kept), nodes) + 8 * blocks * sizeOf(this.shape(shared.slice(kept.length)));
      if (this.bytes > memory) return this.giveUp();
      const message = allocateSupport(this.engine.memory, kept, this.shape(kept), nodes, blocks);
      this.held.splice(0, restricting.length);
      this.cliques.push({ outer, leaves, message, restricting });
      if (kept.length > 0)
        for await (const _ of this.walk("cliqueSupportBuild", this.block(clique, outer, { supports, built: message }))) yield;
      this.release();
      this.impossible = leaves === 0;
      if (this.impossible) break;
    }
    return true;
  }

  /** Calls the kernel until the walk is complete. Yields the number of steps that each call took. */
  private async *walk(kernel: string, { pointer }: SparseBlock): AsyncGenerator<number> {
    for (let went = CALL_STEPS; went === CALL_STEPS; ) {
      [went] = await this.engine.run([{ kernel, args: [pointer, CALL_STEPS] }], { workers: 1, deterministic: false });
      yield went;
    }
  }

  private block({ axes }: Clique, outer: number, work: SparseWork): SparseBlock {
    const block = new SparseBlock(this.engine.memory, axes, this.shape(axes), outer, work);
    this.held.push(block);
    return block;
  }

  private shape(axes: readonly number[]): number[] {
    return axes.map((variable) => this.cardinalities[variable]);
  }

  private isOuter(number: number, variable: number): boolean {
    const { axes } = this.tree[number];
    return axes.indexOf(variable) < outerAxes(this.shape(axes), this.inner);
  }

  private release(): void {
    for (const piece of this.held.splice(0)) piece.dispose();
  }

  private giveUp(): false {
    this.dispose();
    return false;
  }

  dispose(): void {
    this.release();
    for (const { message, restricting } of this.cliques.splice(0))
      for (const { allocation } of [message, ...restricting]) allocation.dispose();
  }
}

/**
 * Returns the supports to search for, or undefined if skipping zeros is unlikely to pay. Skipping zeros pays if a full
 * sweep of the tree takes more than a few milliseconds and the tables rule out most of its states.
 */
export function supportsToTry(tree: readonly Clique[], part: Tables, engine: Engine): TreeSupports | undefined {
  if (treeCost(tree, part.cardinalities).total < SMALL) return undefined;
  const supports = new TreeSupports(tree, part, engine);
  return supports.openShare() <= MOST_SHARE ? supports : undefined;
}
