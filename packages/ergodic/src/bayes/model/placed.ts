/**
 * A model's programs in an engine's memory. Programs are compiled on first use. Data, and results derived from them,
 * are stored once, whereas each use of a program has its own block.
 */

import {
  type BlockImage,
  compiledFor,
  imageOf,
  initialiseBlock,
  type LinkedArrays,
  linkArrays,
  writeImage,
} from "../../engine/compiler/array/link.ts";
import type { ArrayProgram } from "../../engine/compiler/array/lowered.ts";
import type { SymbolicArray } from "../../engine/compiler/index.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { Arena } from "../../engine/memory/arena.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { own } from "../../engine/memory/memory.ts";
import * as field from "../fields.ts";
import type { TracedModel } from "./context.ts";
import type { Fixed } from "./invariants.ts";
import {
  DENSITY,
  densityProgram,
  type FixedWork,
  fixedInputs,
  GRADIENT,
  isAnyMoved,
  LIKELIHOOD,
  POINT,
  POWER,
  sideBySide,
  temperedProgram,
  VALUES,
  valuesProgram,
} from "./programs.ts";

/** Code of a program, its block, and the data that it reads, by name. */
export interface PortableForm {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly image: BlockImage;
  readonly callsKernels: boolean;
  readonly fixed: Readonly<Record<string, Float64Array>>;
}

/** Forms of the density. Each form exists with and without the gradient. */
export interface PortableForms {
  readonly density: readonly [PortableForm, PortableForm];
  readonly tempered: readonly [PortableForm, PortableForm];
}

/** Allocates a LOG_DENSITY block. `buffers`: addresses by name. */
export function densityBlock(
  engine: Engine,
  arena: Arena,
  { image, slot }: { image: BlockImage; slot: number },
  buffers: readonly (readonly [string, number])[],
): number {
  const value = arena.take(8);
  const block = arena.take(image.bytes);
  writeImage(engine, image, block);
  for (const [name, address] of [...buffers, [DENSITY, value] as const]) {
    const pointer = image.pointers[name];
    if (pointer !== undefined) arena.set(block, pointer, address);
  }
  const [point, gradient] = [image.pointers[POINT], image.pointers[GRADIENT]];
  return arena.block(field.LOG_DENSITY_BYTES, [
    [field.LOG_DENSITY_RUN, slot],
    [field.LOG_DENSITY_BLOCK, block],
    [field.LOG_DENSITY_POINT, point === undefined ? 0 : block + point],
    // Without a gradient, the address points to scratch memory that is never read.
    [field.LOG_DENSITY_GRADIENT, gradient === undefined ? arena.take(8) : block + gradient],
    [field.LOG_DENSITY_VALUE, value],
  ]);
}

/** Addresses at which the tempered program reads its power and writes its likelihood. */
export interface TemperedCells {
  readonly power: number;
  readonly likelihood: number;
}

/** Function that evaluates arrays at u on this thread. */
export interface PointFunction {
  /** Total size of all arrays. */
  readonly size: number;
  /** Returns their values at u, concatenated. The result is a view, valid until the next call. */
  at(u: Float64Array): Float64Array;
}

export class PlacedModel {
  readonly engine: Engine;
  readonly deterministic: boolean;
  private readonly name: string;
  private readonly traced: TracedModel;
  private readonly fixed: FixedWork;
  private readonly arenas: Arena[] = [];
  /** Addresses of the inputs that programs have read so far. */
  readonly addresses = new Map<string, number>();
  private readonly programs = new Map<string, ArrayProgram>();
  private disposed = false;

  constructor(name: string, traced: TracedModel, engine: Engine, deterministic: boolean) {
    this.name = name;
    this.traced = traced;
    this.engine = engine;
    this.deterministic = deterministic;
    this.fixed = { values: new Map(traced.data), evaluate: (arrays, inputs) => this.evaluated(arrays, inputs) };
  }

  /** Allocates a LOG_DENSITY block, with or without the gradient. */
  density(arena: Arena, gradient: boolean): number {
    const make = () => densityProgram(this.name, this.traced, this.fixed, gradient);
    return this.densityBlock(arena, this.program(`density ${gradient}`, make), {});
  }

  tempered(arena: Arena, gradient: boolean, { power, likelihood }: TemperedCells): number {
    const make = () => temperedProgram(this.name, this.traced, this.fixed, gradient);
    return this.densityBlock(arena, this.program(`tempered ${gradient}`, make), { [POWER]: power, [LIKELIHOOD]: likelihood });
  }

  /** Compiles arrays as a function of u. `purpose`: unique name among this model's functions. */
  pointFunction(purpose: string, arrays: readonly SymbolicArray[]): PointFunction {
    const size = arrays.reduce((count, array) => count + array.size, 0);
    if (!isAnyMoved(arrays)) {
      const values = joined(this.evaluated(arrays, this.fixed.values));
      return { size, at: () => values };
    }
    const program = this.program(purpose, () => valuesProgram(`${this.name} ${purpose}`, this.traced, arrays, this.fixed));
    const { engine } = this;
    const arena = this.ownArena(`model ${this.name} ${purpose}`);
    const linked = linkArrays(engine, program, arena, this.deterministic);
    const dimension = this.traced.dimension;
    const x = arena.take(8 * dimension);
    const values = arena.take(8 * size);
    const block = this.place(arena, linked, { [POINT]: x, [VALUES]: values });
    arena.ownedBy(this, own);
    const at = (u: Float64Array): Float64Array => {
      this.checkAlive();
      engine.memory.f64(x, dimension).set(u);
      linked.run.call(block);
      return engine.memory.f64(values, size);
    };
    return { size, at };
  }

