/** kernels/engine/arrays/fill.ts: lengths 0 … 17, any alignment, and overlap. */
import { describe, expect, it } from "vitest";
import { openEngine } from "../../../src/engine/memory/engine.ts";
import { Guarded } from "./guarded.ts";

const engine = await openEngine();
const numbers = Array.from({ length: 60 }, (_, i) => i + 1);

describe.each([true, false])("deterministic: %s", (deterministic) => {
  it("zeroes only the given bytes", () => {
    for (let bytes = 0; bytes <= 17; bytes++) {
      for (let shift = 0; shift < 4; shift++) {
        using memory = new Guarded(engine);
        const at = memory.put("i8", numbers);
        engine.kernel("zero", deterministic)(at + shift, bytes);
        expect(memory.read("i8", at, 60)).toEqual(numbers.map((x, i) => (i >= shift && i < shift + bytes ? 0 : x)));
      }
    }
  });

  it("copies bytes, also onto themselves", () => {
    for (let bytes = 0; bytes <= 17; bytes++) {
      for (const [to, from] of [
        [0, 30],
        [31, 2],
        [3, 0],
        [0, 3],
        [5, 5],
      ]) {
        using memory = new Guarded(engine);
        const at = memory.put("i8", numbers);
        engine.kernel("copy", deterministic)(at + to, at + from, bytes);
        const wanted = [...numbers];
        wanted.splice(to, bytes, ...numbers.slice(from, from + bytes));
        expect(memory.read("i8", at, 60)).toEqual(wanted);
      }
    }
  });
});
