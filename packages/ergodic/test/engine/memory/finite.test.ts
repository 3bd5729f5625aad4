/**
 * kernels/engine/arrays/finite.ts agrees with Number.isFinite for single numbers. The memory around the numbers is not
 * finite.
 */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { loadFamily } from "../../../src/engine/memory/load.ts";
import { createThread } from "../../../src/engine/memory/worker.js";

const engine = await openEngine();

const types = {
  f32: { kernel: "areFiniteF32", bytes: 4, largest: 3.4028234663852886e38, smallest: 2 ** -149 },
  f64: { kernel: "areFiniteF64", bytes: 8, largest: Number.MAX_VALUE, smallest: Number.MIN_VALUE },
} as const;

describe.each(["f32", "f64"] as const)("areFinite, %s", (type) => {
  const { kernel, bytes, largest, smallest } = types[type];
  const fine = [0, -0, 1, -1, largest, -largest, smallest, -smallest];

  it.each([false, true])("finds a single non-finite number at any position: deterministic %s", (deterministic) => {
    using piece = engine.memory.allocate(64 * bytes, "finite test");
    const values = engine.memory[type](piece.pointer, 64);
    const areFinite = engine.kernel(kernel, deterministic);
    for (let count = 0; count <= 40; count++) {
      for (let first = 1; first <= 4; first++) {
        values.fill(NaN);
        for (let i = 0; i < count; i++) values[first + i] = fine[(i + count) % fine.length];
        const found = () => areFinite(piece.pointer + first * bytes, count);
        expect(found()).toBe(1);
        for (let at = first; at < first + count; at++) {
          const kept = values[at];
          for (const bad of [NaN, Infinity, -Infinity]) {
            values[at] = bad;
            // Called once for each failure only, because expect() is slow.
            if (found() !== 0) expect.fail(`${bad} at ${at - first} of ${count} is not found`);
          }
          values[at] = kept;
        }
      }
    }
  });

  it("finds every NaN, whatever its sign and bits", () => {
    using piece = engine.memory.allocate(64, "finite test");
    const words = engine.memory.u32(piece.pointer, 16);
    const high =
      type === "f32" ? [0x7f800001, 0x7fc00000, 0xff800001, 0xffffffff] : [0x7ff80000, 0xfff80000, 0x7ff00000, 0xffffffff];
    for (const bits of high) {
      words.fill(0);
      words.set(type === "f32" ? [0, bits] : [0, 0, 1, bits]);
      expect(engine.kernel(kernel, false)(piece.pointer, 64 / bytes)).toBe(0);
    }
  });

  it("reads nothing beyond the last number", async () => {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
    const thread = createThread(memory);
    thread.addBuild("simd", await loadFamily("arrays", "simd", true));
    for (let count = 0; count < 12; count++) {
      expect(thread.kernel("simd", kernel)(memory.buffer.byteLength - count * bytes, count)).toBe(1);
    }
    expect(() => thread.kernel("simd", kernel)(memory.buffer.byteLength - bytes, 2)).toThrow("memory access out of bounds");
  });
});
