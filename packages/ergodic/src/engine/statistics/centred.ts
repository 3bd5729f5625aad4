/** Chains with their means and sums of squares, which both R̂ and effective sizes need. */
import { meanOf, squaresAbout } from "./moments.ts";

export interface CentredChains {
  readonly draws: Float64Array;
  readonly chainCount: number;
  /** x̄ of each chain. */
  readonly means: Float64Array;
  /** Σ(x − x̄)² of each chain. */
  readonly squares: Float64Array;
}

export function centredChains(draws: Float64Array, chainCount: number): CentredChains {
  const n = draws.length / chainCount;
  const means = new Float64Array(chainCount);
  const squares = new Float64Array(chainCount);
  for (let chain = 0; chain < chainCount; chain++) {
    const start = chain * n;
    means[chain] = meanOf(draws, start, start + n);
    squares[chain] = squaresAbout(means[chain], draws, start, start + n);
  }
  return { draws, chainCount, means, squares };
}
