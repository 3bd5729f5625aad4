import { initialiseBlock, linkArrays } from "../../engine/compiler/array/link.ts";
import type { ArrayProgram } from "../../engine/compiler/array/lowered.ts";
import { full, gradientsOf, type SymbolicArray } from "../../engine/compiler/index.ts";
import type { BindOptions, MinibatchBinding, Minibatches } from "../../engine/contract/index.ts";
import { checkNumber } from "../../engine/errors/errors.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { own } from "../../engine/memory/memory.ts";
import { stream } from "../../engine/random/stream.ts";
import * as field from "../fields.ts";
import type { TracedModel } from "./context.ts";
import { withoutInvariants } from "./invariants.ts";
import { DENSITY, fixedInputs, GRADIENT, POINT } from "./programs.ts";

/** A model traced on a batch. The log density of this model is the minibatch estimate. */
export type ScaledModel = TracedModel;

export interface RowSource {
  readonly name: string;
  readonly deterministic: boolean;
  readonly rowCount: number;
  /** Names of the inputs that have rows. */
  readonly fields: ReadonlySet<string>;
  /** Data of all rows, by name. */
  readonly data: ReadonlyMap<string, Float64Array>;
  /** Returns the model for a batch size. */
  scaled(batch: number): ScaledModel;
}

/** Program for one batch size, with the addresses of its fixed inputs. */
interface Sized {
  readonly program: ArrayProgram;
  readonly batched: readonly string[];
  readonly fixed: ReadonlyMap<string, number>;
}

/**
 * Minibatch estimates of a log density in the engine's memory. Tables of all rows are stored once. Each lane has memory
 * for one batch. Rows are gathered into this memory before the program for the batch size runs.
 *
 * Rows are stored in a random order, which is the same for every table and run. A block of consecutive rows is
 * therefore a random sample. The time to read a batch does not depend on the number of rows. (Each scattered row would
 * cost a cache miss and a page-table miss.)
 */
export class RowBatches implements Minibatches {
  readonly rowCount: number;
  private readonly source: RowSource;
  private readonly engine: Engine;
  private readonly pieces: Arena[] = [];
  /** Index of the row stored at each place. */
  private order: Uint32Array | undefined;
  private readonly tables = new Map<string, number>();
  private readonly sizes = new Map<number, Sized>();

  constructor(engine: Engine, source: RowSource) {
    this.engine = engine;
    this.source = source;
    this.rowCount = source.rowCount;
  }

  bind({ lane, purpose, batch }: BindOptions & { batch: number }): MinibatchBinding {
    const { name, deterministic } = this.source;
    checkNumber(name, "batch", batch, { low: 1, high: this.rowCount, integer: true });
    const { program, batched, fixed } = this.sized(batch);
    const arena = new Arena(this.engine.memory, `${purpose} ${lane}`);
    const { plan, run } = linkArrays(this.engine, program, arena, deterministic);
    const block = arena.take(plan.bytes);
    initialiseBlock(this.engine, plan, block);
    const value = arena.take(8);
    const rows = arena.take(4 * batch);
    const copies = batched.map((key) => ({ key, bytes: this.rowBytes(key), to: arena.take(batch * this.rowBytes(key)) }));
    const buffers = [...fixed, [DENSITY, value] as const, ...copies.map(({ key, to }) => [key, to] as const)];
    for (const [key, address] of buffers) {
      const pointer = plan.pointers[key];
      if (pointer !== undefined) arena.set(block, pointer, address);
    }
    const point = plan.pointers[POINT];
    const model = arena.block(field.LOG_DENSITY_BYTES, [
      [field.LOG_DENSITY_RUN, run.slot],
      [field.LOG_DENSITY_BLOCK, block],
      [field.LOG_DENSITY_POINT, point === undefined ? 0 : block + point],
      [field.LOG_DENSITY_GRADIENT, block + plan.pointers[GRADIENT]],
      [field.LOG_DENSITY_VALUE, value],
    ]);
    const gatherBlock = arena.block(field.GATHER_TABLES + copies.length * field.GATHER_TABLE_BYTES, [
      [field.GATHER_ROWS, rows],
      [field.GATHER_ROW_COUNT, batch],
      [field.GATHER_TABLE_COUNT, copies.length],
      ...copies.flatMap(({ key, bytes, to }, i) => {
        const table = field.GATHER_TABLES + i * field.GATHER_TABLE_BYTES;
        return [
          [table + field.GATHER_TABLE_SOURCE, this.tables.get(key)!],
          [table + field.GATHER_TABLE_ROW_BYTES, bytes],
          [table + field.GATHER_TABLE_DESTINATION, to],
        ] as const;
      }),
    ]);
    return {
      slot: this.engine.kernelSlot("logDensityGradient", deterministic),
      model,
      rows,
      gatherSlot: this.engine.kernelSlot("gatherBatch", deterministic),
      gatherBlock,
      dispose: () => this.release(arena),
    };
  }

