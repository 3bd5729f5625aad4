import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { defineSearch, type KeptState, keepState, type SearchOptionsOf } from "./define-search.ts";
import type { SearchStart, SearchState } from "./search.ts";

const DEFAULTS = {
  /** Course of the temperature: "geometric" or "logarithmic". */
  cooling: "geometric",
  /** First temperature T₀, > 0. Default: the standard deviation of the first 20 values. */
  initialTemperature: null as number | null,
  /** Last temperature relative to the first, above 0 and below 1. */
  finalTemperature: 1e-6,
  /** Number of moves of every coordinate per temperature, a whole number >= 1. */
  sweeps: 5,
};
type Options = SearchOptionsOf<typeof DEFAULTS>;

const FIRST = 20;
const STAGE_FACTOR = 0.85;
const OPEN_STEP = 1e6;
const FLAT_STAGES = 10;
const VAIN_ANNEALINGS = 3;

/**
 * Simulated annealing: moves one coordinate at a time, x_i' = x_i + s_i z, z ~ N(0, 1), and accepts an increase Δ of f
 * with probability e^(−Δ/T).
 *
 * A stage consists of `sweeps` moves of every coordinate at one temperature T. At the end of a stage, s_i is multiplied
 * by 1 + 5 (a_i − 0.6) if the share a_i of accepted moves is above 0.6, and divided by 1 + 5 (0.4 − a_i) if it is below
 * 0.4. s_i starts at 1. The upper limit of s_i is the width of the box, or 1e6 if the box is open. T₀:
 * `initialTemperature`. Its default is the standard deviation of the first 20 values, which belong to the start and to
 * points that are normal about it.
 *   `cooling: "geometric"`    T = T₀ ρ^t, ρ: `finalTemperature` (relative to T₀), t: share of the granted evaluations
 *                             made. Without a limit, T falls by a factor 0.85 per stage, and restarts at T₀ once it is
 *                             below ρ T₀. Each stage starts from the best point so far.
 *   `cooling: "logarithmic"`  T = T₀ ln 2 / ln(2 + stage): slow, and, for a large enough T₀, certain to find the
 *                             minimum eventually.
 * Stops if all values have been equal for 10 stages, or after 3 successive annealings that each gained no more than ρ
 * T₀. State: 3d + a few float64. Each batch consists of one point, so evaluations cannot run in parallel. If an
 * injected point is better, the search moves to it.
 * Source: Kirkpatrick, Gelatt, Vecchi 1983; Corana et al. 1987 (steps, 0.85, the best point); White 1984 (T₀); Hajek
 * 1988 (logarithmic). Differs: Corana's moves are uniform. Corana adapts s many times per temperature, whereas this
 * library adapts it once. Options: `cooling` ("geometric"), `initialTemperature` (from the first values),
 * `finalTemperature` (1e-6), `sweeps` (5).
 *
 * @throws OptionError unless 0 < finalTemperature < 1, initialTemperature > 0 and sweeps is an integer >= 1
 */
export const simulatedAnnealing = defineSearch(
  "simulatedAnnealing",
  DEFAULTS,
  (options, given) => new SimulatedAnnealing(options, given),
  {
    conformance: { sphere: 3000, random: true },
    summary: "random walk that accepts increases of f, fewer as it cools; for rugged functions and many evaluations",
    source: "Kirkpatrick, Gelatt, Vecchi 1983; Corana et al. 1987",
    ranges: {
      cooling: ["geometric", "logarithmic"],
      initialTemperature: { low: 0, open: true },
      finalTemperature: { low: 1e-300, high: 0.999 },
      sweeps: { low: 1, integer: true },
    },
  },
);

class SimulatedAnnealing implements SearchState {
  readonly snapshot: SearchState["snapshot"];
  readonly restore: SearchState["restore"];
  private readonly options: Options;
  private readonly given: SearchStart;
  private readonly d: number;
  /** In the open batch, increases of f below this value are accepted. */
  private threshold = 0;
  private readonly kept;

  constructor(options: Options, given: SearchStart) {
    this.options = options;
    this.given = given;
    this.d = given.start.length;
    this.kept = {
      numbers: {
        batch: 0,
        evaluations: 0,
        move: 0,
        stage: 0,
        first: options.initialTemperature ?? 0,
        temperature: 0,
        acceptance: Number.NaN,
        value: Infinity,
        bestValue: Infinity,
        /** Best value when this annealing began. */
        beganAt: Infinity,
        vain: 0,
        flat: 0,
        /** Statistics of this stage's finite values: count, mean, and sum of squares about the mean. */
        seen: 0,
        mean: 0,
        squares: 0,
      },
      arrays: {
        x: given.start.slice(),
        best: given.start.slice(),
        steps: given.start.map((_, i) => Math.min(1, this.longest(i))),
        accepted: new Float64Array(this.d),
      },
    } satisfies KeptState;
    const { snapshot, restore } = keepState(this.kept);
    this.snapshot = snapshot;
    this.restore = restore;
  }

  get stopped(): string | null {
    const { flat, vain, bestValue } = this.kept.numbers;
    if (flat >= FLAT_STAGES) return bestValue === Infinity ? "no evaluation succeeded" : "the values no longer differ";
    return vain >= VAIN_ANNEALINGS ? `${VAIN_ANNEALINGS} annealings in a row found nothing better` : null;
  }

