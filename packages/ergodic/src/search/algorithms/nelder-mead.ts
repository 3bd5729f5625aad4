import { checkRoom } from "../../engine/memory/room.ts";
import { defineSearch, FEWER, type KeptState, keepState } from "./define-search.ts";
import { freshStart } from "./fresh-start.ts";
import type { SearchStart, SearchState } from "./search.ts";
import { simplexGradient } from "./simplex-gradient.ts";

const DEFAULTS = {
  /** Whether the coefficients of the moves depend on the dimension. */
  adaptive: true,
  /** Continuation after a collapse of the simplex: "repeat", "fresh", "oriented" or "none". */
  restarts: "repeat",
  /** Largest distance from the best vertex, in initial steps, of a collapsed simplex, >= 0. */
  pointTolerance: 1e-8,
  /** Largest difference from the best value in a collapsed simplex, >= 0. */
  valueTolerance: 1e-10,
};
type Options = Readonly<typeof DEFAULTS>;

/** Kind of points that are proposed: rows of the simplex, or a trial point x(t). */
const Phase = { rows: 0, reflection: 1, expansion: 2, outside: 3, inside: 4 } as const;
/** Smallest share of the predicted decrease, from Kelley's condition. */
const SUFFICIENT = 1e-4;
const REASONS = [null, "the simplex has collapsed", "the simplex has collapsed, and a new one gains nothing"];

/**
 * Nelder-Mead: a simplex of d + 1 points that moves downhill. Each step moves the worst vertex through the centroid c
 * of the others.
 *
 * Vertices sorted, f_0 ≤ … ≤ f_d; x(t) = c + t (c − x_d); reflection t = 1, expansion β, contractions ±γ, shrink x_i ←
 * x_0 + δ (x_i − x_0).
 *   f(x(1)) < f_0:                   x(β) if it is even lower, otherwise x(1)
 *   f_0 ≤ f(x(1)) < f_{d−1}:         x(1)
 *   f_{d−1} ≤ f(x(1)) < f_d:         x(γ) if no higher than x(1), otherwise shrink
 *   f(x(1)) ≥ f_d:                   x(−γ) if lower than f_d, otherwise shrink
 * `adaptive`: β = 1 + 2/d, γ = ¾ − 1/(2d), δ = 1 − 1/d. For d = 2, the coefficients have the classic values 2, ½, ½.
 * For d = 1, the classic values are used as well.
 *
 * The first simplex consists of the start and of the d points at a step of 1 along each axis, in one batch. A shrink is
 * one batch of d points. The simplex has collapsed when every vertex is within `pointTolerance` (initial steps, by
 * coordinate) of the best vertex, and every value is within `valueTolerance` (absolute) of the best value. The simplex
 * has also collapsed when all values are equal both before and after a shrink, because a simplex on a plateau can only
 * shrink. After a collapse,
 *   `restarts: "repeat"`    builds a simplex of the first size around the best point, until one gains no more than
 *                           `valueTolerance`; then it stops
 *   `restarts: "fresh"`     the same, then restarts at a random point (fresh-start.ts); it never stops on its own
 *   `restarts: "oriented"`  like "repeat", and every step checks the simplex gradient D: if the mean value fell
 *                           by less than α‖D‖², α = 1e-4 · (first size) / (first ‖D‖), the simplex is flattening
 *                           without descending. A right-angled one of half its shortest edge replaces it, with its
 *                           legs pointing against D
 *   `restarts: "none"`      it stops
 * The defaults solve the most BBOB functions in 5 and 10 dimensions: adaptive coefficients solve more than the classic
 * ones, and "repeat" solves more than "oriented", which discards simplices that had adapted to a valley.
 *
 * An evaluation costs O(d), except for shrinks and steps with simplex gradients. Vertices stay in their rows, and only
 * their order changes. c is updated from the vertices that enter and leave. After every d updates, the sum for c is
 * computed again, so that rounding does not accumulate.
 *
 * NaN and +Infinity are the worst values. Throws no errors. Source: Nelder, Mead 1965; Lagarias et al. 1998 (order of
 * ties); Gao, Han 2012 (coefficients); Kelley 1999 (oriented restart). Differs: the restarts "repeat" and "fresh" are
 * not described in the sources.
 * Options: `adaptive` (true), `restarts` ("repeat"), `pointTolerance` (1e-8), `valueTolerance` (1e-10).
 *
 * @throws OptionError unless the tolerances are >= 0 and restarts is one of the four
 */
