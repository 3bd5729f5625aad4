import { type Stream, stream } from "../../engine/random/stream.ts";
import { median } from "../../engine/statistics/index.ts";
import type { Kept } from "./kept.ts";
import type { NormalFamily } from "./normal-family.ts";

export interface AscentOptions {
  gradientDraws: number;
  elboDraws: number;
  maxIterations: number;
  tolerance: number;
  evaluateEvery: number;
  adaptIterations: number;
  rate?: number;
}

const RATES = [100, 10, 1, 0.1, 0.01];
const LEAST_WINDOW = 2;
const TRIAL = 2 ** 32;

/**
 * Stochastic ascent of an ELBO by its reparametrised gradient, with the step sequence of ADVI (advi.ts has the
 * formulas).
 *
 * A step is one update, either in a trial of η or in the ascent itself. Update t of trial i takes its random numbers
 * from update i·2³² + t of the stream ("advi", "gradient"). The ascent itself counts as trial 5. The n-th estimate of
 * the ELBO takes its random numbers from update n of the stream ("advi", "elbo").
 */
export class Ascent {
  readonly state = {
    numbers: {
      trial: 0,
      rate: 0,
      update: 0,
      estimates: 0,
      elbo: Number.NaN,
      startElbo: -Infinity,
      bestElbo: -Infinity,
      bestRate: 0,
    },
    arrays: { theta: [] as Float64Array[], squares: [] as Float64Array[], changes: [] as Float64Array[] },
  } satisfies Kept;
  private readonly family: NormalFamily;
  private readonly evaluate: (x: Float64Array, gradient: Float64Array | null) => number;
  private readonly options: AscentOptions;
  private readonly gradients: Stream;
  private readonly elbos: Stream;

  constructor(
    family: NormalFamily,
    evaluate: (x: Float64Array, gradient: Float64Array | null) => number,
    seed: number,
    options: AscentOptions,
  ) {
    this.family = family;
    this.evaluate = evaluate;
    this.options = options;
    this.gradients = stream(seed, "advi", "gradient");
    this.elbos = stream(seed, "advi", "elbo");
    this.state.numbers.trial = options.rate === undefined ? 0 : RATES.length;
    this.state.numbers.rate = options.rate ?? RATES[0];
    this.reset();
  }

  get theta(): Float64Array {
    return this.state.arrays.theta[0];
  }

  get adapting(): boolean {
    return this.state.numbers.trial < RATES.length;
  }

  /** Maximum number of updates. */
  static steps({ adaptIterations, maxIterations, rate }: AscentOptions): number {
    return (rate === undefined ? RATES.length * adaptIterations : 0) + maxIterations;
  }

  /** Makes one update. Returns true when the ascent has ended; `climbs` then says whether any η improved the ELBO. */
  step(): boolean {
    const { numbers } = this.state;
    if (this.adapting && numbers.estimates === 0) numbers.startElbo = this.estimate();
    this.update();
    return this.adapting ? this.adapt() : this.ended();
  }

  get climbs(): boolean {
    return this.options.rate !== undefined || this.adapting || this.state.numbers.bestRate > 0;
  }

  /** Estimates the ELBO, up to the family's constant, from new draws; −∞ outside the support. */
  private estimate(): number {
    const { dimension: d } = this.family;
    const draws = this.elbos.at(this.state.numbers.estimates++);
    const [z, between, x] = Array.from({ length: 3 }, () => new Float64Array(d));
    let sum = 0;
    for (let k = 0; k < this.options.elboDraws; k++) {
      for (let i = 0; i < d; i++) z[i] = draws.normal();
      this.family.point(this.theta, z, between, x);
      sum += this.evaluate(x, null);
    }
    const elbo = sum / this.options.elboDraws + this.family.entropy(this.theta);
    return Number.isFinite(elbo) ? elbo : -Infinity;
  }

  private update(): void {
    const { numbers, arrays } = this.state;
    const { dimension: d, size } = this.family;
    const { gradientDraws } = this.options;
    const draws = this.gradients.at(numbers.trial * TRIAL + numbers.update++);
    const [z, between, x, slope] = Array.from({ length: 4 }, () => new Float64Array(d));
    const g = new Float64Array(size);
    for (let k = 0; k < gradientDraws; k++) {
      for (let i = 0; i < d; i++) z[i] = draws.normal();
      this.family.point(this.theta, z, between, x);
      this.evaluate(x, slope);
      this.family.addGradient(this.theta, z, slope, between, g);
    }
    for (let i = 0; i < size; i++) g[i] /= gradientDraws;
    this.family.addEntropyGradient(g);
    const [theta, squares] = [arrays.theta[0], arrays.squares[0]];
    const rate = numbers.rate / Math.sqrt(numbers.update);
    for (let i = 0; i < size; i++) {
      squares[i] = numbers.update === 1 ? g[i] * g[i] : 0.9 * squares[i] + 0.1 * g[i] * g[i];
      theta[i] += (rate * g[i]) / (1 + Math.sqrt(squares[i]));
    }
  }

  /** At the end of a trial, starts the trial of the next η, or the ascent with the best η. */
  private adapt(): boolean {
    const { numbers } = this.state;
    const lost = !this.theta.every(Number.isFinite);
    if (numbers.update < this.options.adaptIterations && !lost) return false;
    const elbo = lost ? -Infinity : this.estimate();
    const worse = elbo < numbers.bestElbo && numbers.bestElbo > numbers.startElbo;
    if (elbo > numbers.startElbo && elbo > numbers.bestElbo) Object.assign(numbers, { bestElbo: elbo, bestRate: numbers.rate });
    numbers.trial = worse ? RATES.length : numbers.trial + 1;
    numbers.rate = this.adapting ? RATES[numbers.trial] : numbers.bestRate;
    this.reset();
    return !this.adapting && numbers.bestRate === 0;
  }

  private ended(): boolean {
    const { numbers, arrays } = this.state;
    const { evaluateEvery, maxIterations, tolerance } = this.options;
    if (!this.theta.every(Number.isFinite)) return true;
    if (numbers.update % evaluateEvery === 0) {
      const before = numbers.elbo;
      numbers.elbo = this.estimate();
      const window = Math.max(LEAST_WINDOW, Math.floor((0.1 * maxIterations) / evaluateEvery));
      const change = Math.abs((numbers.elbo - before) / numbers.elbo);
      if (Number.isFinite(change)) arrays.changes[0] = Float64Array.from([...(arrays.changes[0] ?? []), change].slice(-window));
      const changes = arrays.changes[0] ?? [];
      const mean = changes.reduce((sum, one) => sum + one, 0) / changes.length;
      if (changes.length > 0 && (mean < tolerance || median(changes) < tolerance)) return true;
    }
    return numbers.update >= maxIterations;
  }

  /** θ = 0 means μ = 0, C = I. */
  private reset(): void {
    const { numbers, arrays } = this.state;
    arrays.theta[0] = new Float64Array(this.family.size);
    arrays.squares[0] = new Float64Array(this.family.size);
    numbers.update = 0;
  }
}
