/** Where the values of a plan's program lie: values that do not live at the same time share places. */
import { type PlanProgram, planTouched } from "../host/array-plan.ts";

const ALIGN = 64;
export const aligned = (bytes: number): number => Math.ceil(bytes / ALIGN) * ALIGN;

export interface Places {
  /** Offset in bytes of each workspace value that a step touches. */
  readonly at: ReadonlyMap<number, number>;
  readonly bytes: number;
}

/** First fit, in the order in which values begin. */
export function placesOf({ values, steps }: PlanProgram<number>, elementBytes: number): Places {
  const first = new Map<number, number>();
  const last = new Map<number, number>();
  for (const [i, step] of steps.entries()) {
    const { reads, writes } = planTouched(step);
    for (const value of [...writes, ...reads]) {
      if (!first.has(value)) first.set(value, i);
      last.set(value, i);
    }
  }
  const at = new Map<number, number>();
  let bytes = 0;
  let live: { from: number; to: number; until: number }[] = [];
  for (const [value, begin] of first) {
    if (values[value].home.kind !== "workspace") continue;
    live = live.filter(({ until }) => until >= begin);
    const size = aligned(values[value].size * elementBytes);
    let from = 0;
    for (const place of live) {
      if (place.from - from >= size) break;
      from = Math.max(from, place.to);
    }
    at.set(value, from);
    bytes = Math.max(bytes, from + size);
    live.push({ from, to: from + size, until: last.get(value)! });
    live.sort((a, b) => a.from - b.from);
  }
  return { at, bytes };
}
