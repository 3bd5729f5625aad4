import type { RawRows } from "../raw.ts";
import type { RowSource, Shape, SourceStep } from "../rows.ts";

/** What a pipeline's first step offers: it opens raw rows. Its target and weights are read by `target.ts`. */
export interface Source<S extends SourceStep> {
  readonly kind: S["kind"];
  /** What the rows look like. @throws DataError if the step contradicts itself */
  output(step: S): Shape;
  /** `where` opens errors. @throws DataError if the raw rows do not fit */
  open(step: S, raw: RawRows, where: string): RowSource;
}
