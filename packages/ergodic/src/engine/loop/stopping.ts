import type { Advance, JsonObject, Progression, Snapshot } from "../contract/index.ts";
import { checkKeys, checkNumber, ErgodicError, OptionError } from "../errors/errors.ts";
import { KeptPart } from "./kept-part.ts";

/** Limits of a run. The run stops at the first limit that it reaches. */
export interface Until {
  /** Number of passes over the data, > 0. */
  epochs?: number;
  /** Number of parameter updates, > 0. */
  updates?: number;
  /** Seconds of training, > 0. */
  seconds?: number;
  /** Relative decrease of an epoch's mean loss below which the run stops, >= 0. */
  tolerance?: number;
}

/** Measurement of a run's losses. */
export interface Losses {
  /** Measures metrics, including `loss`, on held-out rows at the given parameters. */
  validate?: (parameters: Float64Array) => Record<string, number>;
  /** Whether relative changes of the loss are meaningful: true for a mean over rows, false for a log density. */
  hasMeanLoss?: boolean;
}

export interface StoppingOptions {
  until: Until;
  /** Number of epochs between validations; fractions allowed. */
  validateEvery: number;
  patience: number | undefined;
}

export function resolveStopping(
  where: string,
  given: { epochs?: number; until?: Until; validateEvery?: number; patience?: number },
  validates: boolean,
): StoppingOptions {
  if (given.epochs !== undefined && given.until !== undefined)
    throw new OptionError(where, "both epochs and until were given; put the epochs into until", "OPTION_CONFLICT");
  const { epochs = 5 } = given;
  // If the user gave `epochs`, an error must name `epochs` and not `until.epochs`.
  if (given.until === undefined) checkNumber(where, "epochs", epochs, { low: 0, open: true });
  const until: Until = given.until ?? { epochs };
  checkKeys(`${where}.until`, until, ["epochs", "updates", "seconds", "tolerance"]);
  if (Object.keys(until).length === 0)
    throw new OptionError(
      where,
      "until is empty, so the run would never stop; give epochs, updates, seconds or tolerance",
      "OPTION_MISSING",
    );
  for (const [name, value] of Object.entries(until))
    checkNumber(`${where}.until`, name, value, { low: 0, open: name !== "tolerance" });
  if (given.patience !== undefined) {
    checkNumber(where, "patience", given.patience, { low: 1, integer: true });
    if (!validates)
      throw new OptionError(where, "patience needs validate: held-out rows whose loss is watched", "OPTION_MISSING");
  }
  checkNumber(where, "validateEvery", given.validateEvery ?? 1, { low: 0, open: true });
  // A resumed run reads the interval from its checkpoint, whether or not it validates again.
  if (where === "fit" && given.validateEvery !== undefined && !validates)
    throw new OptionError(where, "validateEvery needs validate: held-out rows whose loss is watched", "OPTION_MISSING");
  return { until, validateEvery: given.validateEvery ?? 1, patience: given.patience };
}

/** If the loss falls by less than this share per epoch, another epoch is not worthwhile. */
const FALLING = 0.01;
/**
 * Name of the tensor with the best parameters. The prefix prevents clashes with the names of a progression's tensors.
 */
const BEST = "loop.best";

/**
 * Decides when a run stops, when it validates, and which parameters are returned.
 *
 * A run stops at the first limit in `until`: epochs, updates, seconds of training, or tolerance (in an epoch, the mean
 * loss fell by less than the share `tolerance`). A run validates every `validateEvery` epochs. With `patience` p, it
 * stops after p validations without a lower loss and returns the best parameters. The run ends with an error if the
 * loss or a parameter is not finite at the end of an epoch, at a validation or at the end of the run.
 */
export class Stopping {
  /** Reason why the run ended, or "" while it is running. */
  reason = "";
  seconds = 0;
  /** Mean training loss over the current epoch so far. At the end of an epoch, this mean covers the whole epoch. */
  loss = Number.NaN;
  /** Parameters with the lowest validation loss, which are only stored if `patience` is given. */
  best: Float64Array | undefined;
  private bestLoss = Infinity;
  private worse = 0;
  private epochLoss = { sum: 0, rows: 0 };
  private epochBefore = Number.NaN;
  /** Decrease of the mean loss from the last but one complete epoch to the last: absolute, and relative. */
  private drop = Number.NaN;
  private fell = Number.NaN;
  private readonly options: StoppingOptions;
  private readonly progression: Progression;
  private readonly validate: Losses["validate"];
  private readonly hasMeanLoss: boolean;

