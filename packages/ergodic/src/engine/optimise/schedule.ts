import { add, constant, cos, div, type Expr, floor, min, mul, pow, sub } from "../compiler/index.ts";
import { checkNamedJson, checkOptionsJson } from "../errors/checks.ts";
import { checkKeys, checkNumber } from "../errors/errors.ts";

/**
 * Schedules: a rate as a scalar expression of the update number t (from 1), in the place of a constant.
 *
 *   stepDecay          η_t = η · f^⌊(t − 1)/n⌋
 *   exponentialDecay   η_t = η · f^(t − 1)
 *   cosineDecay        η_t = η₁ + (η − η₁)(1 + cos(π min(t − 1, n)/n))/2
 *   inverseTimeDecay   η_t = η / (1 + d(t − 1))^a; a = 1 and d = 1 is the 1/t of the textbooks
 *   optimalRate        η_t = 1 / (α(t₀ + t − 1)), Bottou's choice for an α-strongly convex objective
 *   warmUp             η_t = (c + (1 − c) min(t − 1, n)/n) · (another schedule or a constant)
 *
 * Units: updates. A schedule is computed once an update, in float64, inside the same pass as the rule.
 * Sources: PyTorch's lr_scheduler for stepDecay, exponentialDecay, cosineDecay (CosineAnnealingLR) and warmUp (LinearLR);
 * scikit-learn's SGDClassifier for optimalRate.
 *
 * @throws OptionError when a number is out of range or an option is unknown
 */
export interface Schedule {
  /** Tells schedules from numbers. */
  readonly kind: "schedule";
  /** The schedule's name. */
  readonly name: string;
  /** Its options, with defaults filled in. */
  readonly options: Readonly<Record<string, number | Schedule>>;
  /** η_t as an expression of t. */
  value(t: Expr): Expr;
  /** JSON from which `scheduleFromJson` makes the same schedule again. */
  toJSON(): ScheduleJson;
}
/** A schedule as JSON, as `schedule.toJSON()` gives it; `scheduleFromJson` makes it again. */
export interface ScheduleJson {
  /** The schedule's name. */
  schedule: string;
  /** Its options. */
  options: Record<string, number | ScheduleJson>;
}

type Range = NonNullable<Parameters<typeof checkNumber>[3]>;
const positive: Range = { low: 0, open: true };
const share: Range = { low: 0, high: 1 };

/** The same rate throughout: η_t = η. `rate`: η > 0, default 0.01. */
export const constantRate = schedule("constantRate", { rate: 0.01 }, { rate: positive }, ({ rate }) => constant(rate));

/**
 * η_t = η f^⌊(t − 1)/n⌋: the rate is multiplied by f every n updates.
 *
 * `rate`: η > 0 (0.01); `every`: n, a whole number of updates >= 1 (1000); `factor`: f > 0 (0.5).
 */
export const stepDecay = schedule(
  "stepDecay",
  { rate: 0.01, every: 1000, factor: 0.5 },
  { rate: positive, every: { ...positive, integer: true }, factor: positive },
  ({ rate, every, factor }, t) => mul(rate, pow(factor, floor(div(sub(t, 1), every)))),
);

/**
 * η_t = η f^(t − 1): the rate is multiplied by f at every update.
 *
 * `rate`: η > 0 (0.01); `factor`: f > 0 (0.999).
 */
export const exponentialDecay = schedule(
  "exponentialDecay",
  { rate: 0.01, factor: 0.999 },
  { rate: positive, factor: positive },
  ({ rate, factor }, t) => mul(rate, pow(factor, sub(t, 1))),
);

/**
 * η_t = η₁ + (η − η₁)(1 + cos(π min(t − 1, n)/n))/2: from η down to η₁ along half a cosine.
 *
 * `rate`: η > 0 (0.01); `updates`: n > 0 (10,000); `final`: η₁ >= 0 (0).
 */
export const cosineDecay = schedule(
  "cosineDecay",
  { rate: 0.01, updates: 10_000, final: 0 },
  { rate: positive, updates: positive, final: { low: 0 } },
  ({ rate, updates, final }, t) =>
    add(final, mul((rate - final) / 2, add(1, cos(mul(Math.PI / updates, min(sub(t, 1), updates)))))),
);