  propose(): Float64Array[] {
    const { numbers, arrays } = this.kept;
    const draws = this.given.stream.at(numbers.batch);
    if (numbers.batch === 0) {
      const { start, budget } = this.given;
      const count = Math.max(2, Math.min(FIRST, Math.floor(budget / 10)));
      return Array.from({ length: count }, (_, k) => start.map((x, i) => (k === 0 ? x : x + arrays.steps[i] * draws.normal())));
    }
    const i = numbers.move % this.d;
    const point = arrays.x.slice();
    point[i] += arrays.steps[i] * draws.normal();
    // e^(−Δ/T) > u if Δ < −T ln u.
    this.threshold = numbers.temperature * draws.exponential();
    return [point];
  }

  update(points: readonly Float64Array[], values: Float64Array): void {
    const { numbers, arrays } = this.kept;
    const opening = numbers.batch === 0;
    numbers.batch++;
    numbers.evaluations += points.length;
    for (let k = 0; k < points.length; k++) {
      this.note(values[k]);
      const taken = opening ? values[k] < numbers.value : this.accepts(values[k]);
      if (taken) this.moveTo(points[k], values[k]);
      if (taken && !opening) arrays.accepted[numbers.move % this.d]++;
    }
    if (opening) {
      numbers.beganAt = numbers.bestValue;
      this.beginStage();
    } else if (++numbers.move === this.options.sweeps * this.d) {
      this.endStage();
    }
  }

  inject(point: Float64Array, value: number): void {
    if (value < this.kept.numbers.value) this.moveTo(point, value);
  }

  report(): Record<string, number> {
    const { temperature, acceptance } = this.kept.numbers;
    const { steps } = this.kept.arrays;
    return { temperature, acceptance, stepSize: steps.reduce((sum, step) => sum + step, 0) / this.d };
  }

  /** If the current point failed, any value is accepted. */
  private accepts(value: number): boolean {
    const { numbers } = this.kept;
    return value <= numbers.value || value - numbers.value < this.threshold;
  }

  private moveTo(point: Float64Array, value: number): void {
    const { numbers, arrays } = this.kept;
    arrays.x = point.slice();
    numbers.value = value;
    if (value < numbers.bestValue) {
      arrays.best = point.slice();
      numbers.bestValue = value;
    }
  }

  private note(value: number): void {
    const { numbers } = this.kept;
    if (!Number.isFinite(value)) return;
    numbers.seen++;
    const change = value - numbers.mean;
    numbers.mean += change / numbers.seen;
    numbers.squares += change * (value - numbers.mean);
  }

  private endStage(): void {
    const { numbers, arrays } = this.kept;
    const { sweeps } = this.options;
    numbers.acceptance = arrays.accepted.reduce((sum, count) => sum + count, 0) / (sweeps * this.d);
    for (let i = 0; i < this.d; i++) {
      const share = arrays.accepted[i] / sweeps;
      if (share > 0.6) arrays.steps[i] = Math.min(this.longest(i), arrays.steps[i] * (1 + 5 * (share - 0.6)));
      else if (share < 0.4) arrays.steps[i] /= 1 + 5 * (0.4 - share);
    }
    numbers.flat = numbers.squares > 0 ? 0 : numbers.flat + 1;
    numbers.stage++;
    this.beginStage();
  }

  private beginStage(): void {
    const { numbers, arrays } = this.kept;
    // Equal values do not determine a temperature, but the values of the next stage might.
    if (numbers.first === 0 && numbers.seen > 1) numbers.first = Math.sqrt(numbers.squares / (numbers.seen - 1));
    const { finalTemperature, cooling } = this.options;
    const endless = cooling === "geometric" && this.given.budget === Infinity;
    numbers.temperature = numbers.first * this.coolness();
    if (endless && numbers.first > 0 && numbers.temperature <= finalTemperature * numbers.first) this.anneal();
    if (cooling === "geometric") {
      numbers.value = numbers.bestValue;
      arrays.x = arrays.best.slice();
    }
    Object.assign(numbers, { move: 0, seen: 0, mean: 0, squares: 0 });
    arrays.accepted.fill(0);
  }

  /** Returns T/T₀. */
  private coolness(): number {
    const { stage, evaluations } = this.kept.numbers;
    const { cooling, finalTemperature } = this.options;
    if (cooling === "logarithmic") return Math.LN2 / log(2 + stage);
    const { budget } = this.given;
    return exp(budget === Infinity ? stage * log(STAGE_FACTOR) : Math.min(1, evaluations / budget) * log(finalTemperature));
  }

  /** Restarts at T₀. */
  private anneal(): void {
    const { numbers, arrays } = this.kept;
    const gained = numbers.bestValue < numbers.beganAt - this.options.finalTemperature * numbers.first;
    numbers.vain = gained ? 0 : numbers.vain + 1;
    numbers.beganAt = numbers.bestValue;
    numbers.stage = 0;
    numbers.temperature = numbers.first;
    arrays.steps = arrays.steps.map((_, i) => Math.min(1, this.longest(i)));
  }

  private longest(i: number): number {
    const width = this.given.upper[i] - this.given.lower[i];
    return width < Infinity ? width : OPEN_STEP;
  }
}
