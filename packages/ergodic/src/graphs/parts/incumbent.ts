import type { JsonObject, Snapshot } from "../../engine/contract/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { isNumber, KeptPart } from "../../engine/loop/kept-part.ts";
import type { Draws } from "../../engine/random/stream.ts";
import type { PartAnswer } from "./algorithm.ts";
import type { JointState } from "./joint-state.ts";
import type { LogTables } from "./log-tables.ts";
import { positiveState } from "./positive-state.ts";
import { boundOf } from "./quick-bound.ts";

/** Best state found by a search, with a bound on all states. */
export class Incumbent {
  /** Whether a search for a state of positive product proved that there is none. */
  impossible = false;
  states: Int32Array | undefined;
  value = -Infinity;
  bound: { value: number; rounding: number } | undefined;
  private readonly variableCount: number;

  constructor(variableCount: number) {
    this.variableCount = variableCount;
  }

  /** Whether no state can be better. */
  get optimal(): boolean {
    return this.bound !== undefined && boundOf(this.value, this.bound) === this.value;
  }

  /** Whether no state has a positive product, as proved by the search for a start or by the bound. */
  private get none(): boolean {
    return this.impossible || this.bound?.value === -Infinity;
  }

  offer({ states, value }: JointState): void {
    if (!(value > this.value)) return;
    this.value = value;
    this.states = states.slice();
  }

  /**
   * Returns a random state in which no table is 0, or undefined if the search has ended.
   *
   * @throws CapabilityError if no such state has ever been found
   */
  *start(tables: LogTables, draws: Draws, where: string): Generator<void, Int32Array | undefined> {
    const start = yield* positiveState(tables, draws);
    if (start === "impossible") this.impossible = true;
    else if (!start && !this.states) throw noPositiveState(where);
    return start === "impossible" ? undefined : start;
  }

  answer(method: string): PartAnswer | undefined {
    if (this.none) return { method, map: { states: new Int32Array(this.variableCount), value: -Infinity, bound: -Infinity } };
    const { states, value, bound } = this;
    return states && { method, map: { states, value, ...(bound ? { bound: boundOf(value, bound) } : {}) } };
  }

  snapshot(more: JsonObject): Snapshot {
    const { states, value, bound, none } = this;
    return {
      tensors: states ? { best: states } : {},
      state: {
        ...{ ...more, impossible: none, value: states ? value : null },
        bound: bound && !none ? [bound.value, bound.rounding] : null,
      },
    };
  }

  restore(snapshot: Snapshot): KeptPart {
    const kept = new KeptPart("a search for the most probable state", snapshot);
    this.impossible = kept.flag("impossible");
    if (kept.has("best")) {
      this.states = kept.tensor("best", Int32Array, this.variableCount).slice();
      this.value = kept.number("value");
    }
    if (snapshot.state.bound !== null) {
      const [value, rounding] = kept.list("bound", isNumber, 2);
      this.bound = { value, rounding };
    }
    return kept;
  }
}

/** Returns the error for a part with so many zeros that a search finds no possible state. */
export const noPositiveState = (where: string): CapabilityError =>
  new CapabilityError(
    where,
    "no state was found in which all factors are above 0, nor a proof that none exists; use elimination(), or correct the factors that forbid most states",
    "GRAPH_ZEROS",
  );