/**
 * η_t = η / (1 + d(t − 1))^a; a = 1 and d = 1 is the 1/t of the textbooks.
 *
 * `rate`: η > 0 (0.01); `decay`: d >= 0 (1); `power`: a >= 0 (1).
 */
export const inverseTimeDecay = schedule(
  "inverseTimeDecay",
  { rate: 0.01, decay: 1, power: 1 },
  { rate: positive, decay: { low: 0 }, power: { low: 0 } },
  ({ rate, decay, power }, t) => {
    const growth = add(1, mul(decay, sub(t, 1)));
    return div(rate, power === 1 ? growth : pow(growth, power));
  },
);

/**
 * η_t = 1 / (α(t₀ + t − 1)), Bottou's choice for an α-strongly convex objective.
 *
 * `alpha`: α > 0 (1e-4); `offset`: t₀ >= 0 (0, which means scikit-learn's 1/(α √(1/√α)), for losses of slope at most 1).
 */
export const optimalRate = schedule(
  "optimalRate",
  { alpha: 1e-4, offset: 0 },
  { alpha: positive, offset: { low: 0 } },
  ({ alpha, offset }, t) => {
    const start = offset || 1 / (alpha * Math.sqrt(1 / Math.sqrt(alpha)));
    return div(1, mul(alpha, add(start - 1, t)));
  },
);

/**
 * η_t = (c + (1 − c) min(t − 1, n)/n) · η: rises linearly from c η to η over n updates.
 *
 * `rate`: η, a number > 0 (0.01) or another schedule, which is not shifted; `updates`: n > 0 (1000); `from`: c in [0, 1] (0.1).
 */
export function warmUp(options: { rate?: number | Schedule; updates?: number; from?: number } = {}): Schedule {
  checkKeys("warmUp", options, ["rate", "updates", "from"]);
  const { rate = 0.01, updates = 1000, from = 0.1 } = options;
  if (!isSchedule(rate)) checkNumber("warmUp", "rate", rate, positive);
  checkNumber("warmUp", "updates", updates, positive);
  checkNumber("warmUp", "from", from, share);
  return made("warmUp", { rate, updates, from }, (t) => {
    const factor = add(from, mul((1 - from) / updates, min(sub(t, 1), updates)));
    return mul(factor, isSchedule(rate) ? rate.value(t) : rate);
  });
}

/** Every schedule by its name, for reading a stored one. */
export const schedules: Readonly<Record<string, (options?: never) => Schedule>> = {
  constantRate,
  stepDecay,
  exponentialDecay,
  cosineDecay,
  inverseTimeDecay,
  optimalRate,
  warmUp,
};

/** Names of the library's schedules. */
export const scheduleNames = (): string[] => Object.keys(schedules);

export function isSchedule(value: unknown): value is Schedule {
  return typeof value === "object" && value !== null && (value as Schedule).kind === "schedule";
}

/** Rebuilds what toJSON() gave. Throws OptionError for an unknown name. */
export function scheduleFromJson(json: ScheduleJson): Schedule {
  checkNamedJson("scheduleFromJson", json, "schedule", "a schedule");
  checkOptionsJson("scheduleFromJson", json.options);
  checkKeys("schedule", { [json.schedule]: 1 }, Object.keys(schedules));
  const make = schedules[json.schedule] as unknown as (options: Record<string, number | Schedule>) => Schedule;
  return make(
    Object.fromEntries(Object.entries(json.options).map(([k, v]) => [k, typeof v === "number" ? v : scheduleFromJson(v)])),
  );
}

function schedule<O extends Record<string, number>>(
  name: string,
  defaults: O,
  ranges: { [K in keyof O]: Range },
  value: (options: O, t: Expr) => Expr,
): (options?: Partial<O>) => Schedule {
  return (options = {}) => {
    checkKeys(name, options, Object.keys(defaults));
    const resolved: O = { ...defaults, ...options };
    for (const key of Object.keys(defaults)) checkNumber(name, key, resolved[key], ranges[key]);
    return made(name, resolved, (t) => value(resolved, t));
  };
}

function made(name: string, options: Record<string, number | Schedule>, value: (t: Expr) => Expr): Schedule {
  const json = (): ScheduleJson => ({
    schedule: name,
    options: Object.fromEntries(Object.entries(options).map(([k, v]) => [k, isSchedule(v) ? v.toJSON() : v])),
  });
  return { kind: "schedule", name, options: Object.freeze({ ...options }), value, toJSON: json };
}
