/** Execution settings of a run, and the types of its numbers. */

/** Number types for stored data. */
export type ElementType = "f32" | "f64" | "i16" | "i8";

/**
 * Number types for parameters. i16 is fixed point with unbiased rounding (Buckwild), within ±16. If a parameter reaches
 * ±16, the run ends with MODEL_SATURATED.
 */
export type ParameterType = "f32" | "f64" | "i16";

/** Execution settings of a run, shared by all algorithms. */
export interface Plan {
  /** Number of threads. */
  workers: number;
  /**
   * "shared": the workers update one model without locks (Hogwild). A number: this many copies of the model are
   * trained, and their parameters are averaged. With a number, the result is the same for any number of workers.
   */
  replicas: "shared" | number;
  /** "sharded": each replica sees its own rows. "replicated": each replica sees all rows. */
  data: "sharded" | "replicated";
  /** Number types of the data and of the parameters. */
  precision: { data: ElementType; model: ParameterType };
  /**
   * Order of rows: drawn uniformly with replacement, shuffled in each epoch, shuffled in blocks of adjacent rows, or as
   * stored.
   */
  schedule: "replacement" | "shuffled" | "blocks" | "ordered";
  /** Rows per block, for schedule "blocks". */
  blockRows: number;
  /** Rows per update. "all" computes the full gradient. */
  batch: number | "all";
  /** Number of epochs between averages of the replicas. Fractions are allowed. */
  averageEvery: number;
  /** Whether to use the plain SIMD build and fixed summation orders, so that every machine computes the same bytes. */
  deterministic: boolean;
  /** Seed of all random numbers in the run. */
  seed: number;
}
