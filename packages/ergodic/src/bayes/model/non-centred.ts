import {
  add,
  broadcastTo,
  diagonal,
  exp,
  interpret,
  log,
  matmul,
  matrixTranspose,
  mul,
  type SymbolicArray,
  sum,
  toArray,
} from "../../engine/compiler/index.ts";
import { CapabilityError } from "../../engine/errors/errors.ts";
import { log as logOf } from "../../engine/numbers/log.ts";
import { Distribution, type Inputs, normal } from "../distributions/index.ts";

export interface NonCentred {
  /** Distribution of z. */
  readonly standard: Distribution;
  readonly value: SymbolicArray;
  /** log |∂x/∂z|, summed over all elements. */
  readonly logJacobian: SymbolicArray;
  /** Returns the z that corresponds to x, in plain numbers. */
  standardise(x: ArrayLike<number>, inputs: Inputs): Float64Array;
}

/** Whether a prior has a location and a scale, which a non-centred parameter needs. */
export const hasLocationScale = ({ name, family }: Distribution): boolean =>
  name === "multivariateNormalCholesky" || family.locationScale !== undefined;

/**
 * Non-centred parameters: x = μ + σz. The sampled variable is z, which has the standard distribution and is independent
 * of μ and σ a priori. Location-scale families: normal, cauchy, student, laplace, logistic. Log-normal: x = exp(μ +
 * σz). Multivariate normal with a factor: x = μ + Lz. log |∂x/∂z| = Σ log σ (+ Σ log x; log |L| per row). Source:
 * Papaspiliopoulos, Roberts, Sköld 2007.
 *
 * z: has the parameter's shape. @throws CapabilityError for a family without location and scale
 */
export function nonCentred(name: string, prior: Distribution, z: SymbolicArray): NonCentred {
  if (prior.name === "multivariateNormalCholesky") return byFactor(prior, z);
  const { locationScale } = prior.family;
  if (!locationScale)
    throw new CapabilityError(
      `param "${name}"`,
      `it is not centred, but ${prior.name} has no location and scale; leave out centred: false, or use one of normal, cauchy, student, laplace, logistic, lognormal, multivariateNormalCholesky`,
      "MODEL_NON_CENTRED",
    );
  const { mu } = prior.parameters;
  const { scale: scaleName, log: isLog = false } = locationScale;
  const scale = prior.parameters[scaleName];
  const linear = add(mu, mul(scale, z));
  const logScale = sum(broadcastTo(log(scale), z.shape));
  return {
    standard: isLog
      ? normal(0, 1)
      : new Distribution(prior.family, { ...prior.parameters, mu: toArray(0), [scaleName]: toArray(1) }),
    value: isLog ? exp(linear) : linear,
    logJacobian: isLog ? add(logScale, sum(linear)) : logScale,
    standardise(x, inputs) {
      const [centre, spread] = interpret([broadcastTo(mu, z.shape), broadcastTo(scale, z.shape)], inputs);
      return Float64Array.from(x, (v, i) => ((isLog ? logOf(v) : v) - centre[i]) / spread[i]);
    },
  };
}

function byFactor({ parameters: { mu, factor } }: Distribution, z: SymbolicArray): NonCentred {
  const d = factor.shape[0];
  const rows = z.size / d;
  return {
    // z has d independent numbers, whose log densities the model sums.
    standard: normal(0, 1),
    value: add(mu, matmul(z, matrixTranspose(factor))),
    logJacobian: mul(rows, sum(log(diagonal(factor)))),
    standardise(x, inputs) {
      const [centre, l] = interpret([broadcastTo(mu, z.shape), factor], inputs);
      const out = Float64Array.from(x, (v, i) => v - centre[i]);
      for (let r = 0; r < rows; r++)
        for (let i = 0; i < d; i++) {
          for (let k = 0; k < i; k++) out[r * d + i] -= l[i * d + k] * out[r * d + k];
          out[r * d + i] /= l[i * d + i];
        }
      return out;
    },
  };
}
