import { add, mul, sub } from "../../primitives/arithmetic.ts";
import { log } from "../../primitives/functions.ts";
import { sum } from "../../primitives/reductions.ts";
import { array, operation } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { diagonal, identity, triangle } from "./composed.ts";
import { matmul } from "./matmul.ts";
import { transpose } from "./transpose.ts";
import { triangularSolve } from "./triangular-solve.ts";

const make = arrayPrimitive({
  name: "cholesky",
  evaluate(node, [a]) {
    const [n] = node.shape;
    const l = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let rest = a[i * n + j];
        for (let p = 0; p < j; p++) rest -= l[i * n + p] * l[j * n + p];
        if (i > j) l[i * n + j] = rest / l[j * n + j];
        else if (rest > 0 && rest < Infinity) l[i * n + i] = Math.sqrt(rest);
        else return l.fill(NaN);
      }
    return l;
  },
  derivative(adjoint, l) {
    const half = sub(1, mul(0.5, identity(l.shape[0])));
    const inner = mul(triangle(matmul(transpose(l), adjoint)), half);
    // Computes L⁻ᵀ Φ, and then multiplies this product from the right in the same way: S = (L⁻ᵀ (L⁻ᵀ Φ)ᵀ)ᵀ.
    const left = triangularSolve(l, inner, { transposed: true });
    const mirrored = triangularSolve(l, transpose(left), { transposed: true });
    return mul(triangle(add(mirrored, transpose(mirrored))), half);
  },
  rebuild: (_, [a]) => cholesky(a),
  code: {
    form: "kernel",
    calls: (node) => [
      {
        kernel: "cholesky",
        args: [{ kind: "number", value: node.shape[0] }, { kind: "argument", index: 0 }, { kind: "result" }],
        returns: "i32",
      },
    ],
  },
});

/**
 * Cholesky factor: the lower triangular L with a positive diagonal and A = L Lᵀ. a: [n, n], symmetric and positive
 * definite; only its lower triangle is read. NaN everywhere if A is not positive definite.
 *
 * Derivative: Ā = tril(S + Sᵀ) − diag S with S = L⁻ᵀ Φ(Lᵀ L̄) L⁻¹, where Φ takes the lower triangle and halves its
 * diagonal. In a symmetric matrix, an element below the diagonal also determines its mirror image above the diagonal.
 * Source: Murray 2016. Code: kernels/engine/arrays/cholesky.ts.
 * @throws CompileError unless a is square
 */
export const cholesky = operation("cholesky", { a: array }, (a: SymbolicArray): SymbolicArray => {
  if (a.rank !== 2 || a.shape[0] !== a.shape[1])
    throw shapeError("cholesky", `the array is ${shapeText(a.shape)}, but a square matrix is wanted`);
  return make([a], a.shape);
});

/**
 * log |A| of a symmetric, positive definite A: [n, n]; NaN if it is not positive definite.
 * @throws CompileError unless a is square
 */
export const logDeterminant = operation(
  "logDeterminant",
  { a: array },
  (a: SymbolicArray): SymbolicArray => logDeterminantOfCholesky(cholesky(a)),
);

/** log |L Lᵀ| = 2 Σ log L_ii. */
export const logDeterminantOfCholesky = operation(
  "logDeterminantOfCholesky",
  { l: array },
  (l: SymbolicArray): SymbolicArray => mul(2, sum(log(diagonal(l)))),
);

/** A⁻¹ B from the Cholesky factor of A. b: [n, m] or [n]. */
export const choleskySolve = operation(
  "choleskySolve",
  { l: array, b: array },
  (l: SymbolicArray, b: SymbolicArray): SymbolicArray => triangularSolve(l, triangularSolve(l, b), { transposed: true }),
);
