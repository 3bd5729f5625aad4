import { type ArrayPlan, countAt, type PlanProgram, planAt } from "../../engine/memory/array-plan.ts";
import { refuseWork } from "../limits.ts";
import type { PlanBuffer } from "./buffers.ts";
import { checkProgram } from "./check.ts";
import { workOf } from "./work.ts";

export interface PlanProgramsParts {
  readonly plan: ArrayPlan;
  readonly buffers: readonly PlanBuffer[];
  /** Largest work per row. */
  readonly maxWork: number;
  readonly where: string;
}

interface Kept {
  readonly rows: number;
  readonly program: PlanProgram<number>;
  isChecked: boolean;
}

/**
 * Number of programs that are cached. The programs for one row and for a whole chunk are each used several times while
 * a plan is prepared.
 */
const KEPT = 2;

/** Cache of a plan's programs for batches. The most recently used programs stay in the cache. */
export class PlanPrograms {
  readonly #parts: PlanProgramsParts;
  #kept: readonly Kept[] = [];

  constructor(parts: PlanProgramsParts) {
    this.#parts = parts;
  }

  /** Returns an unchecked program, for callers that only need the sizes of its values. */
  at(rows: number): PlanProgram<number> {
    return this.#of(rows).program;
  }

  /**
   * Returns a checked program, ready to run.
   *
   * @throws DataError if it is inconsistent, or takes more work than `maxWork` per row
   */
  checked(rows: number): PlanProgram<number> {
    const kept = this.#of(rows);
    if (!kept.isChecked) this.#check(kept.program, rows);
    kept.isChecked = true;
    return kept.program;
  }

  #of(rows: number): Kept {
    const kept = this.#kept.find((one) => one.rows === rows) ?? {
      rows,
      program: planAt(this.#parts.plan, rows),
      isChecked: false,
    };
    this.#kept = [kept, ...this.#kept.filter((one) => one !== kept)].slice(0, KEPT);
    return kept;
  }

  #check(program: PlanProgram<number>, rows: number): void {
    const { plan, buffers, maxWork, where } = this.#parts;
    const elementBytes = plan.precision === "f64" ? 8 : 4;
    const rooms = new Map(buffers.map(({ name, size, isWritten }) => [name, { size: countAt(size, rows), isWritten }]));
    checkProgram(program, rooms, elementBytes, where);
    refuseWork(workOf(program, elementBytes, where) / rows, maxWork, where);
  }
}
