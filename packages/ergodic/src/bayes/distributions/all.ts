/**
 * Every distribution, one per line. The registry, the public entry, generated pages and the conformance tests read this
 * list.
 */
export * from "./bernoulli.ts";
export * from "./beta.ts";
export * from "./binomial.ts";
export { categorical, categoricalLogit, multinomial } from "./categorical.ts";
export * from "./cauchy.ts";
export * from "./censored.ts";
export * from "./dirichlet.ts";
export * from "./discrete-uniform.ts";
export * from "./exponential.ts";
export * from "./gamma.ts";
export * from "./generalised-linear.ts";
export * from "./geometric.ts";
export * from "./laplace.ts";
export * from "./lkj-cholesky.ts";
export * from "./logistic.ts";
export * from "./lognormal.ts";
export * from "./mixture.ts";
export * from "./multivariate-normal.ts";
export * from "./negative-binomial.ts";
export * from "./normal.ts";
export * from "./ordered-logistic.ts";
export * from "./pareto.ts";
export * from "./poisson.ts";
export * from "./student.ts";
export { type Bounds, truncated } from "./truncated.ts";
export * from "./uniform.ts";
export * from "./von-mises.ts";
export * from "./weibull.ts";
export * from "./zero-inflated.ts";
