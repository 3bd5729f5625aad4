/**
 * Solves systems of linear equations by the factorisation P A = L U. The factorisation is a separate argument, so that
 * many right-hand sides and the derivatives can share it. Derivatives flow directly to A. Code:
 * kernels/engine/arrays/lu.ts.
 */
import { neg } from "../../primitives/arithmetic.ts";
import { array, operation } from "../../signature.ts";
import { arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { matmul } from "./matmul.ts";
import { reshape } from "./reshape.ts";
import { transpose } from "./transpose.ts";

const makeFactor = arrayPrimitive({
  name: "luFactor",
  evaluate(node, [a]) {
    const n = node.shape[1];
    const f = Float64Array.from({ length: n * (n + 1) }, (_, i) => a[i] ?? 0);
    for (let k = 0; k < n; k++) {
      let best = k;
      for (let i = k + 1; i < n; i++) if (Math.abs(f[i * n + k]) > Math.abs(f[best * n + k])) best = i;
      const pivot = f[best * n + k];
      if (!(Math.abs(pivot) > 0 && Math.abs(pivot) < Infinity)) return f.fill(NaN);
      f[n * n + k] = best;
      if (best !== k) for (let j = 0; j < n; j++) [f[k * n + j], f[best * n + j]] = [f[best * n + j], f[k * n + j]];
      for (let i = k + 1; i < n; i++) {
        f[i * n + k] /= pivot;
        for (let j = k + 1; j < n; j++) f[i * n + j] -= f[i * n + k] * f[k * n + j];
      }
    }
    return f;
  },
  // The derivative of luSolve flows directly to the matrix, so luFactor has no derivative.
  derivative: () => null,
  rebuild: (_, [a]) => luFactor(a),
  code: {
    form: "kernel",
    calls: (node) => [
      {
        kernel: "luFactor",
        args: [{ kind: "number", value: node.shape[1] }, { kind: "argument", index: 0 }, { kind: "result" }],
      },
    ],
  },
});

const makeSolve = arrayPrimitive({
  name: "luSolve",
  evaluate(node, [f, , b]) {
    const [n, m] = node.shape;
    const x = Float64Array.from(b);
    const subtract = (i: number, j: number, by: number): void => {
      for (let c = 0; c < m; c++) x[i * m + c] -= by * x[j * m + c];
    };
    const scale = (i: number): void => {
      for (let c = 0; c < m; c++) x[i * m + c] /= f[i * n + i];
    };
    const exchange = (i: number): void => {
      const other = f[n * n + i];
      if (other > i) for (let c = 0; c < m; c++) [x[i * m + c], x[other * m + c]] = [x[other * m + c], x[i * m + c]];
    };
    if (node.attributes === true) {
      for (let i = 0; i < n; i++) {
        scale(i);
        for (let j = i + 1; j < n; j++) subtract(j, i, f[i * n + j]);
      }
      for (let i = n - 1; i >= 0; i--) for (let j = 0; j < i; j++) subtract(j, i, f[i * n + j]);
      for (let i = n - 1; i >= 0; i--) exchange(i);
      return x;
    }
    for (let i = 0; i < n; i++) exchange(i);
    for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) subtract(i, j, f[i * n + j]);
    for (let i = n - 1; i >= 0; i--) {
      for (let j = i + 1; j < n; j++) subtract(i, j, f[i * n + j]);
      scale(i);
    }
    return x;
  },
  derivative(adjoint, node, i) {
    if (i === 0) return null;
    const [factor, a] = node.args;
    const flow = makeSolve([factor, a, adjoint], adjoint.shape, node.attributes !== true);
    if (i === 2) return flow;
    return neg(node.attributes === true ? matmul(node, transpose(flow)) : matmul(flow, transpose(node)));
  },
  rebuild: (node, args) => makeSolve(args, node.shape, node.attributes),
  describe: (node) => (node.attributes === true ? "transposed" : ""),
  code: {
    form: "kernel",
    calls(node) {
      const [n, m] = node.shape;
      const number = (value: number) => ({ kind: "number" as const, value });
      const argument = (index: number) => ({ kind: "argument" as const, index });
      const args = [number(n), number(m), argument(0), number(Number(node.attributes)), argument(2), { kind: "result" as const }];
      return [{ kernel: "luSolve", args }];
    },
  },
});

/** Returns L, U and the row exchanges as one array, [n + 1, n], in a format that only luSolve reads. */
export const luFactor = (a: SymbolicArray): SymbolicArray => makeFactor([a], [a.shape[0] + 1, a.shape[0]]);

/** Solves A X = B for X, given the factor of A. b: [n, m] or [n]. */
export function luSolve(factor: SymbolicArray, a: SymbolicArray, b: SymbolicArray): SymbolicArray {
  const right = reshape(b, [a.shape[0], -1]);
  return reshape(makeSolve([factor, a, right], right.shape, false), b.shape);
}

/**
 * Solution X of A X = B for any invertible A: [n, n], by elimination with partial pivoting. B: [n, m] or [n]. NaN
 * everywhere if A is singular. The derivative is B̄ = A⁻ᵀ X̄, Ā = −B̄ Xᵀ, computed with the same factorisation. For a
 * symmetric, positive definite A, `choleskySolve` is faster.
 *
 * @throws CompileError unless the shapes fit
 */
export const solve = operation("solve", { a: array, b: array }, (a: SymbolicArray, b: SymbolicArray): SymbolicArray => {
  const [n] = a.shape;
  if (a.rank !== 2 || a.shape[1] !== n || (b.rank !== 1 && b.rank !== 2) || b.shape[0] !== n)
    throw shapeError(
      "solve",
      `the matrix is ${shapeText(a.shape)} and the right side ${shapeText(b.shape)}, but [n, n] and [n, m] or [n] are wanted`,
    );
  return luSolve(luFactor(a), a, b);
});