  constructor(options: StoppingOptions, progression: Progression, { validate, hasMeanLoss = false }: Losses) {
    this.options = options;
    this.progression = progression;
    this.validate = validate;
    this.hasMeanLoss = hasMeanLoss;
    this.checkLimits();
  }

  /**
   * Returns the number of steps until the next event, which is a limit, a validation or the end of an epoch. At least
   * 1.
   */
  stepsToNextStop(): number {
    const { step, stepsPerEpoch } = this.progression;
    const stops = [stepsPerEpoch - (step % stepsPerEpoch), this.lastStep() - step];
    if (this.validate) stops.push(this.validationStep(step) - step);
    return Math.max(1, Math.min(...stops));
  }

  /** Records a stretch. Validates if a validation is due, and returns its metrics. */
  after(made: Advance, seconds: number): Record<string, number> | undefined {
    const { step, stepsPerEpoch } = this.progression;
    this.seconds += seconds;
    if (made.within && made.updates === 0) {
      if (made.rows > 0) this.loss = made.lossSum / made.rows;
      this.checkLimits();
      return undefined;
    }
    this.epochLoss.sum += made.lossSum;
    this.epochLoss.rows += made.rows;
    // A search reads no rows.
    if (this.epochLoss.rows > 0) this.loss = this.epochLoss.sum / this.epochLoss.rows;
    else if (Number.isNaN(this.loss)) this.loss = 0;
    const measured =
      this.validate && (step === this.validationStep(step - 1) || this.limitReached()) ? this.measure(this.validate) : undefined;
    if (step % stepsPerEpoch === 0) this.endEpoch();
    this.checkEnds();
    this.checkLimits();
    if (this.reason) this.refuseDivergence(this.loss, "training loss");
    return measured;
  }

  toJSON(): JsonObject {
    const { seconds, loss, bestLoss, worse, epochLoss, epochBefore, drop, fell } = this;
    const { sum, rows } = epochLoss;
    return {
      seconds,
      loss: finite(loss),
      bestLoss: finite(bestLoss),
      worse,
      epochLossSum: finite(sum),
      epochLossRows: rows,
      epochBefore: finite(epochBefore),
      drop: finite(drop),
      fell: finite(fell),
    };
  }

  /** Returns the progression's snapshot with the best parameters so far. */
  withBest(snapshot: Snapshot): Snapshot {
    return this.best ? { ...snapshot, tensors: { ...snapshot.tensors, [BEST]: this.best.slice() } } : snapshot;
  }

  restore({ tensors }: Snapshot, json: JsonObject): void {
    const kept = new KeptPart("the loop", { tensors, state: json });
    this.seconds = kept.number("seconds", 0);
    this.loss = kept.numberOr("loss", Number.NaN);
    this.bestLoss = kept.numberOr("bestLoss", Infinity);
    this.worse = kept.count("worse");
    this.epochLoss = { sum: kept.numberOr("epochLossSum", Number.NaN), rows: kept.number("epochLossRows", 0) };
    this.epochBefore = kept.numberOr("epochBefore", Number.NaN);
    // Older checkpoints lack these two values.
    this.drop = json.drop === undefined ? Number.NaN : kept.numberOr("drop", Number.NaN);
    this.fell = json.fell === undefined ? Number.NaN : kept.numberOr("fell", Number.NaN);
    this.best = kept.has(BEST) ? kept.floats(BEST, this.progression.parameters().length) : undefined;
    this.reason = "";
    // A run cannot end before its first stretch, even if no work is left.
    if (!Number.isNaN(this.loss)) this.checkEnds();
    this.checkLimits();
  }

