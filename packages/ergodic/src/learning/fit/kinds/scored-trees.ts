import type { SavedModel } from "../../../engine/contract/index.ts";
import type { ReadRow } from "../../../engine/data/rows.ts";
import type { Ensemble } from "../../../predict/trees/ensemble.ts";
import { TreesPredictor } from "../../../predict/trees/trees.ts";

/** Outputs of rows, without offsets, and the ensemble that computed them. */
export interface Scores {
  readonly ensemble: Ensemble;
  readonly z: Float64Array;
}

/**
 * An ensemble that computes rows from the outputs of an earlier ensemble, if it begins with the trees of that one. A run
 * that is validated in every round therefore walks each tree once. The bits do not change, because trees are added in
 * order.
 */
export class ScoredTrees extends TreesPredictor {
  /** Outputs of the rows that were computed last. */
  scored: Scores | undefined;
  readonly #earlier: Scores | undefined;

  constructor(saved: SavedModel, earlier: Scores | undefined) {
    super(saved);
    this.#earlier = earlier && beginsWith(this.ensemble, earlier.ensemble) ? earlier : undefined;
  }

  protected override scoresInto(read: ReadRow, from: number, count: number, z: Float64Array): void {
    const earlier = this.#earlier;
    if (earlier?.z.length === z.length && from === 0) {
      z.set(earlier.z);
      this.addTo(read, 0, count, z, earlier.ensemble.outputOf.length, this.treeCount);
    } else super.scoresInto(read, from, count, z);
    this.scored = { ensemble: this.ensemble, z: z.slice() };
  }
}

const PARTS = ["outputOf", "feature", "threshold", "left", "right", "rule", "sets", "values", "base"] as const;

/** Whether an ensemble begins with all trees of another one. */
function beginsWith(ensemble: Ensemble, other: Ensemble): boolean {
  if (other.outputOf.length === 0 || (ensemble.divisor ?? 1) !== 1) return false;
  const setOf = ({ set }: Ensemble, n: number): number => (set.length > 0 ? set[n] : -1);
  return (
    PARTS.every((name) => {
      // A loop, because a call per number takes longer than a round of a small run.
      const [own, begin] = [ensemble[name], other[name]];
      let same = 0;
      while (same < begin.length && begin[same] === own[same]) same++;
      return same === begin.length;
    }) && other.feature.every((_, n) => setOf(ensemble, n) === setOf(other, n))
  );
}
