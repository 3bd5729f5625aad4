import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/** ln of the mean weight, and the ends of an interval for this value. */
export interface LogMean {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/**
 * Sums of weights, in total and by state of each variable. Each weight is at most e^logBound. Weights are stored
 * relative to the bound, in [0, 1], so that the empirical Bernstein inequality applies: with probability 1 − δ, |mean −
 * truth| ≤ √(2 V ln(4/δ)/n) + 7 ln(4/δ)/(3(n − 1)). Source: Maurer and Pontil 2009.
 */
export class WeightSums {
  /** Number of weights so far. */
  count = 0;
  readonly logBound: number;
  private sum = 0;
  private squares = 0;
  /**
   * Sums by variable and state (`sums`), sums of squares (`squaresOf`), and index of each variable's first state
   * (`first`).
   */
  private readonly sums: Float64Array;
  private readonly squaresOf: Float64Array;
  private readonly first: Int32Array;

  /** `byState`: whether sums by state are needed. */
  constructor(cardinalities: readonly number[], logBound: number, byState: boolean) {
    this.logBound = logBound;
    this.first = new Int32Array(cardinalities.length + 1);
    cardinalities.forEach((count, variable) => {
      this.first[variable + 1] = this.first[variable] + count;
    });
    const size = byState ? this.first[cardinalities.length] : 0;
    this.sums = new Float64Array(size);
    this.squaresOf = new Float64Array(size);
  }

  add(logWeight: number, states: Int32Array): void {
    this.count++;
    if (logWeight === -Infinity) return;
    const weight = Math.min(1, exp(logWeight - this.logBound));
    const square = weight * weight;
    this.sum += weight;
    this.squares += square;
    if (this.sums.length === 0) return;
    for (let variable = 0; variable < states.length; variable++) {
      const at = this.first[variable] + states[variable];
      this.sums[at] += weight;
      this.squaresOf[at] += square;
    }
  }

  /** Effective sample size of the weights. */
  get effectiveSize(): number {
    return this.squares > 0 ? (this.sum * this.sum) / this.squares : 0;
  }

  /** Standard error of the mean, relative to the mean. */
  get relativeError(): number {
    const { count, sum, squares } = this;
    const mean = sum / count;
    return sum > 0 ? Math.sqrt(Math.max(0, squares / count - mean * mean) / count) / mean : Infinity;
  }

  /** Returns ln Z with an interval that misses it with probability at most `delta`. */
  total(delta: number): LogMean {
    return this.logMean(this.sum, this.squares, delta);
  }

  /** Returns p(s) for each state of a variable, with intervals. All intervals hold with probability 1 − `delta`. */
  marginal(variable: number, delta: number): { p: Float64Array; intervals: (readonly [number, number])[] } {
    const sums = this.sums.subarray(this.first[variable], this.first[variable + 1]);
    const squares = this.squaresOf.subarray(this.first[variable], this.first[variable + 1]);
    const p = sums.map((sum) => sum / this.sum);
    const intervals = Array.from(sums, (sum, s) => {
      // a and b are the mean weights of this state and of all other states: p = a/(a + b).
      const a = this.logMean(sum, squares[s], delta / (2 * sums.length));
      const b = this.logMean(Math.max(0, this.sum - sum), Math.max(0, this.squares - squares[s]), delta / (2 * sums.length));
      return [share(a.low, b.high), share(a.high, b.low)] as const;
    });
    return { p, intervals };
  }

  private logMean(sum: number, squares: number, delta: number): LogMean {
    const { count, logBound } = this;
    const mean = sum / count;
    const variance = Math.max(0, squares - sum * mean) / Math.max(1, count - 1);
    const l = log(4 / delta);
    const error = count > 1 ? Math.sqrt((2 * variance * l) / count) + (7 * l) / (3 * (count - 1)) : 1;
    const ln = (value: number): number => (value > 0 ? log(value) + logBound : -Infinity);
    // Markov's inequality: the mean exceeds truth/δ with probability at most δ.
    const low = Math.max(mean - error, (mean * delta) / 2);
    return { value: ln(mean), low: ln(low), high: ln(Math.min(1, mean + error)) };
  }
}

/** Returns e^a / (e^a + e^b). */
function share(a: number, b: number): number {
  if (a === -Infinity) return 0;
  return b === -Infinity ? 1 : 1 / (1 + exp(b - a));
}
