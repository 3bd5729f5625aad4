import type { Advance, JsonObject, Progression, Snapshot } from "../engine/contract/index.ts";
import { checkAlgorithm, checkSignal, holds, refuse } from "../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, DataError } from "../engine/errors/errors.ts";
import { calibrationNames } from "../engine/loop/result-names.ts";
import { Run } from "../engine/loop/run.ts";
import { type Engine, openEngine } from "../engine/memory/engine.ts";
import { gammaUpper } from "../engine/numbers/incomplete-gamma.ts";
import { stream } from "../engine/random/stream.ts";
import { aligned } from "./draws/characters.ts";
import { scalarName } from "./draws/index.ts";
import type { ModelData, NamedValues, StatisticalModel } from "./model/index.ts";
import type { Sampler } from "./samplers/base/sampler.ts";
import { nuts } from "./samplers/hamiltonian/nuts.ts";

/** Options of `calibrate`. */
export interface CalibrateOptions {
  /** The sampler to test. Default nuts(). */
  algorithm?: Sampler;
  /** Number of data sets simulated from the prior. Default 200; a whole number >= 1. */
  simulations?: number;
  /** Number L of draws per simulation. The true value is ranked among them. Default 99; a whole number >= 1. */
  draws?: number;
  /** Number of transitions per stored draw. Default 5; a whole number >= 1. */
  thin?: number;
  /** Number of warm-up transitions per simulation. Default 500; a whole number >= 0. */
  warmup?: number;
  /** Number of bins into which the test groups ranks; must divide draws + 1. Default 20; a whole number >= 2. */
  bins?: number;
  /** Seed of the simulations. Default 0; a whole number >= 0. */
  seed?: number;
  /** Aborts the run. */
  signal?: AbortSignal;
}

/** Ranks of one number over all simulations. */
export interface CalibratedNumber {
  /** Rank in each simulation, 0 … L. */
  readonly ranks: Int32Array;
  /** Number of simulations in each bin of ranks. */
  readonly counts: Int32Array;
  /** p-value of Pearson's χ² test against uniform ranks. */
  readonly pValue: number;
}

/** Result of `calibrate`: the ranks of every number, and whether the ranks look uniform. */
export class Calibration {
  protected static readonly typeName: string = "Calibration";
  /** Number of simulations made. */
  readonly simulations: number;
  /** Number L of draws per simulation. The true value is ranked among them. */
  readonly draws: number;
  /** Ranks by the name of a number: "mu", "theta[1]". */
  readonly numbers: Readonly<Record<string, CalibratedNumber>>;

  constructor(draws: number, bins: number, ranks: ReadonlyMap<string, readonly number[]>) {
    this.draws = draws;
    const entries = [...ranks].map(([name, own]) => [name, calibrated(own, draws, bins)] as const);
    this.simulations = entries[0]?.[1].ranks.length ?? 0;
    this.numbers = Object.fromEntries(entries);
  }

  /**
   * Whether the ranks of all numbers look uniform. The false-alarm rate is 1 %: if everything is correct, the value is
   * false with this probability.
   */
  get calibrated(): boolean {
    const all = Object.values(this.numbers);
    return all.every(({ pValue }) => pValue >= 0.01 / all.length);
  }

