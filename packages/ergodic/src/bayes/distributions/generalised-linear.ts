/**
 * Responses of generalised linear models: the distribution of y given the linear predictor η = Xβ + α, as a single
 * function.
 *
 * x: [n, k]. alpha: a number or [n]. beta: [k]. The compiler fuses link, density and their derivatives into one pass
 * over the n rows. The density of each row remains available.
 *
 * @throws CompileError unless the shapes fit
 */
import { add, matmul, type SymbolicArray } from "../../engine/compiler/index.ts";
import { operation } from "../../engine/compiler/signature.ts";
import { withUserLine } from "../model/user-line.ts";
import { bernoulliLogit } from "./bernoulli.ts";
import { type Parameter, parameterArray } from "./distribution.ts";
import { parameter } from "./kinds.ts";
import { normal } from "./normal.ts";
import { poissonLog } from "./poisson.ts";
import type { Distribution } from "./value.ts";

function predictor(where: string, x: Parameter, alpha: Parameter, beta: Parameter): SymbolicArray {
  const rows = parameterArray(where, "x", "vector", x);
  return add(matmul(rows, parameterArray(where, "beta", "vector", beta)), parameterArray(where, "alpha", "real", alpha));
}

/** Bernoulli y in {0, 1} with logit Xβ + α. */
export const bernoulliLogitGlm = operation(
  "bernoulliLogitGlm",
  { x: parameter, alpha: parameter, beta: parameter },
  (x: Parameter, alpha: Parameter, beta: Parameter): Distribution =>
    withUserLine(() => bernoulliLogit(predictor("bernoulliLogitGlm", x, alpha, beta))),
);

/** Poisson counts y with mean exp(Xβ + α). */
export const poissonLogGlm = operation(
  "poissonLogGlm",
  { x: parameter, alpha: parameter, beta: parameter },
  (x: Parameter, alpha: Parameter, beta: Parameter): Distribution =>
    withUserLine(() => poissonLog(predictor("poissonLogGlm", x, alpha, beta))),
);

/** Normal y with mean Xβ + α and standard deviation σ. */
export const normalIdGlm = operation(
  "normalIdGlm",
  { x: parameter, alpha: parameter, beta: parameter, sigma: parameter },
  (x: Parameter, alpha: Parameter, beta: Parameter, sigma: Parameter): Distribution =>
    withUserLine(() => normal(predictor("normalIdGlm", x, alpha, beta), sigma)),
);
