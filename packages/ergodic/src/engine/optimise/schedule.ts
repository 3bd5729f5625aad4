import type { Expr } from "../compiler/index.ts";
import { checkKeys } from "../errors/errors.ts";
import { acceptedBy, checkOptions, type Declaration, type Range } from "../errors/options.ts";

/**
 * A schedule gives a rate as a scalar expression of the update index t (from 1), instead of a constant. Each schedule
 * is a file in schedules/.
 *
 * Units: updates. A schedule is evaluated once per update, in float64, in the same pass as the rule.
 * Sources: PyTorch's lr_scheduler for stepDecay, exponentialDecay, cosineDecay (CosineAnnealingLR) and warmUp
 * (LinearLR); scikit-learn's SGDClassifier for optimalRate.
 *
 * @throws OptionError when a number is out of range or an option is unknown
 */
export interface Schedule {
  /** Discriminates schedules from numbers. */
  readonly kind: "schedule";
  /** Name of the schedule. */
  readonly name: string;
  /** Options with defaults filled in. */
  readonly options: Readonly<Record<string, number | Schedule>>;
  /** Returns η_t as an expression of t. */
  value(t: Expr): Expr;
  /** Returns JSON from which `scheduleFromJson` rebuilds the same schedule. */
  toJSON(): ScheduleJson;
}
/** A schedule as JSON, as returned by `schedule.toJSON()`. `scheduleFromJson` rebuilds the schedule from this JSON. */
export interface ScheduleJson {
  /** Name of the schedule. */
  schedule: string;
  /** Options of the schedule. */
  options: Record<string, number | ScheduleJson>;
}

/** A function that makes a schedule from options, with its declaration. `N`: options that also accept a schedule. */
export interface ScheduleFactory<O, N extends keyof O> {
  (options?: { readonly [K in keyof O]?: K extends N ? number | Schedule : number }): Schedule;
  /** Name of the schedule, and the values that its options accept. */
  readonly declaration: Declaration;
}

export const isSchedule = (value: unknown): value is Schedule =>
  typeof value === "object" && value !== null && (value as Schedule).kind === "schedule";

/** Defines a schedule by η_t. `nested` lists the options for which a schedule can replace the number. */
export function schedule<O extends Record<string, number>, N extends keyof O & string = never>(
  name: string,
  defaults: O,
  ranges: { [K in keyof O]: Range },
  value: (options: { readonly [K in keyof O]: K extends N ? number | Schedule : number }, t: Expr) => Expr,
  nested: readonly N[] = [],
): ScheduleFactory<O, N> {
  const declaration: Declaration = { name, options: acceptedBy(defaults, ranges) };
  const make: (given?: object) => Schedule = (given = {}) => {
    const isNumber = ([key, one]: [string, unknown]): boolean => !(nested.includes(key as N) && isSchedule(one));
    checkKeys(name, given, Object.keys(defaults));
    checkOptions(name, Object.fromEntries(Object.entries(given).filter(isNumber)), declaration);
    const own = given as Readonly<Record<string, number | Schedule | undefined>>;
    const options = Object.freeze(Object.fromEntries(Object.keys(defaults).map((key) => [key, own[key] ?? defaults[key]])));
    return {
      kind: "schedule",
      name,
      options,
      value: (t) => value(options as never, t),
      toJSON: () => ({
        schedule: name,
        options: Object.fromEntries(Object.entries(options).map(([key, one]) => [key, isSchedule(one) ? one.toJSON() : one])),
      }),
    };
  };
  return Object.assign(make, { declaration });
}
