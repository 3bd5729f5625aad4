/** All distributions of this library, an explicit list. */
export { bernoulli, bernoulliLogit } from "./bernoulli.ts";
export { beta } from "./beta.ts";
export { betaBinomial, binomial, binomialLogit } from "./binomial.ts";
export { categorical, categoricalLogit, multinomial } from "./categorical.ts";
export { cauchy, halfCauchy } from "./cauchy.ts";
export { type Censoring, censored } from "./censored.ts";
export type { Constraint, NumberOf, Support, Values } from "./constraint.ts";
export { dirichlet } from "./dirichlet.ts";
export { discreteUniform } from "./discrete-uniform.ts";
export {
  type Definition,
  type DistributionOf,
  distribution,
  distributionNames,
  distributionOf,
  type Parameter,
} from "./distribution.ts";
export { exponential } from "./exponential.ts";
export type { Family, SymbolicParameters } from "./family.ts";
export { gamma, inverseGamma } from "./gamma.ts";
export { bernoulliLogitGlm, normalIdGlm, poissonLogGlm } from "./generalised-linear.ts";
export { geometric } from "./geometric.ts";
export { laplace } from "./laplace.ts";
export { type DistributionRow, distributionLedger } from "./ledger.ts";
export { lkjCholesky } from "./lkj-cholesky.ts";
export { logistic } from "./logistic.ts";
export { lognormal } from "./lognormal.ts";
export { mixture } from "./mixture.ts";
export { multivariateNormal, multivariateNormalCholesky, multivariateNormalPrecision } from "./multivariate-normal.ts";
export { negativeBinomial, negativeBinomialMean } from "./negative-binomial.ts";
export { halfNormal, normal } from "./normal.ts";
export { orderedLogistic } from "./ordered-logistic.ts";
export { pareto } from "./pareto.ts";
export { poisson, poissonLog } from "./poisson.ts";
export { halfStudent, student } from "./student.ts";
export { type Bounds, truncated } from "./truncated.ts";
export { uniform } from "./uniform.ts";
export { Distribution, type Inputs, type SampleOptions } from "./value.ts";
export { vonMises } from "./von-mises.ts";
export { weibull } from "./weibull.ts";
export { zeroInflated } from "./zero-inflated.ts";