export const nelderMead = defineSearch("nelderMead", DEFAULTS, (options, given) => new Simplex(options, given), {
  conformance: { sphere: 1000, scaled: 3000 },
  summary: "Nelder-Mead: a simplex that moves downhill, for smooth or rough functions of a few coordinates",
  source: "Nelder, Mead 1965; Gao, Han 2012; Kelley 1999",
  ranges: {
    restarts: ["repeat", "fresh", "oriented", "none"],
    pointTolerance: { low: 0 },
    valueTolerance: { low: 0 },
  },
});

class Simplex implements SearchState {
  readonly proposesPurely = true;
  readonly snapshot: SearchState["snapshot"];
  readonly restore: SearchState["restore"];
  private readonly options: Options;
  private readonly given: SearchStart;
  private readonly d: number;
  private readonly expansion: number;
  private readonly contraction: number;
  private readonly shrinkage: number;
  private readonly kept = {
    numbers: {
      phase: Phase.rows as number,
      /** First row of the simplex whose value is not yet known. */
      firstRow: 0,
      /** f(x(1)), stored while the expansion or contraction is evaluated. */
      reflected: 0,
      /** Kelley's α; NaN until a simplex of full size has been evaluated. */
      sufficient: Number.NaN,
      /** Best value at the last collapse. */
      collapsedAt: Infinity,
      /** 1 while a simplex whose values are all equal is being shrunk, otherwise 0. */
      shrankFlat: 0,
      restarts: 0,
      updates: 0,
      reason: 0,
    },
    /** Vertices, values by rank, and c. Snapshots store the vertices in order of rank. */
    arrays: { vertices: new Float64Array(), values: new Float64Array(), centre: new Float64Array() },
  } satisfies KeptState;
  /** Row of each rank. */
  private order = new Uint32Array();

  constructor(options: Options, given: SearchStart) {
    const d = given.start.length;
    // The memory includes copies of the vertices in the first proposal.
    checkRoom("nelderMead", `a simplex of ${d} coordinates`, 16 * (d + 1) * d, undefined, FEWER);
    this.options = options;
    this.given = given;
    this.d = d;
    const dimension = options.adaptive ? Math.max(d, 2) : 2;
    this.expansion = 1 + 2 / dimension;
    this.contraction = 0.75 - 0.5 / dimension;
    this.shrinkage = 1 - 1 / dimension;
    const { snapshot, restore } = keepState(this.kept);
    this.snapshot = () => {
      this.sortRows();
      return snapshot();
    };
    this.restore = (kept) => {
      restore(kept);
      this.order = ranks(d + 1);
    };
    this.order = ranks(d + 1);
    this.kept.arrays.vertices = new Float64Array((d + 1) * d);
    this.kept.arrays.centre = new Float64Array(d);
    this.kept.arrays.values = new Float64Array(d + 1).fill(Infinity);
    this.lay(given.start, 0);
  }

  get stopped(): string | null {
    return REASONS[this.kept.numbers.reason];
  }

  propose(): Float64Array[] {
    const { phase, firstRow } = this.kept.numbers;
    if (phase !== Phase.rows) return [this.along([0, 1, this.expansion, this.contraction, -this.contraction][phase])];
    return Array.from({ length: this.d + 1 - firstRow }, (_, i) => this.vertex(firstRow + i).slice());
  }

  update([point]: readonly Float64Array[], given: Float64Array): void {
    const { numbers } = this.kept;
    numbers.updates++;
    const values = given.map((v) => (Number.isNaN(v) ? Infinity : v));
    if (numbers.phase === Phase.rows) this.valued(values);
    else this.moved(point, values[0]);
    if (numbers.updates % this.d === 0) this.sumCentre();
  }

  report(): Record<string, number> {
    return { simplexSize: this.size(), restarts: this.kept.numbers.restarts };
  }

