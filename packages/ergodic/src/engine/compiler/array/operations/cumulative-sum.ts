/**
 * Cumulative sums along an axis: y[t] = Σ x[s] over s ≤ t or, in reverse, over s ≥ t. Each is the adjoint of the other.
 * Code: kernels/engine/arrays/cumulate.ts.
 */
import { array, flag, operation, optional, options, whole } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { axisOf, type SymbolicArray, sizeOf } from "../symbolic.ts";

interface Running {
  readonly axis: number;
  readonly reverse: boolean;
}

/** Returns [outer, n, inner] around the axis. */
function extents({ shape, attributes }: SymbolicArray): [outer: number, n: number, inner: number] {
  const { axis } = attributes as Running;
  return [sizeOf(shape.slice(0, axis)), shape[axis], sizeOf(shape.slice(axis + 1))];
}

const make = arrayPrimitive({
  name: "cumsum",
  evaluate(node, [x]) {
    const { reverse } = node.attributes as Running;
    const [outer, n, inner] = extents(node);
    const y = new Float64Array(node.size);
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let total = 0;
        for (let t = 0; t < n; t++) {
          const at = (o * n + (reverse ? n - 1 - t : t)) * inner + i;
          y[at] = total += x[at];
        }
      }
    return y;
  },
  derivative(adjoint, node) {
    const { axis, reverse } = node.attributes as Running;
    return cumsum(adjoint, { axis, reverse: !reverse });
  },
  rebuild: (node, [x]) => cumsum(x, node.attributes as Running),
  describe(node) {
    const { axis, reverse } = node.attributes as Running;
    return `axis ${axis}${reverse ? ", reverse" : ""}`;
  },
  code: {
    form: "kernel",
    calls(node) {
      const [outer, n, inner] = extents(node).map((value) => ({ kind: "number" as const, value }));
      const reverse = Number((node.attributes as Running).reverse);
      const args = [outer, n, inner, { kind: "argument" as const, index: 0 }, { kind: "result" as const }];
      return [{ kernel: "cumulativeSum", args: [...args, { kind: "number", value: reverse }] }];
    },
  },
});

/**
 * Cumulative sums of x along `axis` (default 0). Each sum includes the element itself. With `reverse`, sums start from
 * the end.
 * @throws CompileError for an axis that does not exist
 */
export const cumsum = operation(
  "cumsum",
  { x: array, options: optional(options({ axis: whole, reverse: flag })) },
  (x: SymbolicArray, options: { axis?: number; reverse?: boolean } = {}): SymbolicArray => {
    const { axis = 0, reverse = false } = options;
    const along = axisOf("cumsum", axis, x.rank);
    return x.shape[along] === 1 ? x : make([x], x.shape, { axis: along, reverse });
  },
);
