import type { Engine } from "../../engine/memory/engine.ts";
import type { Allocation } from "../../engine/memory/memory.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import * as F from "../fields.ts";
import { MOST_RANGE, sizeOf } from "../parts/factor-table.ts";
import type { Placed } from "./clique-block.ts";
import { blockEntries, type Support } from "./support.ts";

/**
 * A table in the engine's memory. The entries of the table are e^scale · values. If the values are logarithms, there is
 * no scale.
 */
export interface Kept extends Placed {
  readonly allocation: Allocation;
  readonly entries: number;
  logs: boolean;
  scale: number;
  range: number;
  /**
   * Bound on the underflow loss. In messages from a parent, this bound is relative to the total mass. Elsewhere, the
   * bound is the loss per entry, relative to the largest entry (1).
   */
  lost: number;
}

/** Tables and messages of a pass, in the engine's memory. */
export class MessageStore {
  private readonly engine: Engine;
  private readonly cardinalities: readonly number[];
  private readonly held = new Set<Kept>();
  /** Memory in which a kernel returns the extremes of a message. */
  private extremes: Allocation | undefined;

  constructor(engine: Engine, cardinalities: readonly number[]) {
    this.engine = engine;
    this.cardinalities = cardinalities;
  }

  shape(axes: readonly number[]): number[] {
    return axes.map((variable) => this.cardinalities[variable]);
  }

  values({ pointer, entries }: Kept): Float64Array {
    return this.engine.memory.f64(pointer, entries);
  }

  keep(axes: readonly number[], logs: boolean, support?: Support): Kept {
    const shape = this.shape(axes);
    const entries = support ? support.blocks * blockEntries(shape, support) : sizeOf(shape);
    const allocation = this.engine.memory.allocate(entries * 8, "messages of a junction tree");
    const kept = { allocation, pointer: allocation.pointer, entries, axes, support, logs, scale: 0, range: 0, lost: 0 };
    this.held.add(kept);
    if (logs) this.values(kept).fill(-Infinity);
    return kept;
  }

  free(kept: Kept): void {
    if (this.held.delete(kept)) kept.allocation.dispose();
  }

  asLogs(kept: Kept): Kept {
    const made = this.keep(kept.axes, true, kept.support);
    const [from, to] = [this.values(kept), this.values(made)];
    for (let i = 0; i < from.length; i++) to[i] = log(from[i]);
    return Object.assign(made, { range: kept.range, lost: kept.lost });
  }

  /**
   * Scales an output so that its largest entry is 1, and measures its range. Returns the largest entry before scaling.
   * With `best`, the entries are logarithms and are not scaled.
   */
  settle(kept: Kept, best = false): number {
    const { engine } = this;
    this.extremes ??= engine.memory.allocate(F.CLIQUE_BYTES, "cliques");
    const { pointer } = this.extremes;
    const high = engine.kernel("cliqueExtremes", false)(kept.pointer, kept.entries, pointer, kept.logs ? 1 : 0);
    const low = engine.memory.f64(pointer + F.CLIQUE_LOW_F64, 1)[0];
    const none = kept.logs ? high === -Infinity : high === 0;
    kept.range = none ? -Infinity : kept.logs ? high - low : log(high) - log(low);
    if (none || best) return high;
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

  dispose(): void {
    this.extremes?.dispose();
    for (const { allocation } of this.held) allocation.dispose();
    this.held.clear();
  }
}
