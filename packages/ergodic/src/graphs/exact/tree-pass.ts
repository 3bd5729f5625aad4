import { assert } from "../../engine/errors/errors.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { joinSmall, MOST_RANGE, reorder, sizeOf, stridesIn, type Table, walk, widen } from "../parts/factor-table.ts";
import { outerAxes, type Placed } from "./clique-block.ts";
import { CliqueSweeps, type Task } from "./clique-sweeps.ts";
import type { Clique } from "./junction-tree.ts";
import { type Kept, MessageStore } from "./message-store.ts";
import type { TreeSupports } from "./tree-supports.ts";

/** Type of a pass: sums with marginals of all variables, sums only, or maxima. */
export type PassKind = "marginals" | "partition" | "map";

/** Result of the passes over a tree. */
export interface TreeAnswer {
  /**
   * ln of the sum (or maximum) over all states. The value of a state is the product of the tables. −∞ if no state is
   * possible.
   */
  logValue: number;
  /** Probabilities of each variable's states. */
  marginals?: Float64Array[];
  /** State of each variable in one of the best joint states. */
  states?: Int32Array;
}

/** Inputs that are multiplied in a clique. */
interface Inputs {
  readonly inputs: Kept[];
  /** Inputs to free afterwards. */
  readonly temporary: Kept[];
  readonly logs: boolean;
  readonly scale: number;
  /** Bound on the loss of a product due to underflow. */
  readonly lost: number;
}

/** Largest product that might underflow to 0, including a safety margin. */
const UNDERFLOW = 1e-305;
/** Largest tolerated relative loss. */
const MOST_LOST = 1e-14;

/**
 * Small tables are merged by multiplication as long as the product has at most this many entries. Such products fit in
 * the second-level cache.
 */
const JOINED = 2 ** 14;
/** Largest number of joint states of a group of variables. The marginals of a group are collected in one sweep. */
const JOINT = 256;
/** Largest number of joint states among which one step searches for the best state. */
const CHOSEN_AT_ONCE = 4096;

/**
 * Message passing over a junction tree (Shenoy and Shafer 1990). Messages back to the leaves use division, as in Hugin.
 * To compute the message towards the root, a clique multiplies its tables and the messages that it received. It then
 * sums the product over the variables that it eliminates. To compute the message back to a child, the clique sums its
 * product over all variables that the child lacks. It then divides the sums by the child's message (0/0 = 0). Cliques
 * are not stored; a second sweep recomputes them. For "map", a maximum over logarithms replaces Σ, and the best states
 * are read off on the way back.
 *
 * Underflow: tables and messages are scaled to a largest entry of 1. If the ranges of a clique's inputs add up to more
 * than MOST_RANGE, products below UNDERFLOW can become 0. The pass bounds this loss at every step, relative to a
 * message's largest entry or a clique's total mass. If the loss can exceed MOST_LOST, the pass ends with `lost` set. A
 * `careful` pass avoids underflow by using logarithms in such cliques.
 */
