/** Merges remarks on rows over several blocks, and formats them as lines. */
import type { Remark } from "ergodic";
import { inCommandLineTerms } from "../errors.ts";

/** Converts options in messages to command-line form: `drop: ["id"]` becomes `--drop id`. */
export const told = (remarks: readonly Remark[]): Remark[] =>
  remarks.map((remark) => ({ ...remark, message: inCommandLineTerms(remark.message) }));

/** Remarks on one file that is read in blocks. Row counts of the same kind and column are added. */
export class Remarks {
  readonly #found = new Map<string, Remark>();
  #rows = 0;

  /** Adds the remarks on `rowCount` more rows. */
  add(rowCount: number, remarks: readonly Remark[]): void {
    this.#rows += rowCount;
    for (const remark of remarks) {
      const key = `${remark.kind} ${remark.column ?? ""}`;
      this.#found.set(key, { ...remark, rows: remark.rows + (this.#found.get(key)?.rows ?? 0) });
    }
  }

  get all(): Remark[] {
    return told([...this.#found.values()]).map((remark) => {
      // Returned rows do not include skipped rows and comments, so their number is added.
      const of = this.#rows + (remark.kind === "skipped" || remark.kind === "comment" ? remark.rows : 0);
      return { ...remark, of, message: remark.message.replace(/^\d+ of \d+/, `${remark.rows} of ${of}`) };
    });
  }
}
