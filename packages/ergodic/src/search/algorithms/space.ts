import type { JsonObject } from "../../engine/contract/index.ts";
import { isList } from "../../engine/errors/checks.ts";
import { checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import { checkRoom, MOST_OBJECTS } from "../../engine/memory/room.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";

/** Scale of a coordinate: "linear", or "log" for positive numbers that vary over orders of magnitude. */
export type Scale = "linear" | "log";

/** Space of a search: its starting point, bounds and scales. */
export interface SpaceOptions {
  /** Starting point, in the user's units. Default: the middle of the bounds. */
  x0?: ArrayLike<number>;
  /**
   * Bounds [low, high] of each coordinate. A missing bound is ∓Infinity. A coordinate with low = high is fixed.
   * Default: unbounded. `x0` or `bounds` must be given.
   */
  bounds?: readonly (readonly [low: number, high: number])[];
  /**
   * Scale, "linear" or "log": one value for all coordinates, or one per coordinate. "log" needs positive values.
   * Default "linear".
   */
  scale?: Scale | readonly Scale[];
  /** Whether coordinates are whole numbers: one value for all coordinates, or one per coordinate. Default false. */
  integer?: boolean | readonly boolean[];
  /**
   * Initial step, > 0, in the user's units or, on a log scale, in factors of e. Either one value for all coordinates or
   * one value per coordinate. Default: a fifth of the box. If there is no box, the default is max(0.1|x₀|, 0.5), or 0.5
   * on a log scale.
   */
  stepSize?: number | ArrayLike<number>;
}

/** Bytes of memory per coordinate, for its bounds and its name in lists. */
const COORDINATE_BYTES = 256;

export const spaceKeys = ["x0", "bounds", "scale", "integer", "stepSize"];

/** One coordinate of the user's space. `step` is in units of the transformed coordinate t. */
interface Coordinate {
  low: number;
  high: number;
  x0: number;
  log: boolean;
  integer: boolean;
  step: number;
}

/**
 * Maps the user's space to a search's internal coordinates: z = (t(x) − t(x₀)) / s, where t is the identity ("linear")
 * or ln ("log").
 *
 * x₀ (`x0`): in the user's units, within the bounds. Default: the middle of the box in t, or one step from the bound if
 * there is only one bound, or 0 if there is none. `bounds`: [low, high] by coordinate, ∓Infinity for none (a log scale
 * then only requires x > 0). s (`stepSize`): the user's initial step, which becomes 1 in internal coordinates. The step
 * is in the user's units. On a log scale, it is in nats (factors of e). Default: a fifth of the box in t, because
 * CMA-ES should start with a step of 0.2 to 0.3 times the box. Without a box, the default is max(0.1|x₀|, 0.5), or 0.5
 * nats on a log scale.
 *
 * A z outside the box is folded back by repeated reflection at its sides, so that a search sees a continuous function
 * on ℝᵈ. Integers are rounded after folding. Their step is at least 1. The box of an integer extends half a unit beyond
 * its bounds, so that every value has an equal share. Coordinates with low = high are fixed, and not passed to the
 * search. A single value of `scale`, `integer` or `stepSize` applies to all coordinates.
 *
 * @throws OptionError: SEARCH_DIMENSION, SEARCH_BOUNDS, SEARCH_START, OPTION_RANGE, OPTION_TYPE
 */
export class Space {
  protected static readonly typeName: string = "Space";
  /** Number of coordinates of the user's x. */
  readonly dimension: number;
  /** Box in internal coordinates. The origin of these coordinates is x₀. */
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  private readonly coordinates: readonly Coordinate[];
  /** Indices of the coordinates that a search sees. */
  private readonly free: readonly number[];
  /**
   * x₀, and for each free coordinate its index, bounds, step, and flags for a log scale and for whole numbers. Every
   * evaluation reads them.
   */
  private readonly origin: Float64Array;
  private readonly at: Uint32Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly step: Float64Array;
  private readonly isLog: Uint8Array;
  private readonly isInteger: Uint8Array;

  constructor(where: string, options: SpaceOptions) {
    this.coordinates = resolve(where, options);
    this.dimension = this.coordinates.length;
    this.free = this.coordinates.flatMap(({ low, high }, i) => (low < high ? [i] : []));
    if (this.free.length === 0) {
      throw new OptionError(
        where,
        this.dimension === 0
          ? "there is no coordinate to search; give x0 or bounds of one or more"
          : "every coordinate is fixed, since low equals high in all bounds; widen one",
        "SEARCH_DIMENSION",
      );
    }
    const box = this.free.map((i) => boxOf(this.coordinates[i]));
    this.lower = Float64Array.from(box, ([low]) => low);
    this.upper = Float64Array.from(box, ([, high]) => high);
    this.origin = Float64Array.from(this.coordinates, ({ x0 }) => x0);
    this.at = Uint32Array.from(this.free);
    const free = this.free.map((i) => this.coordinates[i]);
    this.low = Float64Array.from(free, ({ low }) => low);
    this.high = Float64Array.from(free, ({ high }) => high);
    this.step = Float64Array.from(free, ({ step }) => step);
    this.isLog = Uint8Array.from(free, ({ log: isLog }) => Number(isLog));
    this.isInteger = Uint8Array.from(free, ({ integer }) => Number(integer));
  }

  /** Number of coordinates that are searched. */
  get count(): number {
    return this.free.length;
  }

  /**
   * Returns the point to evaluate for z, within the bounds and with integers rounded. NaN if z is not finite or
   * overflows.
   */
  toUser(z: Float64Array): Float64Array {
    const { origin, at, low, high, step, isLog, isInteger, lower, upper } = this;
    const x = origin.slice();
    for (let k = 0; k < at.length; k++) {
      const moved = fold(z[k], lower[k], upper[k]) * step[k];
      const real = isLog[k] === 1 ? origin[at[k]] * exp(moved) : origin[at[k]] + moved;
      // Rounding can give −0. Adding 0 turns it into 0.
      const value = isInteger[k] === 1 ? Math.round(real) + 0 : real;
      x[at[k]] = Number.isFinite(value) ? Math.min(high[k], Math.max(low[k], value)) : Number.NaN;
    }
    return x;
  }

  /**
   * Returns the internal coordinates of a point in the user's space.
   * @throws OptionError [SEARCH_POINT] for a point outside the space
   */
  toInternal(where: string, x: ArrayLike<number>): Float64Array {
    if (x.length !== this.dimension) {
      throw new OptionError(where, `x has ${x.length} coordinates, but the space has ${this.dimension}`, "SEARCH_POINT");
    }
    for (const [i, coordinate] of this.coordinates.entries()) refuseOutside(where, `x[${i}]`, x[i], coordinate, "SEARCH_POINT");
    return Float64Array.from(this.free, (i) => internalValue(this.coordinates[i], x[i]));
  }

  /** Returns options from which the same space can be made. A missing bound is null. */
  toJSON(): JsonObject {
    return {
      x0: this.coordinates.map(({ x0 }) => x0),
      bounds: this.coordinates.map(({ low, high, log: isLog }) => [
        finiteOrNull(low === 0 && isLog ? -Infinity : low),
        finiteOrNull(high),
      ]),
      scale: this.coordinates.map((c) => (c.log ? "log" : "linear")),
      integer: this.coordinates.map(({ integer }) => integer),
      stepSize: this.coordinates.map(({ step }) => step),
    };
  }
}

/** Returns the options of a space from the JSON that its `toJSON` returned. */
export function spaceOptionsFromJson(json: JsonObject): SpaceOptions {
  const { bounds, ...others } = json as { bounds: [number | null, number | null][] };
  return { ...others, bounds: bounds.map(([low, high]) => [low ?? -Infinity, high ?? Infinity] as const) };
}

function finiteOrNull(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

/** Reflects z at the sides until it lies between them. */
export function fold(z: number, lower: number, upper: number): number {
  if (z >= lower && z <= upper) return z;
  if (upper === Infinity) return 2 * lower - z;
  if (lower === -Infinity) return 2 * upper - z;
  const width = upper - lower;
  const at = (z - lower) % (2 * width);
  const along = at < 0 ? at + 2 * width : at;
  // Rounding can put the result slightly outside.
  return Math.min(upper, Math.max(lower, along > width ? upper - (along - width) : lower + along));
}

function internalValue(c: Coordinate, x: number): number {
  return c.log ? log(x / c.x0) / c.step : (x - c.x0) / c.step;
}

function boxOf(c: Coordinate): [number, number] {
  const beyond = c.integer ? 0.5 : 0;
  return [internalValue(c, c.low - beyond), internalValue(c, c.high + beyond)];
}

function resolve(where: string, options: SpaceOptions): Coordinate[] {
  const { x0, bounds } = options;
  if (x0 === undefined && bounds === undefined) {
    throw new OptionError(
      where,
      "neither x0 nor bounds were given; give the start x0, or the bounds to search",
      "OPTION_MISSING",
    );
  }
  for (const [name, value] of [
    ["x0", x0],
    ["bounds", bounds],
  ] as const) {
    if (value !== undefined && !isList(value))
      throw new OptionError(where, `${name} is ${shown(value)}, but must be an array`, "OPTION_TYPE");
  }
  const count = (bounds ?? x0)?.length ?? 0;
  checkRoom(where, `${count} coordinates`, COORDINATE_BYTES * count, MOST_OBJECTS);
  const scale = perCoordinate(where, "scale", options.scale ?? "linear", count);
  const integer = perCoordinate(where, "integer", options.integer ?? false, count);
  const stepSize = perCoordinate(where, "stepSize", options.stepSize, count);
  if (x0 && x0.length !== count) refuseLength(where, "x0", x0.length, count);
  return Array.from({ length: count }, (_, i) => {
    const isLog = choice(where, `scale[${i}]`, scale[i], "linear", "log") === "log";
    const isInteger = choice(where, `integer[${i}]`, integer[i], false, true);
    const [low, high] = boundsOf(where, i, bounds?.[i], isLog, isInteger);
    const partial = { low, high, log: isLog, integer: isInteger };
    const start = x0 ? x0[i] : middle(partial);
    refuseOutside(where, `x0[${i}]`, start, { ...partial, x0: start, step: 1 }, "SEARCH_START");
    const given = stepSize[i];
    if (given !== undefined) checkNumber(where, `stepSize[${i}]`, given, { low: 0, open: true });
    return { ...partial, x0: start, step: stepOf(partial, start, given) };
  });
}

function boundsOf(where: string, i: number, given: unknown, isLog: boolean, isInteger: boolean): [number, number] {
  const lowest = !isLog ? -Infinity : isInteger ? 1 : 0;
  if (given === undefined) return [lowest, Infinity];
  const name = `bounds[${i}]`;
  if (!isList(given) || given.length !== 2 || typeof given[0] !== "number" || typeof given[1] !== "number")
    throw new OptionError(where, `${name} is ${shown(given)}, but must be [low, high]`, "OPTION_TYPE");
  const box = `${name} is [${given[0]}, ${given[1]}]`;
  const low = isInteger ? Math.ceil(given[0]) : given[0];
  const high = isInteger ? Math.floor(given[1]) : given[1];
  if (!(low <= high) || low === Infinity || high === -Infinity) {
    const why = isInteger && given[0] <= given[1] ? "no integer lies between" : "low must be at most high";
    throw new OptionError(where, `${box}: ${why}; give numbers, or ∓Infinity for no bound`, "SEARCH_BOUNDS");
  }
  if (low === -Infinity) return [lowest, high];
  if (isLog && !(low > 0)) {
    throw new OptionError(where, `${box}, but on a log scale low must be > 0; raise it, or use scale "linear"`, "SEARCH_BOUNDS");
  }
  return [low, high];
}

/** Returns the starting point of a search for which only bounds were given. */
function middle({ low, high, log: isLog, integer }: Omit<Coordinate, "x0" | "step">): number {
  const at = (): number => {
    const bounded = low > (isLog ? 0 : -Infinity);
    if (bounded && high < Infinity) return isLog ? low * exp(0.5 * log(high / low)) : 0.5 * low + 0.5 * high;
    if (bounded) return isLog ? low * exp(LOG_STEP) : low + linearStep(low);
    if (high < Infinity) return isLog ? high * exp(-LOG_STEP) : high - linearStep(high);
    return isLog ? 1 : 0;
  };
  return Math.min(high, Math.max(low, integer ? Math.round(at()) + 0 : at()));
}

/** Default step in nats if there is no box. */
const LOG_STEP = 0.5;

function linearStep(x: number): number {
  return Math.max(0.1 * Math.abs(x), 0.5);
}

function stepOf(c: Omit<Coordinate, "x0" | "step">, x0: number, given: number | undefined): number {
  const boxed = c.low > (c.log ? 0 : -Infinity) && c.high < Infinity && c.low < c.high;
  const fifth = c.log ? log(c.high / c.low) / 5 : c.high / 5 - c.low / 5;
  const step = given ?? (boxed ? fifth : c.log ? LOG_STEP : linearStep(x0));
  return c.integer ? Math.max(step, c.log ? log((x0 + 1) / x0) : 1) : step;
}

function refuseOutside(where: string, name: string, x: number, c: Coordinate, code: string): void {
  const positive = !c.log || x > 0;
  if (Number.isFinite(x) && x >= c.low && x <= c.high && positive && (!c.integer || Number.isInteger(x))) return;
  const wanted = !Number.isFinite(x)
    ? "must be a number"
    : !positive
      ? "must be > 0 on a log scale"
      : c.integer && !Number.isInteger(x)
        ? "must be an integer"
        : `must lie within its bounds [${c.low}, ${c.high}]`;
  throw new OptionError(where, `${name} is ${shown(x)}, but ${wanted}`, code);
}

function perCoordinate<T>(where: string, name: string, given: T | ArrayLike<T>, count: number): ArrayLike<T> {
  if (!isList(given)) return Array.from({ length: count }, () => given as T);
  const list = given as ArrayLike<T>;
  if (list.length !== count) refuseLength(where, name, list.length, count);
  return list;
}

function refuseLength(where: string, name: string, length: number, count: number): never {
  throw new OptionError(where, `${name} has ${length} values, but there are ${count} coordinates`, "SEARCH_DIMENSION");
}

function choice<T>(where: string, name: string, given: unknown, ...allowed: T[]): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  throw new OptionError(
    where,
    `${name} is ${shown(given)}, but must be ${allowed.map((a) => JSON.stringify(a)).join(" or ")}`,
    "OPTION_TYPE",
  );
}
