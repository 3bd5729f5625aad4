/**
 * A model with its data: log p(u) over unconstrained numbers, its gradient, and the values that u stands for.
 *
 * u: f64[dimension], the parameters' unconstrained numbers one after another, in the order of `param`. log p(u) = log p(values) + Σ log |J|.
 */
import { DataError, OptionError } from "../../base/errors.ts";
import type { Draws } from "../../base/stream.ts";
import { initialiseBlock, type LinkedArrays, linkArrays } from "../../compiler/array/link.ts";
import type { ArrayProgram } from "../../compiler/array/lowered.ts";
import { interpret } from "../../compiler/index.ts";
import type { DensityBinding, LogDensity } from "../../contract.ts";
import { Arena } from "../../host/arena.ts";
import type { Engine } from "../../host/engine.ts";
import * as field from "../../host/fields.ts";
import { own } from "../../host/memory.ts";
import type { TracedModel } from "./context.ts";
import { drawPrior } from "./prior.ts";
import { DENSITY, densityProgram, fixedInputs, GRADIENT, POINT, type QuantityPlace, VALUES, valuesProgram } from "./programs.ts";

/** Values by name, row-major. */
export type NamedValues = Record<string, Float64Array>;

/** What evaluations on this thread need. */
interface Evaluator {
  readonly arena: Arena;
  readonly x: number;
  readonly gradient: number;
  readonly values: number;
  readonly density: number;
  readonly runValues: () => void;
}

export class ConditionedModel implements LogDensity, Disposable {
  readonly name: string;
  readonly dimension: number;
  /** What draws report, in the order of their values; generated quantities that are drawn come last. */
  readonly quantities: readonly QuantityPlace[];
  /** Numbers of all quantities that are not drawn: the values of one point. */
  readonly valueCount: number;
  readonly traced: TracedModel;
  readonly deterministic: boolean;
  private readonly engine: Engine;
  /** Data, and what was made of them. */
  private readonly arena: Arena;
  private readonly addresses: ReadonlyMap<string, number>;
  private readonly program: ArrayProgram;
  private readonly values: ArrayProgram;
  private evaluator: Evaluator | undefined;
  private disposed = false;

  constructor(name: string, traced: TracedModel, engine: Engine, deterministic: boolean) {
    this.name = name;
    this.traced = traced;
    this.engine = engine;
    this.deterministic = deterministic;
    this.dimension = traced.dimension;
    const fixed = new Map(traced.data);
    this.program = densityProgram(name, traced, fixed);
    const { program, places } = valuesProgram(name, traced);
    this.values = program;
    this.quantities = places;
    this.valueCount = program.outputs.reduce((count, { value }) => count + value.size, 0);
    this.arena = new Arena(engine.memory, `model ${name}`);
    const read = new Set([this.program, this.values].flatMap(fixedInputs));
    this.addresses = new Map([...read].map((key) => [key, this.arena.copy(fixed.get(key)!)]));
    this.arena.ownedBy(this, own);
  }

  bind({ lane, purpose }: { lane: number; purpose: string }): DensityBinding {
    const arena = new Arena(this.engine.memory, `${purpose} ${lane}`);
    const slot = this.engine.kernelSlot("logDensityGradient", this.deterministic);
    return { slot, model: this.densityBlock(arena), dispose: () => this.release(arena) };
  }

  /** log p(u) and its gradient, on this thread. @throws OptionError unless u has `dimension` numbers */
  evaluate(u: ArrayLike<number>): { value: number; gradient: Float64Array } {
    const { x, gradient, density } = this.open(u);
    const value = this.engine.kernel("logDensityGradient", this.deterministic)(density, x, gradient);
    return { value, gradient: this.engine.memory.f64(gradient, this.dimension).slice() };
  }

  /** Parameters, transformed and generated quantities at u. Those that are drawn are left out without `draws`. */
  constrain(u: ArrayLike<number>, draws?: Draws): NamedValues {
    const all = this.valuesOf(u);
    const { drawn } = this.traced;
    const known = this.quantities.slice(0, this.quantities.length - drawn.length);
    const made: NamedValues = Object.fromEntries(known.map(({ name, offset, size }) => [name, all.slice(offset, offset + size)]));
    if (!draws) return made;
    const inputs = this.inputs(u);
    for (const { name, distribution, batch } of drawn) made[name] = distribution.sample(draws, { batch, inputs });
    return made;
  }

  /** The values of many points, one point after another: `valueCount` numbers for each `dimension` of u, in the order of `quantities`. */
  valuesOf(points: ArrayLike<number>): Float64Array {
    const { dimension, valueCount } = this;
    const count = Math.max(1, Math.floor(points.length / dimension));
    const all = this.checked(points, count);
    const out = new Float64Array(count * valueCount);
    for (let i = 0; i < count; i++) {
      const { values, runValues } = this.open(all.subarray(i * dimension, (i + 1) * dimension));
      runValues();
      out.set(this.engine.memory.f64(values, valueCount), i * valueCount);
    }
    return out;
  }

