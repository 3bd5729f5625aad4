/** Remarks on rows: those of blocks, taken together, and as lines. */
import type { Remark } from "ergodic";
import { inCommandLineTerms } from "../errors.ts";

/** As they are said on a command line: `drop: ["id"]` is `--drop id` there. */
export const told = (remarks: readonly Remark[]): Remark[] =>
  remarks.map((remark) => ({ ...remark, message: inCommandLineTerms(remark.message) }));

/** Of one file that is read in blocks: rows of the same kind and column are added up. */
export class Remarks {
  readonly #found = new Map<string, Remark>();
  #rows = 0;

  /** Those of `rowCount` rows more. */
  add(rowCount: number, remarks: readonly Remark[]): void {
    this.#rows += rowCount;
    for (const remark of remarks) {
      const key = `${remark.kind} ${remark.column ?? ""}`;
      this.#found.set(key, { ...remark, rows: remark.rows + (this.#found.get(key)?.rows ?? 0) });
    }
  }

  get all(): Remark[] {
    return told([...this.#found.values()]).map((remark) => {
      // Rows and comments that were skipped are none of those that were given.
      const of = this.#rows + (remark.kind === "skipped" || remark.kind === "comment" ? remark.rows : 0);
      return { ...remark, of, message: remark.message.replace(/^\d+ of \d+/, `${remark.rows} of ${of}`) };
    });
  }
}
