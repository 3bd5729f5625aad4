import { neg } from "../../primitives/arithmetic.ts";
import { array, flag, operation, optional, options } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { triangle } from "./composed.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

/** Options of `triangularSolve`. */
export interface TriangularOptions {
  /** Whether the lower triangle of L is read, rather than the upper triangle. Default true. */
  readonly lower?: boolean;
  /** Whether to solve Lᵀ X = B. Default false. */
  readonly transposed?: boolean;
}

const make = arrayPrimitive({
  name: "triangularSolve",
  evaluate(node, [l, b]) {
    const { lower, transposed } = node.attributes as Required<TriangularOptions>;
    const [n, m] = node.shape;
    const x = Float64Array.from(b);
    const forward = lower !== transposed;
    for (let step = 0; step < n; step++) {
      const i = forward ? step : n - 1 - step;
      for (let j = 0; j < m; j++) {
        for (let p = forward ? 0 : i + 1; p < (forward ? i : n); p++)
          x[i * m + j] -= l[transposed ? p * n + i : i * n + p] * x[p * m + j];
        x[i * m + j] /= l[i * n + i];
      }
    }
    return x;
  },
  derivative(adjoint, node, i) {
    const { lower, transposed } = node.attributes as Required<TriangularOptions>;
    const flow = triangularSolve(node.args[0], adjoint, { lower, transposed: !transposed });
    if (i === 1) return flow;
    const outer = transposed ? matmul(node, transpose(flow)) : matmul(flow, transpose(node));
    return neg(triangle(outer, { upper: !lower }));
  },
  rebuild: (node, [l, b]) => triangularSolve(l, b, node.attributes as TriangularOptions),
  describe(node) {
    const { lower, transposed } = node.attributes as Required<TriangularOptions>;
    return `${lower ? "lower" : "upper"}${transposed ? ", transposed" : ""}`;
  },
  code: {
    form: "kernel",
    calls(node) {
      const { lower, transposed } = node.attributes as Required<TriangularOptions>;
      const [n, m] = node.shape;
      const number = (value: number) => ({ kind: "number" as const, value });
      const operands = [{ kind: "argument" as const, index: 1 }, { kind: "result" as const }];
      const head = [number(n), number(m), { kind: "argument" as const, index: 0 }];
      return [{ kernel: "triangularSolve", args: [...head, number(Number(lower)), number(Number(transposed)), ...operands] }];
    },
  },
});

/**
 * Solves op(L) X = B for triangular L, where op(L) is L or Lᵀ. l: [n, n], but only one triangle and the diagonal are
 * read. b: [n, m] or [n]. A zero on the diagonal gives ±∞ or NaN.
 *
 * Derivative: B̄ = op(L)⁻ᵀ X̄, and the adjoint of op(L) is that triangle of −B̄ Xᵀ. Code:
 * kernels/engine/arrays/triangular.ts.
 * @throws CompileError unless the shapes fit
 */
export const triangularSolve = operation(
  "triangularSolve",
  { l: array, b: array, options: optional(options({ lower: flag, transposed: flag })) },
  (l: SymbolicArray, b: SymbolicArray, options: TriangularOptions = {}): SymbolicArray => {
    const { lower = true, transposed = false } = options;
    const [n] = l.shape;
    if (l.rank !== 2 || l.shape[1] !== n || (b.rank !== 1 && b.rank !== 2) || b.shape[0] !== n)
      throw shapeError(
        "triangularSolve",
        `the matrix is ${shapeText(l.shape)} and the right side ${shapeText(b.shape)}, but [n, n] and [n, m] or [n] are wanted`,
      );
    const x = make([l, reshape(b, [n, b.size / n])], [n, b.size / n], { lower, transposed });
    return reshape(x, b.shape);
  },
);
