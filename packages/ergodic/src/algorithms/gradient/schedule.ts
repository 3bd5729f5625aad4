import { checkNamedJson, checkOptionsJson } from "../../base/checks.ts";
import { checkKeys, checkNumber } from "../../base/errors.ts";
import { add, constant, cos, div, type Expr, floor, min, mul, pow, sub } from "../../compiler/index.ts";

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
  readonly kind: "schedule";
  readonly name: string;
  readonly options: Readonly<Record<string, number | Schedule>>;
  /** η_t as an expression of t. */
  value(t: Expr): Expr;
  toJSON(): ScheduleJson;
}
export interface ScheduleJson {
  schedule: string;
  options: Record<string, number | ScheduleJson>;
}

type Range = NonNullable<Parameters<typeof checkNumber>[3]>;
const positive: Range = { low: 0, open: true };
const share: Range = { low: 0, high: 1 };

/** η, always. */
export const constantRate = schedule("constantRate", { rate: 0.01 }, { rate: positive }, ({ rate }) => constant(rate));

export const stepDecay = schedule(
  "stepDecay",
  { rate: 0.01, every: 1000, factor: 0.5 },
  { rate: positive, every: { ...positive, integer: true }, factor: positive },
  ({ rate, every, factor }, t) => mul(rate, pow(factor, floor(div(sub(t, 1), every)))),
);

export const exponentialDecay = schedule(
  "exponentialDecay",
  { rate: 0.01, factor: 0.999 },
  { rate: positive, factor: positive },
  ({ rate, factor }, t) => mul(rate, pow(factor, sub(t, 1))),
);

export const cosineDecay = schedule(
  "cosineDecay",
  { rate: 0.01, updates: 10_000, final: 0 },
  { rate: positive, updates: positive, final: { low: 0 } },
  ({ rate, updates, final }, t) =>
    add(final, mul((rate - final) / 2, add(1, cos(mul(Math.PI / updates, min(sub(t, 1), updates)))))),
);

export const inverseTimeDecay = schedule(
  "inverseTimeDecay",
  { rate: 0.01, decay: 1, power: 1 },
  { rate: positive, decay: { low: 0 }, power: { low: 0 } },
  ({ rate, decay, power }, t) => {
    const growth = add(1, mul(decay, sub(t, 1)));
    return div(rate, power === 1 ? growth : pow(growth, power));
  },
);

/** `offset` is t₀; 0 takes scikit-learn's for losses of slope at most 1 (logistic, hinge): t₀ = 1/(α √(1/√α)). */
export const optimalRate = schedule(
  "optimalRate",
  { alpha: 1e-4, offset: 0 },
  { alpha: positive, offset: { low: 0 } },
  ({ alpha, offset }, t) => {
    const start = offset || 1 / (alpha * Math.sqrt(1 / Math.sqrt(alpha)));
    return div(1, mul(alpha, add(start - 1, t)));
  },
);

/** `rate` is what is reached: a number or another schedule (whose own t is not shifted). */
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
