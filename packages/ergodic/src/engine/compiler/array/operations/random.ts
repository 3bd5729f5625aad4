/**
 * Random arrays. Random arrays depend only on the run's key, the update and the stream's index, so that a repeated run
 * draws the same numbers.
 *
 * uniform: [0, 1). normal: mean 0, variance 1, |z| < 8.3. An array's numbers do not depend on its size: a longer array
 * starts with the same numbers as a shorter one. Two arrays from the same stream contain the same numbers, so give each
 * array its own stream. Within a scan, every step would draw the same numbers. Therefore draw all numbers outside the
 * scan, and scan over them. In float64, the code in kernels/engine/arrays/fill-random.ts gives the same bits. In
 * float32, uniform numbers use 24 bits, which differ from the float64 bits.
 */
import { normalQuantile } from "../../../numbers/normal-quantile.ts";
import { philox } from "../../../random/philox.ts";
import { number, operation, shape } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type Shape, type SymbolicArray, shapeError } from "../symbolic.ts";

/**
 * Returns 53 bits of words 2i and 2i + 1 of Philox blocks [⌊w/4⌋, stream, update low, update high], divided by 2^53.
 */
export function fillUniform(count: number, key: readonly [number, number], update: number, stream: number): Float64Array {
  const words = new Uint32Array(4);
  const high = Math.floor(update / 2 ** 32);
  return Float64Array.from({ length: count }, (_, i) => {
    if (i % 2 === 0) philox(words, i / 2, stream, update >>> 0, high, key[0], key[1]);
    const at = 2 * (i % 2);
    return ((words[at] >>> 5) * 67108864 + (words[at + 1] >>> 6)) * 2 ** -53;
  });
}

/**
 * Returns the standard normal draw for the same words. The draw is the quantile at the midpoint of an interval that 52
 * of the 53 bits define.
 */
function normalOf(u: number): number {
  const bits = u * 2 ** 53;
  const upper = Math.floor(bits / 134217728);
  const lower = bits % 67108864;
  return normalQuantile((upper * 67108864 + lower + 0.5) * 2 ** -52);
}

type Kind = "uniform" | "normal";

function randomPrimitive(kind: Kind, kernel: string): (shape: Shape, stream: number) => SymbolicArray {
  const make = arrayPrimitive({
    name: kind,
    evaluate(node, _, around) {
      const u = around.uniform(node.attributes as number, node.size);
      return kind === "uniform" ? u : u.map(normalOf);
    },
    derivative: () => null,
    rebuild: (node) => node,
    describe: (node) => `stream ${node.attributes}`,
    code: {
      form: "kernel",
      calls: (node) => [
        {
          kernel,
          args: [
            { kind: "result" },
            { kind: "number", value: node.size },
            { kind: "field", name: "keyLow" },
            { kind: "field", name: "keyHigh" },
            { kind: "field", name: "update" },
            { kind: "number", value: (node.attributes as number) | 0 },
          ],
        },
      ],
    },
  });
  return operation(kind, { shape, stream: number }, (shape: Shape, stream: number): SymbolicArray => {
    if (!Number.isInteger(stream) || stream < 0 || stream >= 2 ** 32)
      throw shapeError(kind, `stream is ${stream}, but must be an integer from 0 to 2^32 − 1`);
    return make([], shape, stream);
  });
}

/** Independent uniform numbers in [0, 1) of stream `stream`: an integer in [0, 2^32); samplers draw from stream 0. */
export const uniform = randomPrimitive("uniform", "fillUniform");

/** Independent standard normal draws from stream `stream`. */
export const normal = randomPrimitive("normal", "fillNormal");
