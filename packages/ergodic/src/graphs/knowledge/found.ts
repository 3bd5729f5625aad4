import { Ints } from "./ints.ts";

/**
 * Groundings in columns. The columns are the row of each literal's atom, the weight, and the feature if features
 * differ.
 */
export class Found {
  readonly literals: readonly Ints[];
  readonly weights: Ints;
  readonly features: number[] | undefined;

  constructor(literalCount: number, features: boolean, room = 16) {
    this.literals = Array.from({ length: literalCount }, () => new Ints(room));
    this.weights = new Ints(room);
    this.features = features ? [] : undefined;
  }

  get length(): number {
    return this.weights.length;
  }
}
