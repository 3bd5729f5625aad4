import { stream } from "../../base/stream.ts";
import type { Engine } from "../../host/engine.ts";
import { joinSmall, sizeOf, stridesIn, type Table, walk } from "../inference/table.ts";
import { outerAxes, SparseBlock } from "./clique-block.ts";
import type { Clique } from "./junction-tree.ts";
import { allocateSupport, type Support, supportBytes, supportOf } from "./support.ts";

/** What is known of zeros before anything is computed: cardinalities and tables of a part. */
interface Tables {
  readonly cardinalities: readonly number[];
  readonly tables: readonly Table[];
}

/** Inner states of a block of a clique whose zeros are left out. */
const INNER = 32;
/** Entries of tables that restrict a clique's states, multiplied with each other. */
const JOINED = 2 ** 12;
/** States of a clique that are drawn at random. */
const DRAWN = 512;
/** Steps of a walk in one call: some milliseconds. */
const CALL_STEPS = 1 << 18;

/**
 * Which outer states of a clique may have a product other than 0, as each table can tell that has at least two of them: also tables of other cliques,
 * since what these rule out is multiplied by 0 there.
 */
export class Restrictions {
  private readonly cardinalities: readonly number[];
  /** Tables with zeros: 1 where they are positive. */
  private readonly bits: readonly Table[];
  /** By variable, the numbers of these tables. */
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

  /** On axes among these, in their order. */
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

/** The share of the outer states of all cliques that tables leave, about: from random ones. */
export function openShare(cliques: readonly Clique[], part: Tables): number {
  const restrictions = new Restrictions(part);
  const draws = stream(0, "open share").at(0);
  const sizes = cliques.map(({ axes }) => sizeOf(axes.map((variable) => part.cardinalities[variable])));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let open = 0;
  for (const [number, { axes }] of cliques.entries()) {
    // Small ones count as open.
    let left = DRAWN;
    if (sizes[number] * 1000 > total) {
      const shape = axes.map((variable) => part.cardinalities[variable]);
      const outer = axes.slice(0, outerAxes(shape, INNER));
      const tables = restrictions.on(outer).map((table) => ({ values: table.values, strides: stridesIn(table, outer) }));
      for (let n = 0; n < DRAWN && tables.length > 0; n++) {
        const states = outer.map((_, k) => draws.integer(shape[k]));
        const closed = tables.some(
          ({ values, strides }) => values[states.reduce((at, state, k) => at + state * strides[k], 0)] === 0,
        );
        if (closed) left--;
      }
    }
    open += (sizes[number] * left) / DRAWN;
  }
  return open / total;
}

/** What is left of a clique's states. */
export interface CliqueSupport {
  /** How many of its axes are outer ones. */
  readonly outer: number;
  /** Outer states that are reached. */
  readonly leaves: number;
  /** Of the message to the parent. */
  readonly message: Support;
}

/** The states of a junction tree's cliques that are not zero for certain, from the leaves to the roots. */
export class TreeSupports {
  /** Joint states that are left, of all cliques. */
  states = 0;
  /** Of messages, and of their supports. */
  bytes = 0;
  /** Nothing is left of one of them. */
  impossible = false;
  readonly cliques: CliqueSupport[] = [];
  private readonly engine: Engine;
  private readonly restrictions: Restrictions;

  constructor(part: Tables, engine: Engine) {
    this.engine = engine;
    this.restrictions = new Restrictions(part);
  }

  /** What tables say about outer axes, as supports; the caller disposes them. */
  restricting(axes: readonly number[]): Support[] {
    return this.restrictions.on(axes).map((table) => supportOf(this.engine.memory, table));
  }

  dispose(): void {
    for (const { message } of this.cliques) message.allocation.dispose();
    this.cliques.length = 0;
  }
}

/**
 * The supports of a junction tree; undefined as soon as they leave more than `mostStates` joint states, or messages of more than `memory` bytes.
 * `inner`: states of a block at most.
 */
export async function* findSupports(
  cliques: readonly Clique[],
  part: Tables,
  engine: Engine,
  { mostStates, memory, inner = INNER }: { mostStates: number; memory: number; inner?: number },
): AsyncGenerator<void, TreeSupports | undefined> {
  const shapeOf = (axes: readonly number[]): number[] => axes.map((variable) => part.cardinalities[variable]);
  const found = new TreeSupports(part, engine);
  const outers = cliques.map(({ axes }) => outerAxes(shapeOf(axes), inner));
  const held: { dispose(): void }[] = [];
  let complete = false;
  try {
    for (const [number, { axes, own, parent, children }] of cliques.entries()) {
      const shape = shapeOf(axes);
      const outer = outers[number];
      const restricting = found.restricting(axes.slice(0, outer));
      held.push(...restricting.map(({ allocation }) => allocation));
      const supports = [...restricting, ...children.map((child) => found.cliques[child].message)];
      const states = sizeOf(shape.slice(outer));
      const counting = new SparseBlock(engine.memory, axes, shape, outer, { supports });
      held.push(counting);
      let steps = 0;
      for (let went = CALL_STEPS; went === CALL_STEPS; steps += went) {
        went = (await engine.run([{ kernel: "cliqueSupportCount", args: [counting.pointer, CALL_STEPS] }], ONE))[0];
        yield;
        // A step takes about as long as eight states.
        if (found.states + Math.max(counting.leaves * states, steps * 8) > mostStates) return undefined;
      }
      found.states += counting.leaves * states;
      const shared = axes.slice(0, axes.length - own);
      const theirs = parent < 0 ? [] : cliques[parent].axes.slice(0, outers[parent]);
      const kept = shared.filter((variable, k) => k < outer && theirs.includes(variable)).length;
      const nodes = [Math.min(1, counting.leaves), ...counting.prefixes(kept + 1).slice(1)];
      const levels = shape.slice(0, kept);
      found.bytes += supportBytes(levels, nodes) + nodes[kept] * sizeOf(shape.slice(kept, shared.length)) * 8;
      if (found.bytes > memory) return undefined;
      const message = allocateSupport(engine.memory, shared.slice(0, kept), levels, nodes, nodes[kept]);
      found.cliques.push({ outer, leaves: counting.leaves, message });
      if (kept > 0) {
        const building = new SparseBlock(engine.memory, axes, shape, outer, { supports, built: message });
        held.push(building);
        for (let went = CALL_STEPS; went === CALL_STEPS; yield)
          went = (await engine.run([{ kernel: "cliqueSupportBuild", args: [building.pointer, CALL_STEPS] }], ONE))[0];
      }
      found.impossible = counting.leaves === 0;
      for (const piece of held.splice(0)) piece.dispose();
      if (found.impossible) break;
    }
    complete = true;
    return found;
  } finally {
    for (const piece of held) piece.dispose();
    if (!complete) found.dispose();
  }
}

const ONE = { workers: 1, deterministic: false };
