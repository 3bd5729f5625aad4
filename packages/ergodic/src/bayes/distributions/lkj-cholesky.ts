import {
  add,
  constantArray,
  diagonal,
  lgamma,
  log,
  mul,
  type SymbolicArray,
  slice,
  sub,
  sum,
  toArray,
} from "../../engine/compiler/index.ts";
import { number, operation } from "../../engine/compiler/signature.ts";
import { CompileError, checkNumber } from "../../engine/errors/errors.ts";
import { drawBeta } from "../../engine/random/draw-gamma.ts";
import { withUserLine } from "../model/user-line.ts";
import { type Parameter, parameterArray } from "./distribution.ts";
import type { Family } from "./family.ts";
import { parameter } from "./kinds.ts";
import { minus } from "./terms.ts";
import { Distribution } from "./value.ts";

const LOG_PI = 1.1447298858494002;

/** log ∫ |R|^(η−1) dR over correlation matrices. */
function logVolume(d: number, eta: SymbolicArray): SymbolicArray {
  const k = constantArray(Array.from({ length: d - 1 }, (_, i) => i + 1));
  const rising = sum(lgamma(add(eta, mul(0.5, sub(d - 1, k)))));
  const falling = mul(d - 1, lgamma(add(eta, (d - 1) / 2)));
  return minus(add(rising, (d * (d - 1) * LOG_PI) / 4), falling);
}

function logDensity(d: number, x: SymbolicArray, eta: SymbolicArray): SymbolicArray {
  if (x.rank !== 2 || x.shape[0] !== d || x.shape[1] !== d)
    throw new CompileError("lkjCholesky", `x has shape [${x.shape.join(", ")}], but must be [${d}, ${d}]`, "COMPILE_SHAPE");
  if (eta.size !== 1)
    throw new CompileError("lkjCholesky", `eta has ${eta.size} elements, but must be one number`, "COMPILE_SHAPE");
  if (d === 1) return toArray(0);
  const rows = constantArray(Array.from({ length: d - 1 }, (_, i) => d - 2 - i));
  const powers = add(rows, mul(2, sub(eta, 1)));
  return sub(sum(mul(powers, log(slice(diagonal(x), { from: 1 })))), logVolume(d, eta));
}

/**
 * LKJ distribution of Cholesky factors L of correlation matrices R = L Lᵀ: p(R) ∝ |R|^(η−1), so that log p(L) =
 * Σ_{i=1..d−1} (d − 1 − i + 2η − 2) log L_ii + log constant (rows from 0).
 *
 * x: [d, d], lower triangular, rows of length 1, positive diagonal. The density is with respect to the elements below
 * the diagonal; the elements above are not read. d (`dimension`): a whole number >= 1. η (`eta`) > 0: 1 is uniform over
 * R; larger values concentrate R near the identity.
 *
 * Source: Lewandowski, Kurowicka, Joe 2009 (their onion sampler).
 *
 * dimension: a whole number >= 1; eta > 0. Draws are [dimension, dimension], row-major.
 */
export const lkjCholesky = operation(
  "lkjCholesky",
  { dimension: number, eta: parameter },
  (dimension: number, eta: Parameter): Distribution => withUserLine(() => lkj(dimension, eta)),
);

function lkj(dimension: number, eta: Parameter): Distribution {
  checkNumber("lkjCholesky", "dimension", dimension, { low: 1, high: 4096, integer: true });
  const d = dimension;
  const family: Family = {
    name: "lkjCholesky",
    kind: "continuous",
    eventRank: 2,
    eventShape: [d, d],
    constraints: { eta: "positive" },
    support: () => ({ kind: "correlationCholesky" }),
    logDensity: (x, p) => logDensity(d, x, p.eta),
    sample(draws, values) {
      const l = new Float64Array(d * d);
      l[0] = 1;
      for (let i = 1; i < d; i++) {
        const share = drawBeta(draws, i / 2, (values.eta as number) + (d - 1 - i) / 2);
        const direction = Float64Array.from({ length: i }, () => draws.normal());
        const length = Math.sqrt(direction.reduce((total, z) => total + z * z, 0));
        direction.forEach((z, j) => {
          l[i * d + j] = (Math.sqrt(share) * z) / length;
        });
        l[i * d + i] = Math.sqrt(1 - share);
      }
      return l;
    },
  };
  return new Distribution(family, { eta: parameterArray("lkjCholesky", "eta", "positive", eta) });
}
