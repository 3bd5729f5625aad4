import { eliminationOrders } from "./elimination-orders.ts";
import type { LogTables } from "./log-tables.ts";
import { type Buckets, miniBucketPass } from "./mini-bucket-pass.ts";

/** log2 of the joint states of a mini-bucket: what takes little time on any graph. */
const LIMIT = 10;

/** The tables, with the elimination order that is found at once. */
export function* bucketsOf({ cardinalities, tables }: LogTables): Generator<void, Buckets> {
  const scopes = tables.map(({ scope }) => scope);
  const { order } = yield* eliminationOrders(cardinalities, scopes, { effort: 0 });
  return { cardinalities, tables, order };
}

/** A proved upper bound of ln Z, or of ln of the largest product, for what has none of its own; and what rounding has added to it. */
export function* quickBound(tables: LogTables, kind: "upper" | "largest"): Generator<void, { value: number; rounding: number }> {
  const { values, rounding } = yield* miniBucketPass(yield* bucketsOf(tables), { kind, limit: LIMIT });
  return { value: values[0], rounding };
}

/** The bound of a value that was reached: the value itself where they differ by rounding alone, which is a proof that none is larger. */
export const boundOf = (value: number, bound: { value: number; rounding: number }): number =>
  bound.value <= value + 2 * bound.rounding ? value : bound.value;
