/**
 * kernels/engine/optimise/decay.ts agrees with its plain twin for each parameter type, and s v follows the equivalent
 * dense update.
 */
import { describe, expect, it } from "vitest";
import { div, linkProgram, type ProgramSpec, scalar } from "../../../src/engine/compiler/index.ts";
import { Arena } from "../../../src/engine/memory/arena.ts";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import * as field from "../../../src/engine/memory/fields.ts";
import { type Decay, decayStep } from "../../reference/decay.ts";

const engine = await openEngine();
const { memory } = engine;
const bytes = { f32: 4, f64: 8, i16: 2 };
const vectors = { f32: Float32Array, f64: Float64Array, i16: Int16Array };
const UNIT = 2 ** -11;

type Type = keyof typeof bytes;

/** Runs the kernel on its own block, with two pieces whose scales are 1 and −3 before each step. */
function bound(arena: Arena, type: Type, { v, scale, exempt, l2, power, state }: Decay) {
  const parameters = arena.take(8 * v.length + 16);
  const rate = arena.take(8);
  const modelScale = arena.take(8);
  const listed = arena.take(4 * exempt.length + 4);
  memory.u32(listed, exempt.length).set(exempt);
  const block = arena.block(field.DECAY_BYTES, [
    [field.DECAY_RATE_END, field.ABSENT],
    [field.DECAY_RULE_RATE, rate],
    [field.DECAY_MODEL_SCALE, modelScale],
    [field.DECAY_PARAMETERS, parameters],
    [field.DECAY_COUNT, v.length],
    [field.DECAY_ELEMENT_BYTES, bytes[type]],
    [field.DECAY_EXEMPT, listed],
    [field.DECAY_EXEMPT_COUNT, exempt.length],
    [field.DECAY_POWER, power],
  ]);
  arena.setF64(block, field.DECAY_L2_F64, l2);
  arena.setF64(block, field.DECAY_SCALE_F64, scale);
  arena.setF64(block, field.DECAY_UNIT_F64, UNIT);
  memory.u32(block + field.DECAY_RANDOM, 4).set(state);
  const pieces = arena.take(field.PIECES_FIRST + 2 * field.PIECE_BYTES);
  memory.i32(pieces, 1)[0] = 2;
  const scaleAt = [0, 1].map((k) => field.PIECES_FIRST + k * field.PIECE_BYTES + field.PIECE_SCALE_F64);
  // One element beyond the end must stay unchanged.
  memory[type](parameters, v.length + 1).set([...v, 7]);
  return {
    block,
    step(at: number, t = 1): void {
      arena.setF64(rate, 0, at);
      arena.setF64(pieces, scaleAt[0], 1);
      arena.setF64(pieces, scaleAt[1], -3);
      engine.kernel("decayStep", true)(block, pieces, t);
    },
    v: () => memory[type](parameters, v.length),
    past: () => memory[type](parameters, v.length + 1)[v.length],
    scale: () => arena.getF64(block, field.DECAY_SCALE_F64),
    modelScale: () => arena.getF64(modelScale, 0),
    rate: () => arena.getF64(rate, 0),
    pieces: () => scaleAt.map((at) => arena.getF64(pieces, at)),
    state: () => memory.u32(block + field.DECAY_RANDOM, 4).slice(),
  };
}

const seeds = Uint32Array.of(0x9e3779b9, 0x243f6a89, 0xb7e15163, 0x5bd1e995);

function decay(type: Type, values: number[], options: Partial<Decay> = {}): Decay {
  return { v: vectors[type].from(values), scale: 1, exempt: [], l2: 0.5, power: 1, state: seeds, ...options };
}

