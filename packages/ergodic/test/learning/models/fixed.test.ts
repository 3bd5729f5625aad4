/**
 * 16-bit parameters: the kernel's bits compared with its twin, and exactly unbiased rounding, summed over all random
 * numbers.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { fixedStep } from "../../reference/fixed.ts";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});

function run(
  v: Int16Array,
  x: Int8Array | Int16Array,
  c: number,
  state: Uint32Array,
  deterministic: boolean,
): { v: Int16Array; state: Uint32Array } {
  const { memory } = engine;
  using place = memory.allocate(field.DECAY_BYTES, "test");
  using vs = memory.allocate(v.byteLength + 16, "test");
  using xs = memory.allocate(x.byteLength + 16, "test");
  memory.u32(place.pointer + field.DECAY_RANDOM, 4).set(state);
  memory.i16(vs.pointer, v.length).set(v);
  if (x instanceof Int8Array) memory.i8(xs.pointer, x.length).set(x);
  else memory.i16(xs.pointer, x.length).set(x);
  engine.kernel("fixedStep", deterministic)(place.pointer, vs.pointer, xs.pointer, x.length, x.BYTES_PER_ELEMENT, c);
  return { v: memory.i16(vs.pointer, v.length).slice(), state: memory.u32(place.pointer + field.DECAY_RANDOM, 4).slice() };
}

const state = Uint32Array.of(0x9e3779b9, 0x243f6a89, 0xb7e15163, 0x5bd1e995);

describe("fixedStep", () => {
  it.each([1, 2])("equals its twin bit for bit in both builds, rows of %i bytes", (bytes) => {
    for (let length = 0; length <= 40; length++) {
      for (const c of [0, 1e-9, 3.7e-5, -0.004, 0.11, -1.3, 60, 1e6, Number.NaN]) {
        const x = bytes === 1 ? new Int8Array(length) : new Int16Array(length);
        const largest = bytes === 1 ? 127 : 32767;
        for (let i = 0; i < length; i++) x[i] = i % 5 === 0 ? -largest : Math.round(Math.sin(i * 1.7) * largest);
        const v = Int16Array.from({ length }, (_, i) => (i % 7 === 0 ? 32760 : i % 11 === 0 ? -32760 : i * 31 - 400));
        const expected = v.slice();
        const next = fixedStep(expected, x, c, state);
        for (const deterministic of [true, false]) {
          const found = run(v, x, c, state, deterministic);
          expect(found.v, `length ${length}, c ${c}`).toEqual(expected);
          expect(found.state).toEqual(next);
        }
      }
    }
  });

  it("is unbiased: steps sum exactly to the product over all 2^14 random numbers of each lane", () => {
    const count = 8 * 2 ** 14;
    for (const [c, value] of [
      [0.004, 100],
      [-0.0007, 77],
      [1 / 4096, -127],
      [2.5e-6, 33],
    ] as const) {
      const x = new Int8Array(count).fill(value);
      const { v } = run(new Int16Array(count), x, c, state, true);
      const moved = -v.reduce((a, b) => a + b, 0) / count;
      // The product itself is rounded to 2^-14 of a step, or to 2^-15 of the largest step of a row with |x| = 128.
      expect(Math.abs(moved - c * value)).toBeLessThanOrEqual(2 ** -15 + Math.abs(c) * 128 * 2 ** -14);
      expect(new Set(v).size).toBeGreaterThan(1);
    }
  });

  it("detects rounding to nearest", () => {
    // Mutant: a step of 0.4 rounded to nearest never moves. The bound above is 2^13 times smaller.
    expect(Math.abs(Math.round(0.004 * 100) - 0.4)).toBeGreaterThan(2 ** -15 + 0.004 * 128 * 2 ** -14);
  });
});