  /** Formats the p-value of each number, followed by the verdict. */
  toString(): string {
    const rows = Object.entries(this.numbers).map(([name, { pValue }]) => [name, pValue.toPrecision(2)]);
    return `${aligned([["", "p-value"], ...rows])}\n${this.verdict()}`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** States the result in plain words. */
  verdict(): string {
    const all = Object.entries(this.numbers);
    const suspect = all.filter(([, { pValue }]) => pValue < 0.01 / all.length);
    if (suspect.length === 0)
      return `Calibrated: in ${this.simulations} simulations the ranks of ${all.length === 1 ? "the one number look" : `all ${all.length} numbers look`} uniform.`;
    const lines = suspect.map(([name, { counts, pValue }]) => `- "${name}" (p = ${pValue.toExponential(1)}): ${shapeOf(counts)}`);
    return [`Not calibrated, in ${this.simulations} simulations:`, ...lines].join("\n");
  }
}

/** Describes, from a histogram of ranks, how the sampler's posterior differs from the correct one. */
function shapeOf(counts: Int32Array): string {
  const n = counts.length;
  const total = counts.reduce((a, b) => a + b, 0);
  const mean = counts.reduce((sum, count, i) => sum + count * (i + 0.5), 0) / (n * total);
  const spread = counts.reduce((sum, count, i) => sum + count * ((i + 0.5) / n - 0.5) ** 2, 0) / total;
  const [meanError, spreadError] = [1 / Math.sqrt(12 * total), 1 / Math.sqrt(180 * total)];
  if (Math.abs(mean - 0.5) > 3 * meanError) return `its draws are too ${mean > 0.5 ? "small" : "large"}`;
  if (spread - 1 / 12 > 3 * spreadError) return "its draws are too narrow, or autocorrelated: thin more";
  if (1 / 12 - spread > 3 * spreadError) return "its draws are too wide";
  return "its draws have a different shape from the posterior";
}

function calibrated(given: readonly number[], draws: number, bins: number): CalibratedNumber {
  const ranks = Int32Array.from(given);
  const counts = new Int32Array(bins);
  for (const rank of ranks) counts[Math.floor((rank * bins) / (draws + 1))]++;
  const expected = ranks.length / bins;
  const chi = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  return { ranks, counts, pValue: gammaUpper((bins - 1) / 2, chi / 2) };
}

/**
 * Simulation-based calibration: tests a model and a sampler together.
 *
 * θ̃ ~ p(θ), ỹ ~ p(y | θ̃), θ₁ … θ_L ~ p(θ | ỹ). If model, data simulator and sampler agree, the rank of θ̃ among the
 * draws (the number of θ_l < θ̃) is uniform on 0 … L for every quantity. The draws of a chain are thinned until they
 * are nearly independent, because ranks among correlated draws accumulate at both ends.
 *
 * Test: Pearson's χ² over `bins` of ranks, for each number. Calibration fails if the smallest p-value is below 0.01 /
 * (numbers). Ties (of a discrete quantity) are ranked at random.
 *
 * Simulation i uses update i of its streams.
 *
 * Source: Talts, Betancourt, Simpson, Vehtari, Gelman 2018.
 *
 * @param model model to test. Its priors and observations generate the simulated data
 * @param data sizes, and data that the model does not observe, by name. The observed data are simulated
 * @param options sampler to test, number of simulations (default 200), draws per simulation (default 99), seed
 * @throws OptionError; CapabilityError if the prior cannot be drawn from, or the model observes a value that is not
 *   data; DataError
 *
 * @example
 * ```ts
 * const calibration = await calibrate(eightSchools, { y, sigma }, { simulations: 200, seed: 1 });
 * calibration.verdict();
 * ```
 */
export function calibrate<D>(model: StatisticalModel<D>, data: NoInfer<D>, options: CalibrateOptions = {}): Run<Calibration> {
  if (!holds(model, "condition"))
    refuse("calibrate", "the model", model, "a model()", 'model(({ param }) => param("mu", normal(0, 1)))');
  const given = checked(options);
  let calibration: Simulations;
  return new Run<Calibration>({
    resultNames: calibrationNames(),
    ...(given.signal ? { signal: given.signal } : {}),
    start: async () => {
      const fixed = model.ofNumbers?.(data) ?? { model: model as unknown as StatisticalModel, data: data as ModelData };
      calibration = new Simulations(fixed.model, fixed.data, given, await openEngine({ families: ["sampling"] }));
      const { algorithm, signal: _, ...rest } = given;
      return {
        progression: calibration,
        stopping: { until: {}, validateEvery: 1, patience: undefined },
        chosen: { model: model.name, algorithm: algorithm.toJSON(), ...rest } as JsonObject,
      };
    },
    finish: () => new Calibration(given.draws, given.bins, calibration.ranks),
    keep: () => {
      throw new CapabilityError(
        "checkpoint",
        "a calibration cannot be saved; run fewer simulations with several seeds",
        "RUN_UNKEPT",
      );
    },
  });
}

type Checked = Required<Omit<CalibrateOptions, "signal">> & { signal?: AbortSignal };

function checked(options: CalibrateOptions): Checked {
  checkKeys("calibrate", options, ["algorithm", "simulations", "draws", "thin", "warmup", "bins", "seed", "signal"]);
  const { algorithm = nuts(), simulations = 200, draws = 99, thin = 5, warmup = 500, bins = 20, seed = 0, signal } = options;
  checkSignal("calibrate", signal);
  checkAlgorithm("calibrate", "algorithm", algorithm, "sample", "nuts()");
  checkNumber("calibrate", "seed", seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber("calibrate", "simulations", simulations, { low: 1, integer: true });
  checkNumber("calibrate", "draws", draws, { low: 1, integer: true });
  checkNumber("calibrate", "thin", thin, { low: 1, integer: true });
  checkNumber("calibrate", "warmup", warmup, { low: 0, integer: true });
  checkNumber("calibrate", "bins", bins, { low: 2, high: draws + 1, integer: true });
  if ((draws + 1) % bins !== 0)
    throw new CapabilityError(
      "calibrate",
      `${bins} bins do not divide the ${draws + 1} ranks evenly; use draws: ${Math.ceil((draws + 1) / bins) * bins - 1}`,
      "CALIBRATE_BINS",
    );
  algorithm.checkGiven?.(`calibrate: with thin ${thin}`, { draws: draws * thin });
  return { algorithm, simulations, draws, thin, warmup, bins, seed, ...(signal ? { signal } : {}) };
}

/** Progression in which each step is one simulation. */
class Simulations implements Progression {
  readonly stepsPerEpoch: number;
  readonly updatesPerStep = 1;
  step = 0;
  readonly ranks = new Map<string, number[]>();
  private readonly model: StatisticalModel;
  private readonly data: ModelData;
  private readonly options: Checked;
  private readonly engine: Engine;
  private divergences = 0;

  constructor(model: StatisticalModel, data: ModelData, options: Checked, engine: Engine) {
    this.model = model;
    this.data = data;
    this.options = options;
    this.engine = engine;
    this.stepsPerEpoch = options.simulations;
  }

  get updates(): number {
    return this.step;
  }

  get converged(): boolean | string {
    return this.step >= this.stepsPerEpoch && "all simulations are made";
  }

  async advance(steps: number): Promise<Advance> {
    const to = Math.min(this.step + steps, this.stepsPerEpoch);
    const made = to - this.step;
    for (; this.step < to; this.step++) {
      this.options.signal?.throwIfAborted();
      await this.simulate(this.step);
    }
    return { updates: made, lossSum: 0, rows: 0 };
  }

  parameters(): Float64Array {
    return new Float64Array(0);
  }

  snapshot(): Snapshot {
    return { tensors: {}, state: {} };
  }

  restore(): void {}

  report(): Record<string, number> {
    return { simulations: this.step, divergences: this.divergences };
  }

  dispose(): void {}

  private async simulate(i: number): Promise<void> {
    const { algorithm, draws, thin, warmup, seed } = this.options;
    const drawn = await this.drawn(i);
    const posterior = await this.model.condition(drawn.data);
    const plan = { chains: 1, warmup, draws: draws * thin, seed: hashed(seed, i), workers: 1, deterministic: false };
    const explain = (points: readonly Float64Array[]): string | undefined => posterior.explain(points);
    let sampling: ReturnType<typeof algorithm.start> | undefined;
    try {
      sampling = algorithm.start(posterior, { ...plan, explain }, this.engine);
      while (sampling.converged === false) await sampling.advance(warmup + draws * thin);
      const made = sampling.draws();
      this.divergences += made.divergences;
      const kept = Array.from({ length: draws }, (_, k) => posterior.constrain(made.draw(0, (k + 1) * thin - 1)));
      this.rank(i, drawn.values, kept, new Map(posterior.quantities.map(({ name, shape }) => [name, shape])));
    } finally {
      sampling?.dispose();
      posterior.dispose();
    }
  }

  /** Draws parameters from the prior, and data given them. */
  private async drawn(i: number): Promise<{ data: ModelData; values: NamedValues }> {
    const { seed } = this.options;
    const posterior = await this.model.condition(this.data);
    try {
      const u = posterior.drawPrior(stream(seed, "calibrate", "prior").at(i));
      const simulated = posterior.predict(u, stream(seed, "calibrate", "data").at(i));
      const data: Record<string, ModelData[string]> = { ...this.data };
      for (const { name, shape } of posterior.traced.replicated) {
        if (!Object.hasOwn(this.data, name))
          throw new DataError(
            "calibrate",
            `"${name}" is observed, but is not in the data, so it cannot be simulated; observe a field of the data unchanged`,
            "CALIBRATE_DATA",
          );
        data[name] = nested(simulated[name], shape);
      }
      return { data, values: posterior.constrain(u) };
    } finally {
      posterior.dispose();
    }
  }

  private rank(
    i: number,
    truth: NamedValues,
    kept: readonly NamedValues[],
    shapes: ReadonlyMap<string, readonly number[]>,
  ): void {
    const ties = stream(this.options.seed, "calibrate", "ties").at(i);
    for (const [name, values] of Object.entries(truth)) {
      for (let at = 0; at < values.length; at++) {
        let below = 0;
        let equal = 0;
        for (const draw of kept) {
          if (draw[name][at] < values[at]) below++;
          else if (draw[name][at] === values[at]) equal++;
        }
        const key = scalarName(name, shapes.get(name)!, at);
        const own = this.ranks.get(key) ?? [];
        own.push(below + (equal > 0 ? ties.integer(equal + 1) : 0));
        this.ranks.set(key, own);
      }
    }
  }
}

/** Returns a 53-bit seed for each simulation. */
function hashed(seed: number, i: number): number {
  const [low, high] = stream(seed, "calibrate", "simulation", i).key;
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0);
}

function nested(values: Float64Array, shape: readonly number[]): ModelData[string] {
  if (shape.length === 0) return values[0];
  if (shape.length === 1) return values;
  const size = values.length / shape[0];
  return Array.from(
    { length: shape[0] },
    (_, row) => nested(values.subarray(row * size, (row + 1) * size), shape.slice(1)) as ArrayLike<number>,
  );
}