  /** Learns the values of the rows from `firstRow` on. */
  private valued(given: Float64Array): void {
    const { numbers, arrays } = this.kept;
    arrays.values.set(given, numbers.firstRow);
    const sorted = Array.from(arrays.values.keys()).sort((i, j) => arrays.values[i] - arrays.values[j] || i - j);
    this.order = Uint32Array.from(sorted, (i) => this.order[i]);
    arrays.values = Float64Array.from(sorted, (i) => arrays.values[i]);
    this.sumCentre();
    if (this.options.restarts === "oriented" && Number.isNaN(numbers.sufficient)) {
      const { squaredLength } = this.gradient();
      if (squaredLength > 0 && squaredLength < Infinity)
        numbers.sufficient = (SUFFICIENT * this.size()) / Math.sqrt(squaredLength);
    }
    numbers.phase = Phase.reflection;
    const plateau = numbers.shrankFlat && this.isFlat();
    numbers.shrankFlat = 0;
    if (plateau || this.hasCollapsed()) this.collapse();
  }

  /** Learns the value of x(t). */
  private moved(point: Float64Array, value: number): void {
    const { numbers, arrays } = this.kept;
    const { reflected } = numbers;
    const worst = arrays.values[this.d];
    switch (numbers.phase) {
      case Phase.reflection:
        numbers.reflected = value;
        if (value < arrays.values[0]) numbers.phase = Phase.expansion;
        else if (value < arrays.values[this.d - 1]) this.accept(point, value);
        else numbers.phase = value < worst ? Phase.outside : Phase.inside;
        return;
      case Phase.expansion:
        if (value < reflected) this.accept(point, value);
        else this.accept(this.along(1), reflected);
        return;
      default:
        if (numbers.phase === Phase.outside ? value <= reflected : value < worst) this.accept(point, value);
        else this.shrink();
    }
  }

  /** Replaces the worst vertex with a better point. Among vertices of equal value, the new point ranks last. */
  private accept(point: Float64Array, value: number): void {
    const { numbers, arrays } = this.kept;
    const stalled = this.options.restarts === "oriented" && this.hasStalled(value);
    const { d, order } = this;
    let at = d;
    while (at > 0 && value < arrays.values[at - 1]) at--;
    if (at < d) {
      const leaves = this.vertex(d - 1);
      for (let j = 0; j < d; j++) arrays.centre[j] += (point[j] - leaves[j]) / d;
    }
    const row = order[d];
    arrays.values.copyWithin(at + 1, at, d);
    order.copyWithin(at + 1, at, d);
    arrays.values[at] = value;
    order[at] = row;
    this.vertex(at).set(point);
    numbers.phase = Phase.reflection;
    if (this.hasCollapsed()) this.collapse();
    else if (stalled) this.orient();
  }

  private shrink(): void {
    this.kept.numbers.shrankFlat = Number(this.isFlat());
    const best = this.vertex(0);
    for (let i = 1; i <= this.d; i++) {
      const row = this.vertex(i);
      for (let j = 0; j < this.d; j++) row[j] = best[j] + this.shrinkage * (row[j] - best[j]);
    }
    this.ask(1);
  }

  /**
   * Kelley's condition: the mean value decreases by less than a small share of the decrease that the simplex gradient
   * predicts.
   */
  private hasStalled(value: number): boolean {
    const { numbers, arrays } = this.kept;
    const fall = (arrays.values[this.d] - value) / (this.d + 1);
    const { squaredLength } = this.gradient();
    return Number.isFinite(fall) && fall < numbers.sufficient * squaredLength;
  }

  private orient(): void {
    const { direction } = this.gradient();
    let shortest = Infinity;
    for (let i = 1; i <= this.d; i++) {
      let square = 0;
      for (let j = 0; j < this.d; j++) square += (this.vertex(i)[j] - this.vertex(0)[j]) ** 2;
      shortest = Math.min(shortest, Math.sqrt(square));
    }
    this.kept.numbers.restarts++;
    for (let i = 1; i <= this.d; i++) {
      this.vertex(i).set(this.vertex(0));
      this.vertex(i)[i - 1] += direction[i - 1] > 0 ? -shortest / 2 : shortest / 2;
    }
    this.ask(1);
  }

