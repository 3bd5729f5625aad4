import { eliminationOrders } from "./elimination-orders.ts";
import type { LogTables } from "./log-tables.ts";
import { type Buckets, miniBucketPass } from "./mini-bucket-pass.ts";

/** log2 of the number of joint states per mini-bucket. With mini-buckets of this size, a pass is fast on any graph. */
const LIMIT = 10;

/** Returns the tables with the elimination order that is found without a search. */
export function* bucketsOf({ cardinalities, tables }: LogTables): Generator<void, Buckets> {
  const scopes = tables.map(({ scope }) => scope);
  const { order } = yield* eliminationOrders(cardinalities, scopes, { effort: 0 });
  return { cardinalities, tables, order };
}

/**
 * Computes a proved upper bound on ln Z or on ln of the largest product. The bound includes the rounding error, which
 * is also returned. Used for algorithms that do not compute a bound.
 */
export function* quickBound(tables: LogTables, kind: "upper" | "largest"): Generator<void, { value: number; rounding: number }> {
  const { values, rounding } = yield* miniBucketPass(yield* bucketsOf(tables), { kind, limit: LIMIT });
  return { value: values[0], rounding };
}

/**
 * Returns the bound, given the value of a known state. If bound and value differ only by rounding, returns the value,
 * because then no other value is larger.
 */
export const boundOf = (value: number, bound: { value: number; rounding: number }): number =>
  bound.value <= value + 2 * bound.rounding ? value : bound.value;
