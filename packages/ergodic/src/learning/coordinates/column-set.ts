import type { ColumnBinding, ColumnTarget, Snapshot, Tensor } from "../../engine/contract/index.ts";
import { isObject, KeptPart } from "../../engine/loop/kept-part.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import * as field from "../fields.ts";

/** Maximum number of members whose Gram matrix is stored. Two matrices of f64[768²] take 9 MB. */
const MOST_COVARIANCES = 768;
/**
 * Maximum memory for the Gram matrices of all outputs that share a loss, as a multiple of the memory for one matrix of
 * the largest size. These matrices can be kept as long as curvatures hardly drift. Even if a matrix's share of this
 * memory is smaller, the matrix can have the size that is allowed for a single step.
 */
const LARGEST_SHARES = 4;
/** Maximum number of members if curvatures change at every step. A Gram matrix then serves only one step. */
const MOST_PASSING_COVARIANCES = 256;
/**
 * If rows have fewer entries than this, computing the Gram matrix is nearly as fast as a pass. The smaller limit for
 * single-step matrices then does not apply.
 */
const SPARSE_ROW = 32;
/** Maximum number of passes per solve. A solve that has not converged by then continues in the next round. */
const MOST_PASSES = 1000;
/** Fixed cost of a column, relative to the cost of one entry. */
const LEAST_WORK = 16;

/** Vectors that a checkpoint must store to full precision, with one value per column or per row. */
const overColumns = ["beta", "means", "norms", "origins", "correlations", "referenceCorrelations"] as const;
const overRows = ["u", "h", "reference"] as const;
type VectorName = (typeof overColumns)[number] | (typeof overRows)[number];
/** Scalars of the block that a checkpoint must store. */
const counts = {
  passes: field.SET_PASSES,
  computed: field.SET_COMPUTED,
  screenedCount: field.SET_SCREENED_COUNT,
  hasReference: field.SET_HAS_REFERENCE,
};
const numbers = {
  shift: field.SET_SHIFT_F64,
  sumH: field.SET_SUM_H_F64,
  fit: field.SET_FIT_F64,
  kappa: field.SET_KAPPA_F64,
  distance: field.SET_DISTANCE_F64,
};

/** SET block of one output, which holds the inputs and results of kernels/learning/working-set.ts. */
export class ColumnSet {
  readonly block: number;
  /** f64[rows]: the change in the outputs along the direction of a solve. */
  readonly direction: number;
  readonly u: number;
  readonly h: number;
  readonly v: number;
  readonly beta: number;
  private readonly arena: Arena;
  private readonly rowCount: number;
  private readonly columnCount: number;
  private readonly pointers: Record<"members" | "places" | "screened" | "gram" | "weights" | VectorName, number>;
  private readonly capacity: number;