  /** Allocates memory that is freed with the model. Call `ownedBy` on parts of the returned arena. */
  ownArena(purpose: string): Arena {
    const arena = new Arena(this.engine.memory, purpose);
    this.arenas.push(arena);
    return arena;
  }

  checkAlive(): void {
    if (this.disposed)
      throw new OptionError(this.name, "the model was used after dispose(); condition it on its data again", "MODEL_DISPOSED");
  }

  dispose(): void {
    this.disposed = true;
    for (const arena of this.arenas.splice(0)) arena.dispose();
  }

  /** Returns the program, compiled once, and places its inputs in memory. */
  private program(key: string, make: () => ArrayProgram): ArrayProgram {
    this.checkAlive();
    const known = this.programs.get(key);
    if (known) return known;
    const program = make();
    const wanted = fixedInputs(program).filter((name) => !this.addresses.has(name));
    const arena = this.ownArena(`model ${this.name}`);
    for (const name of wanted) this.addresses.set(name, arena.copy(this.fixed.values.get(name)!));
    arena.ownedBy(this, own);
    this.programs.set(key, program);
    return program;
  }

  private densityBlock(arena: Arena, program: ArrayProgram, buffers: Record<string, number>): number {
    this.checkAlive();
    const { plan, run } = linkArrays(this.engine, program, arena, this.deterministic);
    return densityBlock(this.engine, arena, { image: imageOf(plan), slot: run.slot }, [
      ...this.addresses,
      ...Object.entries(buffers),
    ]);
  }

  /** Code and data of all forms of the density, to be placed in another memory (portable.ts). */
  portable(): PortableForms {
    const tempered = (gradient: boolean): PortableForm =>
      this.form(`tempered ${gradient}`, () => temperedProgram(this.name, this.traced, this.fixed, gradient));
    return {
      density: [this.portableDensity(false), this.portableDensity(true)],
      tempered: [tempered(false), tempered(true)],
    };
  }

  /** Code and data of one form of the density. */
  portableDensity(gradient: boolean): PortableForm {
    return this.form(`density ${gradient}`, () => densityProgram(this.name, this.traced, this.fixed, gradient));
  }

  private form(key: string, make: () => ArrayProgram): PortableForm {
    const program = this.program(key, make);
    const { bytes, plan, callsKernels } = compiledFor(this.engine, program);
    const fixed = Object.fromEntries(fixedInputs(program).map((name) => [name, this.fixed.values.get(name)!]));
    return { bytes, image: imageOf(plan), callsKernels, fixed };
  }

  /**
   * Computes arrays that depend on no parameter. The arrays are computed by compiled code, so that the results are
   * bitwise equal to the results of other programs.
   */
  private evaluated(arrays: readonly SymbolicArray[], inputs: Fixed): Float64Array[] {
    if (arrays.length === 0) return [];
    const { engine } = this;
    const program: ArrayProgram = { name: `${this.name} fixed`, precision: "f64", outputs: sideBySide(arrays) };
    const arena = new Arena(engine.memory, `model ${this.name} fixed`);
    try {
      const { plan, run } = linkArrays(engine, program, arena, this.deterministic);
      const size = arrays.reduce((count, array) => count + array.size, 0);
      const values = arena.take(8 * size);
      const block = arena.take(plan.bytes);
      initialiseBlock(engine, plan, block);
      const read = fixedInputs(program).map((name) => [name, this.addresses.get(name) ?? arena.copy(inputs.get(name)!)] as const);
      for (const [name, address] of [...read, [VALUES, values] as const]) {
        const pointer = plan.pointers[name];
        if (pointer !== undefined) arena.set(block, pointer, address);
      }
      run.call(block);
      const all = engine.memory.f64(values, size).slice();
      return program.outputs.map(({ value, offset }) => all.slice(offset, offset + value.size));
    } finally {
      arena.dispose();
    }
  }

  /** Allocates a program's block and sets the addresses of fixed data and the given buffers. */
  private place(arena: Arena, { plan }: LinkedArrays, buffers: Record<string, number>): number {
    this.checkAlive();
    const block = arena.take(plan.bytes);
    initialiseBlock(this.engine, plan, block);
    for (const [name, address] of [...this.addresses, ...Object.entries(buffers)]) {
      const pointer = plan.pointers[name];
      if (pointer !== undefined) arena.set(block, pointer, address);
    }
    return block;
  }
}

function joined(arrays: readonly Float64Array[]): Float64Array {
  const out = new Float64Array(arrays.reduce((count, { length }) => count + length, 0));
  let offset = 0;
  for (const array of arrays) {
    out.set(array, offset);
    offset += array.length;
  }
  return out;
}
