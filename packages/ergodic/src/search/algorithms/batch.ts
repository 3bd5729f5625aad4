/**
 * Evaluations of one batch of points, each made `repeat` times. The evaluations have the indices first, first + 1, ….
 * All repetitions of a point have successive indices.
 */
import type { Proposal } from "./search.ts";

export class Batch {
  readonly points: Proposal;
  readonly first: number;
  /** Number of evaluations handed out. */
  asked: number;
  /** The values of all evaluations, followed by one flag per evaluation, which is 1 if the value is known. */
  readonly told: Float64Array;
  private readonly repeat: number;
  private readonly count: number;
  private missing: number;

  constructor(points: Proposal, first: number, repeat: number, asked = 0, told?: Float64Array) {
    this.points = points;
    this.first = first;
    this.repeat = repeat;
    this.count = points.length * repeat;
    this.asked = asked;
    this.told = told?.slice() ?? new Float64Array(2 * this.count);
    this.missing = this.count - this.told.subarray(this.count).reduce((sum, known) => sum + known, 0);
  }

  get complete(): boolean {
    return this.missing === 0;
  }

  /** Returns point i, counted from 0. */
  point(i: number): Float64Array {
    return this.points.at(i)!;
  }

  /** Returns the indices of the next evaluations, at most `most` of them. */
  take(most: number): number[] {
    const length = Math.max(0, Math.min(most, this.count - this.asked));
    const from = this.first + this.asked;
    this.asked += length;
    return Array.from({ length }, (_, i) => from + i);
  }

  place(id: number): { point: number; repetition: number } {
    const i = id - this.first;
    return { point: Math.floor(i / this.repeat), repetition: i % this.repeat };
  }

  has(id: number): boolean {
    return this.told[this.count + id - this.first] === 1;
  }

  tell(id: number, value: number): void {
    this.told[id - this.first] = value;
    this.told[this.count + id - this.first] = 1;
    this.missing--;
  }

  /**
   * Returns the mean value of a point. The mean is NaN if one of the point's evaluations failed, and undefined while a
   * value is missing. Values are summed in a fixed order, regardless of the order of `tell` calls.
   */
  valueOf(point: number): number | undefined {
    let sum = 0;
    for (let i = point * this.repeat; i < (point + 1) * this.repeat; i++) {
      if (this.told[this.count + i] !== 1) return undefined;
      sum += this.told[i];
    }
    return sum / this.repeat;
  }

  values(): (number | undefined)[] {
    return Array.from({ length: this.points.length }, (_, point) => this.valueOf(point));
  }
}