  constructor(
    target: ColumnTarget,
    binding: ColumnBinding,
    engine: Engine,
    options: { v: number; penaltyWeights: Float64Array },
  ) {
    const { rowCount: rows, columnCount: columns } = target;
    this.rowCount = rows;
    this.columnCount = columns;
    const arena = new Arena(engine.memory, "working set");
    this.arena = arena;
    const f64 = (count: number): number => arena.take(count * 8);
    const cheap = target.quadratic || (binding.slots.products > 0 && binding.entryCount < SPARSE_ROW * rows);
    const share = target.joint ? Math.min(1, Math.sqrt(LARGEST_SHARES / target.outputs)) : 0;
    const most = cheap ? MOST_COVARIANCES : Math.max(MOST_PASSING_COVARIANCES, Math.floor(MOST_COVARIANCES * share));
    this.capacity = Math.max(8, Math.min(columns, most));
    this.v = options.v;
    this.direction = f64(rows);
    this.pointers = {
      u: f64(rows),
      h: f64(rows),
      reference: f64(rows),
      beta: f64(columns),
      means: f64(columns),
      norms: f64(columns),
      origins: f64(columns),
      correlations: f64(columns),
      referenceCorrelations: f64(columns),
      members: arena.take(columns * 4),
      places: arena.take(columns * 4),
      screened: arena.take(columns),
      gram: f64(this.capacity ** 2),
      weights: arena.copy(options.penaltyWeights),
    };
    const by = this.pointers;
    this.u = by.u;
    this.h = by.h;
    this.beta = by.beta;
    this.block = arena.block(field.SET_BYTES, [
      [field.SET_COLUMNS, binding.columns],
      [field.SET_DOT, binding.slots.dot],
      [field.SET_ADD, binding.slots.add],
      [field.SET_ADD_WEIGHTED, binding.slots.addWeighted],
      [field.SET_PRODUCTS, binding.slots.products],
      [field.SET_SPREAD, binding.slots.spread],
      [field.SET_ROWS, rows],
      [field.SET_COLUMN_COUNT, columns],
      [field.SET_U, this.u],
      [field.SET_H, this.h],
      [field.SET_TEMPORARY, f64(rows)],
      [field.SET_BETA, this.beta],
      [field.SET_PENALTY_WEIGHTS, by.weights],
      [field.SET_MEANS, by.means],
      [field.SET_NORMS, by.norms],
      [field.SET_ORIGINS, by.origins],
      [field.SET_CORRELATIONS, by.correlations],
      [field.SET_REFERENCE_CORRELATIONS, by.referenceCorrelations],
      [field.SET_REFERENCE, by.reference],
      [field.SET_V, this.v],
      [field.SET_SCREENED, by.screened],
      [field.SET_PLACES, by.places],
      [field.SET_MEMBERS, by.members],
      [field.SET_CAPACITY, this.capacity],
      [field.SET_GRAM, by.gram],
      [field.SET_FACTOR, f64(this.capacity ** 2)],
      [field.SET_Q, f64(columns + 1)],
      [field.SET_BEFORE, f64(columns)],
      [field.SET_CURVATURES, f64(columns)],
      [field.SET_DIRECTION, f64(Math.max(16, columns))],
      [field.SET_SUPPORT, arena.take(columns * 4)],
      [field.SET_HISTORY, f64(6 * columns + rows)],
      [field.SET_INTERCEPT, target.intercept ? 1 : 0],
      [field.SET_NON_NEGATIVE, target.nonNegative ? 1 : 0],
      [field.SET_QUADRATIC, target.quadratic ? 1 : 0],
      [field.SET_MOST_PASSES, MOST_PASSES],
    ]);
    this.set(field.SET_COLUMN_WORK_F64, LEAST_WORK + binding.entryCount / columns);
  }

  get(at: number): number {
    return this.arena.getF64(this.block, at);
  }

  set(at: number, value: number): void {
    this.arena.setF64(this.block, at, value);
  }

  count(at: number): number {
    return this.arena.memory.u32(this.block + at, 1)[0];
  }

  setCount(at: number, value: number): void {
    this.arena.set(this.block, at, value);
  }

  /** View on f64[rows]. The view is valid until the next allocation. */
  overRows(at: number): Float64Array {
    return this.arena.memory.f64(at, this.rowCount);
  }

  overColumns(at: number): Float64Array {
    return this.arena.memory.f64(at, this.columnCount);
  }

  /**
   * Returns the amount by which the intercept has changed since u was set. During a solve that uses covariances, u does
   * not yet include all of this change.
   */
  shift(): number {
    const shift = this.get(field.SET_SHIFT_F64);
    const sumH = this.get(field.SET_SUM_H_F64);
    if (this.count(field.SET_STAGE) === 0 || this.count(field.SET_SIZE) > this.count(field.SET_CAPACITY)) return shift;
    const beta = this.overColumns(this.beta);
    const means = this.overColumns(this.pointers.means);
    const before = this.before();
    return this.members().reduce((sum, j, a) => sum - ((beta[j] - before[a]) * means[j]) / sumH, shift);
  }

  /** Saves the current coefficients, which `before` then returns. */
  remember(): void {
    const before = this.before();
    const beta = this.overColumns(this.beta);
    for (const [a, j] of this.members().entries()) before[a] = beta[j];
  }

  /** Coefficients before the last solve, by member. */
  before(): Float64Array {
    return this.arena.memory.f64(this.count(field.SET_BEFORE), this.count(field.SET_SIZE));
  }

  members(): Uint32Array {
    return this.arena.memory.u32(this.pointers.members, this.count(field.SET_SIZE));
  }

