import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";

/**
 * Successive halving in `tune`: at rungs r, rη, rη², … a trial continues only if its loss is among the best 1/η of the
 * losses recorded at that rung.
 */
export interface HalvingOptions {
  /** Reduction factor η >= 2. Default 3. */
  eta?: number;
  /**
   * First rung r in epochs, > 0. Default: the length of the first finished trial, divided by η up to four times. The
   * default is never before the first measurement of that trial.
   */
  first?: number;
}

/** A measurement of a trial. */
export interface Measured {
  /** Number of passes over the data that had been made when the loss was measured. */
  epoch: number;
  /** Measured loss. */
  loss: number;
}

/** Maximum number of default rungs. The lowest default rung is therefore never before 1/η⁴ of a run. */
const MOST_RUNGS = 4;

/**
 * Asynchronous successive halving (ASHA), in the stopping variant. At each of the rungs r, rη, rη², …, a trial
 * continues only if its loss is among the best 1/η of the n losses that have been recorded at that rung, including its
 * own. In other words, fewer than max(1, ⌊n/η⌋) of these losses are lower than the trial's loss.
 *
 * η (`eta`): >= 2, default 3. r (`first`): epochs, > 0. Default: R/ηᵏ, where R is the length of the first trial that
 * finishes, and k ≤ 4 is as large as possible without r preceding that trial's first measurement. No trial is stopped
 * until one has finished. There is no rung at or beyond R. Runs that do not count epochs have no rungs. The loss at a
 * rung is the first loss that is measured at or after the rung.
 * Source: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht, Talwalkar 2020 (arXiv:1810.05934). Differs: trials are
 * stopped permanently instead of being paused and promoted later, as in the stopping variant of Syne Tune and Ray Tune.
 * There is only one bracket.
 *
 * @throws OptionError unless eta >= 2 and first > 0
 */
export class Halving {
  readonly eta: number;
  readonly first: number | undefined;
  /** Number of epochs of the first trial that finished. */
  length = Infinity;
  /** Rungs in increasing order. They are known once a trial has finished. */
  private rungs: readonly number[] | undefined;

  constructor(where: string, options: HalvingOptions) {
    checkKeys(where, options, ["eta", "first"]);
    const { eta = 3, first } = options;
    checkNumber(where, "eta", eta, { low: 2 });
    if (first !== undefined) checkNumber(where, "first", first, { low: 0, open: true });
    this.eta = eta;
    this.first = first;
  }

  /**
   * Returns the epoch of the rung with index k. Returns undefined if there is no such rung or its epoch is not yet
   * known.
   */
  rung(k: number): number | undefined {
    if (this.rungs) return this.rungs[k];
    return this.first === undefined ? undefined : this.times(this.first, k);
  }

  /** Records the measurements of a finished trial. The first finished trial determines the length of a run. */
  finished(losses: readonly Measured[]): void {
    if (this.rungs || losses.length === 0) return;
    this.lay(losses[0].epoch, losses[losses.length - 1].epoch);
  }

  /**
   * Checks a trial at all rungs from index `passed` up to the last rung that its measurements have reached. Returns the
   * lowest rung at which the trial must stop (`stop`, if there is one), and the number of rungs that the trial has
   * passed.
   */
  judge(losses: readonly Measured[], others: Iterable<readonly Measured[]>, passed: number): { stop?: number; passed: number } {
    const { epoch } = losses[losses.length - 1];
    const rivals = [...others];
    for (let k = passed; ; k++) {
      const rung = this.rung(k);
      if (rung === undefined || rung > epoch) return { passed: k };
      const recorded = rivals.flatMap((rival) => lossAt(rival, rung) ?? []);
      if (!this.keeps(lossAt(losses, rung) as number, recorded)) return { stop: rung, passed: k };
    }
  }

  toJSON(): { eta: number; first: number | null } {
    return { eta: this.eta, first: this.first ?? null };
  }

  private keeps(loss: number, others: readonly number[]): boolean {
    const lower = others.filter((other) => other < loss).length;
    return lower < Math.max(1, Math.floor((others.length + 1) / this.eta));
  }

  private lay(earliest: number, length: number): void {
    this.length = length;
    const rungs: number[] = [];
    if (this.first !== undefined) {
      for (let rung = this.first; rung < length; rung *= this.eta) rungs.push(rung);
    } else {
      for (let rung = length / this.eta; rung > 0 && rung >= earliest && rungs.length < MOST_RUNGS; rung /= this.eta)
        rungs.unshift(rung);
    }
    this.rungs = rungs;
  }

  /** Returns r·ηᵏ, computed by the same multiplications as in `lay`, so that the results have the same bits. */
  private times(first: number, k: number): number {
    let rung = first;
    for (let i = 0; i < k; i++) rung *= this.eta;
    return rung;
  }
}

function lossAt(losses: readonly Measured[], rung: number): number | undefined {
  return losses.find(({ epoch }) => epoch >= rung)?.loss;
}
