import type { RawRows } from "../raw.ts";
import type { RowSource, Shape, SourceStep } from "../rows.ts";

/** First step of a pipeline, which reads raw rows. Target and weights are read by `target.ts`. */
export interface Source<S extends SourceStep> {
  readonly kind: S["kind"];
  /** Returns the shape of the rows. @throws DataError if the step is inconsistent */
  output(step: S): Shape;
  /** Opens raw rows. `where` prefixes errors. @throws DataError if the raw rows do not fit */
  open(step: S, raw: RawRows, where: string): RowSource;
}