  correlations(): Float64Array {
    return this.overColumns(this.pointers.correlations);
  }

  penaltyWeights(): Float64Array {
    return this.overColumns(this.pointers.weights);
  }

  norms(): Float64Array {
    return this.overColumns(this.pointers.norms);
  }

  /** Origins o from which columns are measured. */
  origins(): Float64Array {
    return this.overColumns(this.pointers.origins);
  }

  screened(): Uint8Array {
    return this.arena.memory.u8(this.pointers.screened, this.columnCount);
  }

  /** Clears all screening results, because a new penalty strength invalidates the proofs. */
  unscreen(): void {
    this.screened().fill(0);
    this.setCount(field.SET_SCREENED_COUNT, 0);
  }

  /** Discards the Gram matrix after curvatures have changed. */
  forgetCovariances(): void {
    this.setCount(field.SET_GRAM_SIZE, 0);
  }

  snapshot(): Snapshot {
    const size = this.count(field.SET_SIZE);
    const gramSize = this.count(field.SET_GRAM_SIZE);
    const { memory } = this.arena;
    const { pointers } = this;
    const gram = new Float64Array(gramSize ** 2);
    for (let a = 0; a < gramSize; a++) gram.set(memory.f64(pointers.gram + a * this.capacity * 8, gramSize), a * gramSize);
    return {
      tensors: {
        ...Object.fromEntries(overRows.map((name) => [name, this.overRows(pointers[name]).slice()])),
        ...Object.fromEntries(overColumns.map((name) => [name, this.overColumns(pointers[name]).slice()])),
        numbers: Float64Array.from(Object.values(numbers), (at) => this.get(at)),
        members: this.members().slice(),
        screened: Uint32Array.from(this.screened()),
        gram,
      },
      state: { size, gramSize, ...Object.fromEntries(Object.entries(counts).map(([name, at]) => [name, this.count(at)])) },
    };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("a working set", snapshot);
    const { memory } = this.arena;
    const { pointers, columnCount } = this;
    const size = kept.count("size", 0, columnCount);
    const gramSize = kept.count("gramSize", 0, Math.min(size, this.capacity));
    const members = kept.indices("members", columnCount, size);
    if (new Set(members).size < size) kept.refuse("a group has the same column twice");
    const gram = kept.floats("gram", gramSize ** 2);
    const inner = kept.floats("numbers", Object.keys(numbers).length);
    for (const name of overRows) kept.into(this.overRows(pointers[name]), name);
    for (const name of overColumns) kept.into(this.overColumns(pointers[name]), name);
    for (const [i, at] of Object.values(numbers).entries()) this.set(at, inner[i]);
    for (const [name, at] of Object.entries(counts)) this.setCount(at, kept.count(name, 0, 2 ** 32 - 1));
    this.screened().set(kept.indices("screened", 2, columnCount));
    this.setCount(field.SET_SIZE, size);
    this.members().set(members);
    const places = memory.u32(pointers.places, columnCount);
    places.fill(0);
    for (const [place, j] of this.members().entries()) places[j] = place + 1;
    for (let a = 0; a < gramSize; a++)
      memory.f64(pointers.gram + a * this.capacity * 8, gramSize).set(gram.subarray(a * gramSize, (a + 1) * gramSize));
    this.setCount(field.SET_GRAM_SIZE, gramSize);
  }

  dispose(): void {
    this.arena.dispose();
  }
}

/** Combines the snapshots of several outputs into one. */
export function joined(parts: readonly Snapshot[]): Snapshot {
  const tensors: Record<string, Tensor> = {};
  for (const [k, part] of parts.entries()) {
    for (const [name, tensor] of Object.entries(part.tensors)) tensors[`output.${k}.${name}`] = tensor;
  }
  return { tensors, state: { outputs: parts.map((part) => part.state) } };
}

/** Splits a combined snapshot into one snapshot for each of `count` outputs. */
export function parted(snapshot: Snapshot, count: number): Snapshot[] {
  const kept = new KeptPart("the outputs", snapshot);
  return kept.list("outputs", isObject, count).map((own, k) => kept.part("an output", `output.${k}.`, own).snapshot);
}
