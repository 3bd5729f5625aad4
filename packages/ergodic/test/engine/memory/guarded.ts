/** Arrays in the engine's memory for kernel tests, each followed by a guard that must stay unchanged. */
import { expect } from "vitest";
import { Arena } from "../../../src/engine/memory/arena.ts";
import type { Engine } from "../../../src/engine/memory/engine.ts";

export type FloatType = "f32" | "f64";
type ElementType = FloatType | "i16" | "i8" | "u32";

export const floatTypes = ["f32", "f64"] as const;
export const elementBytes = { f32: 4, f64: 8, i16: 2, i8: 1, u32: 4 } as const;
/** 2⁻²⁴ and 2⁻⁵³: half a unit in the last place. */
export const roundoff = { f32: 2 ** -24, f64: 2 ** -53 } as const;

const GUARD = 77;

export function rounded(type: FloatType, values: Iterable<number>): number[] {
  return Array.from(values, (value) => (type === "f32" ? Math.fround(value) : value));
}

/** Like expect(found).toEqual(wanted), which is slow for many numbers. */
export function expectSame(found: readonly number[], wanted: readonly number[], message?: string): void {
  if (found.length === wanted.length && found.every((value, i) => Object.is(value, wanted[i]))) return;
  expect(found, message).toEqual(wanted);
}

export class Guarded implements Disposable {
  readonly arena: Arena;
  private readonly engine: Engine;

  constructor(engine: Engine) {
    this.engine = engine;
    this.arena = new Arena(engine.memory, "test");
  }

  /** Stores the values, rounded to the type, and returns their address. */
  put(type: ElementType, values: Iterable<number>): number {
    const all = [...values, GUARD, GUARD];
    const at = this.arena.take(all.length * elementBytes[type]);
    this.engine.memory[type](at, all.length).set(all);
    return at;
  }

  /** Allocates `count` elements with values that the kernel must overwrite. */
  room(type: ElementType, count: number): number {
    return this.put(type, new Array<number>(count).fill(55));
  }

  read(type: ElementType, at: number, count: number): number[] {
    const all = Array.from(this.engine.memory[type](at, count + 2));
    if (all[count] !== GUARD || all[count + 1] !== GUARD) expect(all.slice(count)).toEqual([GUARD, GUARD]);
    all.length = count;
    return all;
  }

  [Symbol.dispose](): void {
    this.arena.dispose();
  }
}

/** Largest |found − wanted| ÷ bound over all elements. NaN if only one of the two is NaN. */
export function worst(found: readonly number[], wanted: readonly number[], bound: readonly number[]): number {
  expect(found.length).toBe(wanted.length);
  let most = 0;
  for (let i = 0; i < found.length; i++) {
    const value = found[i];
    if (Object.is(value, wanted[i]) || value === wanted[i]) continue;
    const ratio = Math.abs(value - wanted[i]) / bound[i];
    if (!(ratio <= most)) most = ratio;
    if (Number.isNaN(most)) return most;
  }
  return most;
}