export class TreePass {
  readonly answer: TreeAnswer = { logValue: 0 };
  /** Whether underflow might have lost too much mass. The answer is then invalid, and a careful pass is needed. */
  lost = false;
  private readonly cliques: readonly Task[];
  private readonly cardinalities: readonly number[];
  private readonly tables: readonly Table[];
  private readonly engine: Engine;
  private readonly kind: PassKind;
  private readonly careful: boolean;
  private readonly impossible: boolean;
  private readonly store: MessageStore;
  private readonly sweeps: CliqueSweeps;
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
    this.impossible = supports?.impossible ?? false;
    this.cardinalities = part.cardinalities;
    this.store = new MessageStore(engine, part.cardinalities);
    this.sweeps = new CliqueSweeps(this.store, engine, { best: kind === "map", workers });
    this.cliques = cliques.map((clique, number) => {
      const left = supports?.cliques[number];
      return { ...clique, left, outer: left?.outer ?? outerAxes(this.store.shape(clique.axes)) };
    });
    this.tables = part.tables;
    this.kind = kind;
    this.engine = engine;
    this.up = cliques.map(() => undefined);
    this.down = cliques.map(() => undefined);
  }

  /** Number of joint states swept so far. */
  get swept(): number {
    return this.sweeps.swept;
  }

  /** Performs the whole pass, one engine call at a time. */
  async *work(): AsyncGenerator<void> {
    const { cliques, answer, kind } = this;
    if (this.impossible) {
      answer.logValue = -Infinity;
      return;
    }
    for (const [number, clique] of cliques.entries()) {
      // The way back sweeps a root anyway, and the root's mass gives the total.
      if (kind === "marginals" && clique.parent < 0) continue;
      yield* this.collect(clique, number);
      const message = this.up[number]!;
      // A root's message is the total. In other messages, even a small entry might still be needed.
      this.lost ||= clique.parent < 0 ? message.lost > MOST_LOST : message.range === -Infinity && message.lost > 0;
      if (this.lost) return;
      if (message.range === -Infinity) {
        answer.logValue = -Infinity;
        return;
      }
      if (clique.parent < 0) answer.logValue += message.scale + (message.logs ? this.store.values(message)[0] : 0);
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
    this.sweeps.dispose();
    this.store.dispose();
  }

  private drop(messages: (Kept | undefined)[], number: number): void {
    const message = messages[number];
    if (message) this.store.free(message);
    messages[number] = undefined;
  }

  /**
   * Returns the clique's tables with axes in the clique's order. Small tables are merged by multiplication, so that
   * fewer tables are read per state.
   */
  private place({ axes, scopes, outer }: Task): Kept[] {
    const places = new Map(axes.map((variable, k) => [variable, k]));
    const inOrder = (variables: Iterable<number>): number[] => [...variables].sort((a, b) => places.get(a)! - places.get(b)!);
    const tables = scopes.map((number) => reorder(this.tables[number], inOrder(this.tables[number].scope)));
    const most = Math.min(JOINED, sizeOf(this.store.shape(axes)) / 8);
    const joined = this.kind === "map" ? tables : joinSmall(tables, most, inOrder);
    // Tables are repeated along missing inner axes, because a sweep reads a table with all inner axes in a single
    // stream.
    const inner = axes.slice(outer);
    const widened = joined.map((table) => {
      const scope = inOrder(new Set([...table.scope, ...inner]));
      return scope.length > table.scope.length && sizeOf(this.store.shape(scope)) <= most
        ? widen(table, scope, this.store.shape(scope))
        : table;
    });
    return widened.map(({ scope, values, logs, scale, range }) => {
      const kept = this.store.keep(scope, false);
      const asLogs = this.kind === "map" && !logs;
      this.store.values(kept).set(asLogs ? values.map((value) => log(value)) : values);
      return Object.assign(kept, { logs: logs || asLogs, scale, range });
    });
  }

  /** Returns the tables and messages to multiply, either all as plain numbers or all as logarithms. */
  private inputs(clique: Task, more: readonly Kept[]): Inputs {
    const tables = this.place(clique);
    const given = [...tables, ...more];
    if (given.length === 0) {
      const one = this.store.keep([], false);
      this.store.values(one)[0] = this.kind === "map" ? 0 : 1;
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
      const made = this.store.asLogs(kept);
      temporary.push(made);
      return made;
    });
    return { inputs, temporary, logs, scale, lost };
  }

  private async *collect(clique: Task, number: number): AsyncGenerator<void> {
    const { axes, own, children } = clique;
    const received = children.map((child) => this.up[child]!);
    const { inputs, temporary, logs, scale, lost } = this.inputs(clique, received);
    const message = this.store.keep(axes.slice(0, axes.length - own), logs, clique.left?.message);
    yield* this.sweeps.sweep(clique, inputs, [message], logs);
    for (const kept of temporary) this.store.free(kept);
    message.scale = scale;
    const high = this.store.settle(message, this.kind === "map");
    if (lost > 0) message.lost = (lost * sizeOf(this.store.shape(axes.slice(axes.length - own)))) / (logs ? exp(high) : high);
    this.up[number] = message;
  }

  private async *distribute(clique: Task, number: number): AsyncGenerator<void> {
    const { children, axes, own } = clique;
    const received = this.down[number];
    const sent = children.map((child) => this.up[child]!);
    const { inputs, temporary, logs, scale, lost } = this.inputs(clique, received ? [...sent, received] : sent);
    const back = children.map((child) => this.store.keep(this.up[child]!.axes, logs, this.up[child]!.support));
    const mine = axes.slice(axes.length - own);
    const marginals = groups(mine, this.store.shape(mine), JOINT).map((group) => this.store.keep(group, logs));
    yield* this.sweeps.sweep(clique, inputs, [...back, ...marginals], logs);
    for (const kept of temporary) this.store.free(kept);
    // Earlier losses are relative to the total mass, whereas new losses are relative to each product.
    const before = received?.lost ?? 0;
    const first = this.store.values(marginals[0]);
    const largest = logs ? first.reduce((high, value) => Math.max(high, value), -Infinity) : 0;
    const mass = first.reduce((sum, value) => sum + (logs ? exp(value - Math.max(largest, -1e300)) : value), 0);
    const lostMass = before + (lost > before ? ((lost - before) * sizeOf(this.store.shape(axes))) / mass : 0);
    this.lost ||= !(lostMass <= MOST_LOST);
    if (clique.parent < 0) this.answer.logValue += scale + log(mass) + largest;
    if (this.lost || mass === 0) return;
    this.drop(this.down, number);
    for (const kept of marginals) this.normalise(kept);
    for (const [i, child] of children.entries()) {
      const [message, sent] = [back[i], this.up[child]!];
      assert(message.entries === sent.entries, "a message goes both ways over the same variables");
      const divisor = message.logs && !sent.logs ? this.store.asLogs(sent) : sent;
      // If the child had sent logarithms, this clique would use logarithms too.
      if (message.logs) this.engine.kernel("cliqueSubtract", false)(message.pointer, divisor.pointer, message.entries);
      else this.engine.kernel("cliqueDivide", false)(message.pointer, divisor.pointer, message.entries);
      if (divisor !== sent) this.store.free(divisor);
      this.drop(this.up, child);
      this.store.settle(message);
      // From here on, only ratios matter.
      message.scale = 0;
      message.lost = lostMass;
      this.down[child] = message;
    }
  }

  /** Computes the marginals of each variable from joint marginals of a few variables. */
  private normalise(kept: Kept): void {
    const high = this.store.settle(kept);
    const values = this.store.values(kept);
    const joint = kept.logs ? values.map((value) => exp(value - high)) : values;
    const total = joint.reduce((sum, value) => sum + value, 0);
    const shape = this.store.shape(kept.axes);
    const marginals = shape.map((count) => new Float64Array(count));
    let inside = joint.length;
    for (const [k, count] of shape.entries()) {
      inside /= count;
      joint.forEach((value, i) => {
        marginals[k][Math.floor(i / inside) % count] += value / total;
      });
      this.answer.marginals![kept.axes[k]] = marginals[k];
    }
    this.store.free(kept);
  }

  /**
   * Chooses the best states of the variables eliminated in this clique, given the other variables. As long as there are
   * many joint states, the method chooses one variable at a time. It then chooses all remaining variables jointly.
   */
  private async *choose(clique: Task): AsyncGenerator<void> {
    const { axes, own, children } = clique;
    const states = this.answer.states!;
    const tables = this.place(clique);
    const given = [...tables, ...children.map((child) => this.up[child]!)];
    let fixed = axes.length - own;
    for (; sizeOf(this.store.shape(axes.slice(fixed))) > CHOSEN_AT_ONCE; fixed++) {
      const left = axes.slice(fixed);
      const best = this.store.keep([axes[fixed]], true);
      yield* this.sweeps.sweep(
        { axes: left, outer: outerAxes(this.store.shape(left)) },
        given.map((kept) => this.at(kept, axes.slice(0, fixed))),
        [best],
        true,
      );
      states[axes[fixed]] = largestPlace(this.store.values(best));
      this.store.free(best);
    }
    const left = axes.slice(fixed);
    const parts = given.map((kept) => this.at(kept, axes.slice(0, fixed)));
    const values = new Float64Array(sizeOf(this.store.shape(left)));
    for (const { pointer, axes: own } of parts) {
      const shape = this.store.shape(own);
      const read = this.engine.memory.f64(pointer, sizeOf(shape));
      walk(this.store.shape(left), [stridesIn({ scope: own, shape }, left)], (index, [at]) => {
        values[index] += read[at];
      });
    }
    let place = largestPlace(values);
    for (const variable of left.toReversed()) {
      states[variable] = place % this.cardinalities[variable];
      place = Math.floor(place / this.cardinalities[variable]);
    }
    for (const kept of tables) this.store.free(kept);
  }

  /** Same as `choose`, with zeros skipped. */
  private async *chooseSparse(clique: Task): AsyncGenerator<void> {
    const { axes, own, outer, children } = clique;
    const states = this.answer.states!;
    const tables = this.place(clique);
    const given = [...tables, ...children.map((child) => this.up[child]!)];
    const shared = axes.length - own;
    const fixed = new Map<number, readonly [first: number, count: number]>();
    for (const [k, axis] of axes.slice(0, outer).entries()) {
      if (k >= shared) {
        const best = this.store.keep([axis], true);
        yield* this.sweeps.sweep(clique, given, [best], true, fixed);
        states[axis] = largestPlace(this.store.values(best));
        this.store.free(best);
      }
      fixed.set(axis, [states[axis], 1]);
    }
    const left = axes.slice(outer);
    const best = this.store.keep(left, true);
    yield* this.sweeps.sweep(clique, given, [best], true, fixed);
    // The states of the shared variables have been chosen already.
    let [place, high] = [-1, -Infinity];
    const shape = this.store.shape(left);
    const values = this.store.values(best);
    const strides = stridesIn({ scope: left, shape }, left);
    const stateAt = (at: number, k: number): number => Math.floor(at / strides[k]) % shape[k];
    for (let at = 0; at < values.length; at++) {
      if (values[at] <= high || left.some((axis, k) => outer + k < shared && stateAt(at, k) !== states[axis])) continue;
      [place, high] = [at, values[at]];
    }
    for (const [k, axis] of left.entries()) states[axis] = stateAt(place, k);
    this.store.free(best);
    for (const kept of tables) this.store.free(kept);
  }

  /**
   * Returns the slice of a table at the chosen states of some variables. These variables include the table's slowest
   * axes.
   */
  private at(kept: Kept, chosen: readonly number[]): Placed {
    const shape = this.store.shape(kept.axes);
    const strides = stridesIn({ scope: kept.axes, shape }, chosen);
    const offset = chosen.reduce((sum, variable, k) => sum + strides[k] * this.answer.states![variable], 0);
    return { pointer: kept.pointer + 8 * offset, axes: kept.axes.filter((variable) => !chosen.includes(variable)) };
  }
}

function largestPlace(values: Float64Array): number {
  let place = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[place]) place = i;
  return place;
}

/** Splits axes into consecutive groups. Each group has at most `most` joint states or is a single axis. */
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