  private collapse(): void {
    const { numbers, arrays } = this.kept;
    const { restarts, valueTolerance } = this.options;
    const gained = numbers.collapsedAt - arrays.values[0] > valueTolerance;
    if (restarts === "none") numbers.reason = 1;
    else if (!gained && restarts !== "fresh") numbers.reason = 2;
    if (numbers.reason > 0) return;
    numbers.collapsedAt = gained ? arrays.values[0] : Infinity;
    numbers.restarts++;
    numbers.sufficient = Number.NaN;
    if (gained) this.lay(this.vertex(0).slice(), 1);
    else this.lay(freshStart(this.given, numbers.updates), 0);
  }

  /** Builds a simplex of full size about a point. The rows from `firstRow` on must then be evaluated. */
  private lay(point: Float64Array, firstRow: number): void {
    const { lower, upper } = this.given;
    // The legs point in opposite directions in successive simplices.
    const sign = this.kept.numbers.restarts % 2 === 0 ? 1 : -1;
    for (let i = 0; i <= this.d; i++) this.vertex(i).set(point);
    for (let j = 0; j < this.d; j++) this.vertex(j + 1)[j] += leg(point[j], lower[j], upper[j], sign);
    this.ask(firstRow);
  }

  private ask(firstRow: number): void {
    this.kept.numbers.phase = Phase.rows;
    this.kept.numbers.firstRow = firstRow;
  }

  /** Returns c + t (c − worst). */
  private along(t: number): Float64Array {
    const worst = this.vertex(this.d);
    return this.kept.arrays.centre.map((c, j) => c + t * (c - worst[j]));
  }

  /** Computes c = Σ x_i / d over all vertices except the worst, by rank. */
  private sumCentre(): void {
    const { d, order } = this;
    const { vertices, centre } = this.kept.arrays;
    centre.fill(0);
    for (let i = 0; i < d; i++) {
      const from = order[i] * d;
      for (let j = 0; j < d; j++) centre[j] += vertices[from + j] / d;
    }
  }

  /** Sorts the rows by rank. */
  private sortRows(): void {
    const { arrays } = this.kept;
    const sorted = new Float64Array(arrays.vertices.length);
    for (let i = 0; i <= this.d; i++) sorted.set(this.vertex(i), i * this.d);
    arrays.vertices = sorted;
    this.order = ranks(this.d + 1);
  }

  private gradient() {
    this.sortRows();
    const { vertices, values } = this.kept.arrays;
    const direction = simplexGradient(vertices, values, this.d);
    return { direction, squaredLength: direction.reduce((sum, v) => sum + v * v, 0) };
  }

  private isFlat(): boolean {
    return this.kept.arrays.values[0] === this.kept.arrays.values[this.d];
  }

  private hasCollapsed(): boolean {
    const { values } = this.kept.arrays;
    const spread = values[this.d] - values[0];
    const { pointTolerance, valueTolerance } = this.options;
    return spread <= valueTolerance && this.size(pointTolerance) <= pointTolerance;
  }

  /**
   * Returns the largest distance of a vertex from the best vertex in any coordinate. Stops at the first vertex whose
   * distance is above `enough`.
   */
  private size(enough = Infinity): number {
    const best = this.vertex(0);
    let size = 0;
    for (let i = 1; i <= this.d && size <= enough; i++) {
      const row = this.vertex(i);
      for (let j = 0; j < this.d; j++) size = Math.max(size, Math.abs(row[j] - best[j]));
    }
    return size;
  }

  /** Returns the vertex of rank i. */
  private vertex(i: number): Float64Array {
    const from = this.order[i] * this.d;
    return this.kept.arrays.vertices.subarray(from, from + this.d);
  }
}

/** Returns 0, 1, …, count − 1. */
const ranks = (count: number): Uint32Array<ArrayBuffer> => Uint32Array.from({ length: count }, (_, i) => i);

/**
 * Returns a step of +1 or −1, or a shorter step if neither stays in the box. If a step that leaves the box were folded
 * back, its end could coincide with its start.
 */
function leg(from: number, lower: number, upper: number, sign: number): number {
  const room = (s: number) => (s > 0 ? upper - from : from - lower);
  if (room(sign) >= 1) return sign;
  if (room(-sign) >= 1) return -sign;
  return room(sign) >= room(-sign) ? sign * room(sign) : -sign * room(-sign);
}
