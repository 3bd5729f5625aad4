import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";

/** Successive halving of `tune`: at rungs r, rη, rη², … a trial continues only while its loss is among the best 1/η there. */
export interface HalvingOptions {
  /** η >= 2. Default 3. */
  eta?: number;
  /**
   * r: the first rung in epochs, > 0. Default: the length of the first finished trial, divided by η as often as measurements
   * allow, at most four times.
   */
  first?: number;
}

/** One measurement of a trial. */
export interface Measured {
  /** Passes over the data at the measurement. */
  epoch: number;
  /** The loss measured. */
  loss: number;
}

/** Rungs that the default makes at most: the lowest lies at 1/η⁴ of a run. */
const MOST_RUNGS = 4;

/**
 * Successive halving, asynchronous, by stopping (ASHA): at rungs r, rη, rη², … a trial goes on while its loss there is among the best 1/η of the n
 * losses recorded there so far, its own included: while fewer than max(1, ⌊n/η⌋) of them are lower.
 *
 * η (`eta`): >= 2, default 3. r (`first`): epochs, > 0. Default: the length R of the first trial that finishes, divided by η as
 * often as r stays at or above that trial's first measurement, four times at most; until a trial has finished none is stopped.
 * There is no rung at R or beyond it, and none in runs that count no epochs. A loss stands at a rung if it is the first
 * measured there or later.
 * Source: Li, Jamieson, Rostamizadeh, Gonina, Hardt, Recht, Talwalkar 2020 (arXiv:1810.05934). Differs: a trial is never paused and promoted
 * later; it is stopped for good, as in the stopping variant that Syne Tune and Ray Tune have; one bracket.
 *
 * @throws OptionError unless eta >= 2 and first > 0
 */
export class Halving {
  readonly eta: number;
  readonly first: number | undefined;
  /** Epochs of the first trial that finished. */
  length = Infinity;
  /** Rising; known once a trial has finished. */
  private rungs: readonly number[] | undefined;

  constructor(where: string, options: HalvingOptions) {
    checkKeys(where, options, ["eta", "first"]);
    const { eta = 3, first } = options;
    checkNumber(where, "eta", eta, { low: 2 });
    if (first !== undefined) checkNumber(where, "first", first, { low: 0, open: true });
    this.eta = eta;
    this.first = first;
  }

  /** Rung number k in epochs; undefined where there is none, or none is known yet. */
  rung(k: number): number | undefined {
    if (this.rungs) return this.rungs[k];
    return this.first === undefined ? undefined : this.times(this.first, k);
  }

  /** A trial has finished, measured so: the first one says how long a run is. */
  finished(losses: readonly Measured[]): void {
    if (this.rungs || losses.length === 0) return;
    this.lay(losses[0].epoch, losses[losses.length - 1].epoch);
  }

  /** The lowest rung, from number `passed` on, up to the trial's last measurement at which it must stop; else how many it has passed. */
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

  /** r·ηᵏ, as `lay` multiplies. */
  private times(first: number, k: number): number {
    let rung = first;
    for (let i = 0; i < k; i++) rung *= this.eta;
    return rung;
  }
}

function lossAt(losses: readonly Measured[], rung: number): number | undefined {
  return losses.find(({ epoch }) => epoch >= rung)?.loss;
}