  dispose(): void {
    for (const piece of this.pieces.splice(0)) piece.dispose();
    this.tables.clear();
    this.sizes.clear();
  }

  /** The release is a method, so that a binding to it keeps the tables alive. */
  private release(arena: Arena): void {
    arena.dispose();
  }

  private rowBytes(key: string): number {
    return (8 * this.source.data.get(key)!.length) / this.rowCount;
  }

  private sized(batch: number): Sized {
    const known = this.sizes.get(batch);
    if (known) return known;
    const { name, fields, data } = this.source;
    const traced = this.source.scaled(batch);
    const fixed = new Map(traced.data);
    const program = batchProgram(`${name} rows`, traced, fixed, fields);
    const read = fixedInputs(program);
    const batched = read.filter((key) => fields.has(key));
    for (const key of batched) if (!this.tables.has(key)) this.tables.set(key, this.keep(this.shuffled(data.get(key)!)));
    const others = read.filter((key) => !fields.has(key)).map((key) => [key, this.keep(fixed.get(key)!)] as const);
    const made = { program, batched, fixed: new Map(others) };
    this.sizes.set(batch, made);
    return made;
  }

  private shuffled(values: Float64Array): Float64Array {
    this.order ??= rowOrder(this.rowCount);
    const width = values.length / this.rowCount;
    const out = new Float64Array(values.length);
    for (let i = 0; i < this.rowCount; i++) {
      const from = this.order[i] * width;
      for (let j = 0; j < width; j++) out[i * width + j] = values[from + j];
    }
    return out;
  }

  private keep(values: Float64Array): number {
    const piece = new Arena(this.engine.memory, `rows of model ${this.source.name}`);
    const address = piece.copy(values);
    piece.ownedBy(this, own);
    this.pieces.push(piece);
    return address;
  }
}

function rowOrder(count: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const draws = stream(0, "rows", "order").at(0);
  for (let i = count - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/**
 * Program of the estimate and its gradient. Work that does not depend on parameters or rows is done here, and its
 * results are added to `fixed`.
 */
function batchProgram(
  name: string,
  { parameters, logDensity }: ScaledModel,
  fixed: Map<string, Float64Array>,
  fields: ReadonlySet<string>,
): ArrayProgram {
  const changes = ({ attributes }: SymbolicArray): boolean =>
    String(attributes).startsWith("u ") || fields.has(String(attributes));
  const [density] = withoutInvariants([logDensity], fixed, changes);
  const smooth = parameters.filter(({ discrete }) => !discrete).map(({ unconstrained }) => unconstrained);
  const slopes = gradientsOf(density, smooth);
  // Whole numbers are not differentiable.
  const slopeOf = new Map(smooth.map((u, i) => [u, slopes[i]]));
  const all = parameters.map(({ discrete, unconstrained: u }) => (discrete ? full(0, u.shape) : slopeOf.get(u)!));
  const [value, ...gradients] = withoutInvariants([density, ...all], fixed, changes);
  return {
    name,
    precision: "f64",
    inputs: Object.fromEntries(parameters.map((p) => [`u ${p.name}`, { buffer: POINT, offset: p.offset }])),
    outputs: [
      { value, buffer: DENSITY, offset: 0 },
      ...gradients.map((slope, i) => ({ value: slope, buffer: GRADIENT, offset: parameters[i].offset })),
    ],
  };
}