describe("decayStep", () => {
  it.each(["f32", "f64", "i16"] as const)(
    "%s: has the bits of its twin for 0 … 17 parameters, exempt ones, any scale, racing or alone",
    (type) => {
      const special = [Number.NaN, Infinity, -Infinity, -0, 5e-324, 1e-45, -1e308];
      let broughtIn = 0;
      for (let length = 0; length <= 17; length++) {
        for (const power of [1, 3]) {
          const values = Array.from({ length }, (_, i) =>
            type === "i16" ? [32767, -32768, 0, 311 * i - 2000][i % 4] : i % 5 === 4 ? special[i % 7] : Math.sin(i + 1),
          );
          const exempt = Array.from({ length }, (_, i) => i).filter((i) => i % 3 === 2);
          const twin = decay(type, values, { exempt, power, scale: type === "i16" ? 1 : 2 ** -18 });
          using arena = new Arena(memory, "decay");
          const kernel = bound(arena, type, twin);
          // A rate of 0 changes nothing. A rate of 3 would change signs and is limited so that the factor is 2⁻¹⁰.
          for (const rate of [0.1, 0, 0.02, 0.1, 3, 1e-9, 0.5]) {
            const before = twin.scale;
            const divisor = decayStep(twin, rate);
            if (divisor === 1 && before < 1) broughtIn++;
            kernel.step(rate);
            expect(kernel.scale()).toBe(twin.scale);
            expect(kernel.modelScale()).toBe(twin.scale * UNIT);
            expect(kernel.pieces()).toEqual([1 / divisor, -3 / divisor]);
            expect(kernel.v()).toEqual(twin.v);
            expect(kernel.state()).toEqual(twin.state);
            expect(kernel.past()).toBe(7);
          }
        }
      }
      expect(broughtIn).toBeGreaterThanOrEqual(18);
    },
  );

  it.each([
    { type: "f32", limit: 2 ** -20 },
    { type: "f64", limit: 2 ** -20 },
    { type: "i16", limit: 7 / 8 },
  ] as const)(
    "$type: applies the scale to parameters below $limit but not at it, and racing lanes leave it to the caller",
    ({ type, limit }) => {
      const after = (scale: number, power = 1): [number, number] => {
        using arena = new Arena(memory, "decay");
        const kernel = bound(arena, type, decay(type, [16384], { scale, power, l2: 0 }));
        kernel.step(0.1);
        return [kernel.scale(), kernel.v()[0]];
      };
      expect(after(limit)).toEqual([limit, 16384]);
      const below = limit * (1 - 2 ** -12);
      const [scale, v] = after(below);
      expect(scale).toBe(1);
      expect(Math.abs(v - 16384 * below)).toBeLessThan(type === "i16" ? 1 : 1e-12);
      expect(after(below, 2)).toEqual([below, 16384]);
    },
  );

  it("f64: s v follows p ← (1 − ηλ) p − η g over many renormalisations, the exempt coordinate p ← p − η g", () => {
    const [rate, l2, length, steps] = [0.5, 0.1, 5, 1000];
    const p = Array.from({ length }, (_, i) => Math.cos(i));
    using arena = new Arena(memory, "decay");
    const kernel = bound(arena, "f64", decay("f64", p, { exempt: [4], l2 }));
    let renormalised = 0;
    for (let t = 0; t < steps; t++) {
      const touched = [t % 4, 4];
      const g = touched.map((i) => Math.sin(t + i));
      const before = kernel.scale();
      kernel.step(rate);
      if (kernel.scale() > before) renormalised++;
      for (let i = 0; i < 4; i++) p[i] *= 1 - rate * l2;
      touched.forEach((i, k) => {
        p[i] -= rate * g[k];
        kernel.v()[i] -= rate * kernel.pieces()[0] * g[k];
      });
      const now = [...kernel.v()].map((v) => v * kernel.scale());
      expect(Math.max(...now.map((value, i) => Math.abs(value - p[i])))).toBeLessThan(1e-11);
    }
    // 0.95^271 is the first power below 2⁻²⁰.
    expect(renormalised).toBe(Math.floor(steps / 271));
  });

  it("i16: rounds without bias", () => {
    // The mean of n is 100 · 0.873 = 87.3 with sd √(0.21 / n). A bound of 6 sds gives a false alarm in 5e8. Rounding to
    // the nearest would give 87, which is 167 sds off.
    const n = 2 ** 16;
    using arena = new Arena(memory, "decay");
    const kernel = bound(arena, "i16", decay("i16", new Array<number>(n).fill(100), { scale: 0.873, l2: 0 }));
    kernel.step(0.1);
    const mean = [...kernel.v()].reduce((sum, v) => sum + v, 0) / n;
    expect(Math.abs(mean - 87.3)).toBeLessThan(6 * Math.sqrt(0.21 / n));
  });

  it("computes a scheduled rate for the current update and stores it for the rule", () => {
    using arena = new Arena(memory, "decay");
    const kernel = bound(arena, "f64", decay("f64", [1], { l2: 1 }));
    const spec: ProgramSpec = {
      name: "rate",
      precision: "f64",
      operands: [],
      scalars: ["t"],
      stores: [],
      results: [{ scalar: "currentRate", value: div(1, scalar("t")) }],
    };
    const { program, functions } = linkProgram(engine, spec, arena);
    const words: [number, number][] = [
      [field.DECAY_RATE_END, functions[program.end!].slot],
      [field.DECAY_RATE_BLOCK, arena.take(program.blockBytes)],
      [field.DECAY_RATE_AT_T, program.scalars.t],
      [field.DECAY_RATE_AT_RATE, program.scalars.currentRate],
    ];
    for (const [at, value] of words) memory.u32(kernel.block + at, 1)[0] = value;
    kernel.step(99, 4);
    expect(kernel.rate()).toBe(1 / 4);
    expect(kernel.scale()).toBe(3 / 4);
    kernel.step(99, 8);
    expect(kernel.scale()).toBe((3 / 4) * (7 / 8));
  });
});

it("openDecay passes the scale times the parameter unit to the model", () => {
  using arena = new Arena(memory, "decay");
  const kernel = bound(arena, "i16", decay("i16", [5], { scale: 0.9 }));
  engine.kernel("openDecay", true)(kernel.block);
  expect(kernel.modelScale()).toBe(0.9 * UNIT);
  expect([...kernel.v()]).toEqual([5]);
});
