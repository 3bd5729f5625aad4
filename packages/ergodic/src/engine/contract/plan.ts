/** How a run executes, and the types of its numbers. */

/** Types of stored data. */
export type ElementType = "f32" | "f64" | "i16" | "i8";

/** Parameters: i16 is fixed point with unbiased rounding (Buckwild), within ±16; a run in which one reaches that ends with MODEL_SATURATED. */
export type ParameterType = "f32" | "f64" | "i16";

/** How a run executes; the same object for every algorithm. */
export interface Plan {
  /** Threads. */
  workers: number;
  /** "shared": the workers race on one model (Hogwild). A number: that many copies, averaged; the same answer at any number of workers. */
  replicas: "shared" | number;
  /** "sharded": each replica sees its own rows; "replicated": each sees all. */
  data: "sharded" | "replicated";
  /** Types of the data and of the parameters. */
  precision: { data: ElementType; model: ParameterType };
  /** How rows are picked: uniformly with replacement; each once an epoch in random order; in blocks stored together; as stored. */
  schedule: "replacement" | "shuffled" | "blocks" | "ordered";
  /** Rows of a block, for schedule "blocks". */
  blockRows: number;
  /** Rows an update; "all" is the full gradient. */
  batch: number | "all";
  /** Replicas are averaged every so many epochs (fractions allowed). */
  averageEvery: number;
  /** The plain SIMD build and fixed orders: the same bytes on any machine. */
  deterministic: boolean;
  /** Seed of all random numbers. */
  seed: number;
}
