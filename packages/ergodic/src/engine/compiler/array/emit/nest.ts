import type { Access, LoopStep } from "../lowered.ts";

export interface Axis {
  readonly extent: number;
  /** Strides of loads, stores and reductions (in this order), in elements. */
  readonly strides: readonly number[];
  readonly reduced: boolean;
}

/**
 * A loop step as nested loops. Axes of extent 1 are dropped, and contiguous neighbouring axes are merged. The last axis
 * is vectorised, because memory is mostly contiguous along it.
 *
 * Reduced axes are innermost. If the last axis is reduced, the lanes of a vector are combined into one number at the
 * end. If the last axis is not reduced, the accumulators hold a block of its elements while the loops run over the
 * reduced axes.
 */
export interface Nest {
  /** Axes, outermost first. */
  readonly axes: readonly Axis[];
  /** Index of the vectorised axis. */
  readonly vector: number;
  /** Index of the first reduced axis, or the number of axes if no axis is reduced. */
  readonly firstReduced: number;
}

export const accessesOf = ({ loads, stores, reductions }: LoopStep): Access[] => [
  ...loads,
  ...stores.map((s) => s.to),
  ...reductions.map((r) => r.to),
];

export function nestOf(step: LoopStep): Nest {
  const merged = mergedAxes(step);
  const kept = merged.filter((axis) => !axis.reduced);
  const reduced = merged.filter((axis) => axis.reduced);
  const axes = [...kept, ...reduced];
  if (axes.length === 0) axes.push({ extent: 1, strides: accessesOf(step).map(() => 0), reduced: false });
  const isLastReduced = merged.at(-1)?.reduced === true;
  return {
    axes,
    vector: isLastReduced || reduced.length === 0 ? axes.length - 1 : kept.length - 1,
    firstReduced: reduced.length === 0 ? axes.length : kept.length,
  };
}

function mergedAxes(step: LoopStep): Axis[] {
  const accesses = accessesOf(step);
  const [from, to] = step.reductions.length > 0 ? step.reduced : [0, 0];
  const merged: Axis[] = [];
  step.shape.forEach((extent, i) => {
    if (extent === 1) return;
    const axis = { extent, strides: accesses.map((a) => a.strides[i]), reduced: i >= from && i < to };
    const outer = merged.at(-1);
    const isOneRun = outer && outer.reduced === axis.reduced && outer.strides.every((s, k) => s === axis.strides[k] * extent);
    if (isOneRun) merged[merged.length - 1] = { ...axis, extent: outer.extent * extent };
    else merged.push(axis);
  });
  return merged;
}
