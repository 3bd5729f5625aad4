import { circulantScratchBytes } from "../../../memory/circulant.ts";
import { array, operation } from "../../signature.ts";
import { type ArrayCode, arrayPrimitive } from "../primitive.ts";
import { type SymbolicArray, shapeError, shapeText } from "../symbolic.ts";
import { reshape } from "./reshape.ts";

interface Blocks {
  readonly rows: number;
  readonly p: number;
  readonly q: number;
  readonly k: number;
}

const blocksOf = (node: SymbolicArray): Blocks => node.attributes as Blocks;

function forEachTerm({ rows, p, q, k }: Blocks, visit: (y: number, x: number, w: number) => void): void {
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < p; i++)
      for (let j = 0; j < q; j++)
        for (let a = 0; a < k; a++)
          for (let b = 0; b < k; b++) visit((r * p + i) * k + a, (r * q + j) * k + b, (i * q + j) * k + ((a - b + k) % k));
}

const code = (kernel: string): ArrayCode => ({
  form: "kernel",
  calls(node, _, type) {
    const { rows, p, q, k } = blocksOf(node);
    return [
      {
        kernel,
        args: [
          ...[rows, p, q, k].map((value) => ({ kind: "number" as const, value })),
          { kind: "argument", index: 0 },
          { kind: "argument", index: 1 },
          { kind: "result" },
          { kind: "scratch", bytes: circulantScratchBytes(rows, p, q, k, type === "f32" ? 4 : 8) },
        ],
      },
    ];
  },
});

const describe = (node: SymbolicArray): string => {
  const { p, q, k } = blocksOf(node);
  return `${p} × ${q} blocks of ${k}`;
};

const makeForward = arrayPrimitive({
  name: "circulant",
  evaluate(node, [x, w]) {
    const y = new Float64Array(node.size);
    forEachTerm(blocksOf(node), (yAt, xAt, wAt) => {
      y[yAt] += x[xAt] * w[wAt];
    });
    return y;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? input(adjoint, node.args[1], blocksOf(node)) : weight(node.args[0], adjoint, blocksOf(node)),
  rebuild: (node, [x, w]) => forward(x, w, blocksOf(node)),
  describe,
  code: code("circulant"),
});

const makeInput = arrayPrimitive({
  name: "circulantInput",
  evaluate(node, [dy, w]) {
    const dx = new Float64Array(node.size);
    forEachTerm(blocksOf(node), (yAt, xAt, wAt) => {
      dx[xAt] += dy[yAt] * w[wAt];
    });
    return dx;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? forward(adjoint, node.args[1], blocksOf(node)) : weight(adjoint, node.args[0], blocksOf(node)),
  rebuild: (node, [dy, w]) => input(dy, w, blocksOf(node)),
  describe,
  code: code("circulantInput"),
});

const makeWeight = arrayPrimitive({
  name: "circulantWeight",
  evaluate(node, [x, dy]) {
    const dw = new Float64Array(node.size);
    forEachTerm(blocksOf(node), (yAt, xAt, wAt) => {
      dw[wAt] += x[xAt] * dy[yAt];
    });
    return dw;
  },
  derivative: (adjoint, node, i) =>
    i === 0 ? input(node.args[1], adjoint, blocksOf(node)) : forward(node.args[0], adjoint, blocksOf(node)),
  rebuild: (node, [x, dy]) => weight(x, dy, blocksOf(node)),
  describe,
  code: code("circulantWeight"),
});

const forward = (x: SymbolicArray, w: SymbolicArray, b: Blocks): SymbolicArray => makeForward([x, w], [b.rows, b.p * b.k], b);
const input = (dy: SymbolicArray, w: SymbolicArray, b: Blocks): SymbolicArray => makeInput([dy, w], [b.rows, b.q * b.k], b);
const weight = (x: SymbolicArray, dy: SymbolicArray, b: Blocks): SymbolicArray => makeWeight([x, dy], [b.p, b.q, b.k], b);

/**
 * Block-circulant product: y[r, i·k + a] = Σ_j Σ_b w[i, j, (a − b) mod k] x[r, j·k + b], where w[i, j] is the first
 * column of block (i, j). The matrix has p × q blocks of side k. Such a matrix stores 1/k as many numbers as a full
 * matrix, and a product takes about as long as Fourier transforms of length k.
 *
 * x: […, q·k]; w: [p, q, k], first columns of the blocks. Returns […, p·k]. ⟨dy, y⟩ is linear in each of x, w and dy.
 * Each of the three primitives therefore has the other two as its derivatives. Code:
 * kernels/engine/images/circulant.ts. Source: Ding et al. 2017, CirCNN.
 * @throws CompileError unless the extents fit
 */
export const circulant = operation("circulant", { x: array, w: array }, (x: SymbolicArray, w: SymbolicArray): SymbolicArray => {
  const width = x.shape[x.rank - 1];
  if (x.rank < 1 || w.rank !== 3 || w.shape[1] * w.shape[2] !== width)
    throw shapeError(
      "circulant",
      `the array is ${shapeText(x.shape)} and the blocks ${shapeText(w.shape)}, but […, q·k] and [p, q, k] are wanted; pad the last axis`,
    );
  const [p, q, k] = w.shape;
  const rows = x.size / width;
  const y = forward(reshape(x, [rows, width]), w, { rows, p, q, k });
  return reshape(y, [...x.shape.slice(0, -1), p * k]);
});