  /** u of the parameters' values. @throws OptionError where one breaks its constraint, DataError where one is missing */
  unconstrain(values: Readonly<Record<string, number | ArrayLike<number>>>): Float64Array {
    const u = new Float64Array(this.dimension);
    const inputs: Record<string, ArrayLike<number>> = Object.fromEntries(this.traced.data);
    for (const { name, transform, nonCentred, offset } of this.traced.parameters) {
      const given = values[name];
      if (given === undefined)
        throw new DataError(this.name, `the parameter "${name}" has no value; give all of them`, "DATA_MISSING");
      const numbers = typeof given === "number" ? [given] : given;
      const own = transform.unconstrain(nonCentred ? nonCentred.standardise(numbers, inputs) : numbers, inputs);
      u.set(own, offset);
      inputs[`u ${name}`] = own;
    }
    return u;
  }

  /** log p(u) by the interpreter: the oracle of `evaluate`. */
  logDensity(u: ArrayLike<number>): number {
    return interpret([this.traced.logDensity], this.inputs(u))[0][0];
  }

  /** log p of the constrained values at u, without log |J|: what textbooks write. */
  logDensityOfValues(u: ArrayLike<number>): number {
    return interpret([this.traced.logDensityOfValues], this.inputs(u))[0][0];
  }

  /** log p of each observed value at u, by name: what leave-one-out validation sums. */
  pointwise(u: ArrayLike<number>): NamedValues {
    const { observed } = this.traced;
    const numbers = interpret(
      observed.map(({ pointwise }) => pointwise),
      this.inputs(u),
    );
    return Object.fromEntries(observed.map(({ name }, i) => [name, numbers[i]]));
  }

  /** Draws of what was observed, given the parameters at u. */
  predict(u: ArrayLike<number>, draws: Draws): NamedValues {
    const inputs = this.inputs(u);
    return Object.fromEntries(
      this.traced.observed.map(({ name, distribution, batch }) => [name, distribution.sample(draws, { batch, inputs })]),
    );
  }

  /** u drawn from the prior: with `constrain` and `predict`, a draw of everything. @throws CapabilityError for a flat prior or a target() */
  drawPrior(draws: Draws): Float64Array {
    return drawPrior(this.name, this.traced, draws);
  }

  /** Bindings must not be used any more. */
  dispose(): void {
    this.disposed = true;
    this.evaluator?.arena.dispose();
    this.evaluator = undefined;
    this.arena.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A method, so that a binding holds on to the model whose memory it reads. */
  private release(arena: Arena): void {
    arena.dispose();
  }

  /** Inputs by name, for the interpreter. */
  private inputs(u: ArrayLike<number>): Record<string, ArrayLike<number>> {
    const point = this.checked(u);
    const moved = this.traced.parameters.map(({ name, offset, unconstrained }) => [
      `u ${name}`,
      point.subarray(offset, offset + unconstrained.size),
    ]);
    return { ...Object.fromEntries(this.traced.data), ...Object.fromEntries(moved) };
  }

  private checked(u: ArrayLike<number>, points = 1): Float64Array {
    if (u.length === this.dimension * points) return Float64Array.from(u);
    throw new OptionError(
      this.name,
      `the point has ${u.length} numbers, but must have ${this.dimension}; unconstrain() makes them`,
      "OPTION_LENGTH",
    );
  }

  private densityBlock(arena: Arena): number {
    const linked = linkArrays(this.engine, this.program, this.deterministic);
    const { plan, run } = linked;
    const value = arena.take(8);
    const block = this.placed(arena, linked, { [DENSITY]: value });
    const pointer = plan.pointers[POINT];
    return arena.block(field.LOG_DENSITY_BYTES, [
      [field.LOG_DENSITY_RUN, run.slot],
      [field.LOG_DENSITY_BLOCK, block],
      [field.LOG_DENSITY_POINT, pointer === undefined ? 0 : block + pointer],
      [field.LOG_DENSITY_GRADIENT, block + plan.pointers[GRADIENT]],
      [field.LOG_DENSITY_VALUE, value],
    ]);
  }

  /** A program's block, with what is fixed and the given buffers in place. */
  private placed(arena: Arena, { plan }: LinkedArrays, buffers: Record<string, number>): number {
    if (this.disposed)
      throw new OptionError(this.name, "the model was used after dispose(); condition it on its data again", "MODEL_DISPOSED");
    const block = arena.take(plan.bytes);
    initialiseBlock(this.engine, plan, block);
    for (const [name, address] of [...this.addresses, ...Object.entries(buffers)]) {
      const pointer = plan.pointers[name];
      if (pointer !== undefined) arena.set(block, pointer, address);
    }
    return block;
  }

  /** Memory for evaluations here, with u in place. */
  private open(u: ArrayLike<number>): Evaluator {
    const point = this.checked(u);
    this.evaluator ??= this.makeEvaluator();
    this.engine.memory.f64(this.evaluator.x, this.dimension).set(point);
    return this.evaluator;
  }

  private makeEvaluator(): Evaluator {
    const arena = new Arena(this.engine.memory, `model ${this.name} here`);
    const linked = linkArrays(this.engine, this.values, this.deterministic);
    const x = arena.take(8 * this.dimension);
    const values = arena.take(8 * this.valueCount);
    const block = this.placed(arena, linked, { [POINT]: x, [VALUES]: values });
    const density = this.densityBlock(arena);
    const gradient = arena.take(8 * this.dimension);
    arena.ownedBy(this, own);
    return { arena, x, values, gradient, density, runValues: () => linked.run.call(block) };
  }
}