  private lastStep(): number {
    const { step, updates, stepsPerEpoch, updatesPerStep } = this.progression;
    const { until } = this.options;
    const limits = [Infinity];
    if (until.epochs !== undefined) limits.push(Math.ceil(until.epochs * stepsPerEpoch));
    // Some lanes run out of rows before others, so the estimated step can be too early but never too late. When that
    // step is reached, the estimate is repeated.
    if (until.updates !== undefined)
      limits.push(updates >= until.updates ? step : step + Math.max(1, Math.floor((until.updates - updates) / updatesPerStep)));
    return Math.min(...limits);
  }

  /** Returns the next step after `step` at which a validation is due. */
  private validationStep(step: number): number {
    const every = Math.max(1, this.options.validateEvery * this.progression.stepsPerEpoch);
    let k = Math.floor(step / every);
    while (Math.round(k * every) <= step) k++;
    return Math.round(k * every);
  }

  private measure(validate: (parameters: Float64Array) => Record<string, number>): Record<string, number> {
    const parameters = this.progression.parameters();
    this.refuseInfinite(parameters);
    const measured = validate(parameters);
    this.refuseDivergence(measured.loss, "validation loss");
    if (this.options.patience === undefined) return measured;
    if (measured.loss < this.bestLoss) {
      this.bestLoss = measured.loss;
      this.best = parameters;
      this.worse = 0;
    } else this.worse++;
    return measured;
  }

  private endEpoch(): void {
    this.refuseDivergence(this.loss, "training loss");
    this.drop = this.epochBefore - this.loss;
    this.fell = this.drop / Math.abs(this.epochBefore);
    this.epochBefore = this.loss;
    this.epochLoss = { sum: 0, rows: 0 };
  }

  private limitReached(): boolean {
    const { epochs, updates } = this.options.until;
    const made = this.progression;
    return (
      (epochs !== undefined && made.step >= Math.ceil(epochs * made.stepsPerEpoch)) ||
      (updates !== undefined && made.updates >= updates)
    );
  }

  /**
   * Checks the end conditions that depend only on the contents of a checkpoint. A run that ended because of such a
   * condition ends again when it is resumed.
   */
  private checkEnds(): void {
    const { until, patience } = this.options;
    const { step, stepsPerEpoch, converged } = this.progression;
    const isEpochsEnd = step % stepsPerEpoch === 0;
    if (until.tolerance !== undefined && isEpochsEnd && this.drop < until.tolerance * Math.abs(this.loss))
      this.reason ||= `the loss of an epoch fell by less than ${until.tolerance}`;
    if (patience !== undefined && this.worse >= patience) this.reason ||= `no lower validation loss in ${this.worse} validations`;
    if (converged) this.reason ||= converged === true ? "converged" : converged;
  }

  private checkLimits(): void {
    const { until } = this.options;
    if (this.limitReached()) this.reason ||= `all updates made${this.unfinished()}`;
    if (until.seconds !== undefined && this.seconds >= until.seconds) this.reason ||= `time is up${this.unfinished()}`;
  }

  /** Returns a note if more epochs would help although the run has ended, or "" if they would not. */
  private unfinished(): string {
    const { converges, converged } = this.progression;
    if (converges && !converged) return ", before it converged";
    return this.hasMeanLoss && this.fell >= FALLING
      ? `, but the loss still fell by ${Math.round(100 * this.fell)} % in the last epoch`
      : "";
  }

  /** Throws unless every parameter is finite. */
  refuseInfinite(parameters: Float64Array): void {
    const wrong = parameters.find((p) => !Number.isFinite(p));
    if (wrong !== undefined) this.refuseDivergence(wrong, "largest parameter");
  }

  private refuseDivergence(loss: number, what: string): void {
    if (Number.isFinite(loss)) return;
    const advice = this.progression.converges
      ? "look for columns in extreme units; an offset is added unchanged, so counts need the logarithm of the exposure"
      : "use a smaller rate, standardised columns or clipNorm()";
    throw new ErgodicError(
      "fit",
      `the ${what} is ${loss} after ${this.progression.updates} updates: the run diverged; ${advice}`,
      "RUN_DIVERGED",
    );
  }
}

/** Converts NaN and Infinity to null, because JSON has neither. */
function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
