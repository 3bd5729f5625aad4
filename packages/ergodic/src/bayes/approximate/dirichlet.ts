/** Dirichlet distributions as variational factors: E[log θ_k] = ψ(a_k) − ψ(Σa), and the divergence between two. */
import { digamma, lgamma } from "../../engine/numbers/gamma.ts";

const sum = (a: Float64Array): number => a.reduce((total, v) => total + v, 0);

/** Returns E[log θ]. */
export function expectedLog(a: Float64Array): Float64Array {
  const all = digamma(sum(a));
  return a.map((v) => digamma(v) - all);
}

/** Returns KL(Dir(a) ‖ Dir(prior, prior, …)) in nats. */
export function dirichletDivergence(a: Float64Array, prior: number): number {
  const logs = expectedLog(a);
  let value = lgamma(sum(a)) - lgamma(prior * a.length) + a.length * lgamma(prior);
  for (let k = 0; k < a.length; k++) value += (a[k] - prior) * logs[k] - lgamma(a[k]);
  return value;
}
