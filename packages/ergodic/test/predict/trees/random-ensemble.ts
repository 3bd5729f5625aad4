import { type Stream, stream } from "../../../src/engine/random/stream.ts";
import type { Ensemble } from "../../../src/predict/trees/ensemble.ts";

type Draws = ReturnType<Stream["at"]>;

export interface Kinds {
  readonly columns: number;
  readonly outputs: number;
  readonly trees: number;
  /** Largest number of leaves per tree. */
  readonly leaves: number;
  /** Thresholds and inputs are float32. */
  readonly isF32: boolean;
  readonly isFloatSum: boolean;
  /** Whether each leaf has a value per output. */
  readonly isWide: boolean;
  /** Rules that nodes can have. */
  readonly rules: readonly number[];
  readonly hasSets: boolean;
}

/** Returns trees of random shapes, whose thresholds are often equal to inputs of `randomRow`. */
export function randomEnsemble(seed: number, kinds: Kinds): Ensemble {
  const draws = stream(seed, "ensemble").at(0);
  const { columns, outputs, trees, isF32, isFloatSum, isWide, hasSets } = kinds;
  const firstNode = [0];
  const outputOf: number[] = [];
  const nodes: { feature: number; threshold: number; left: number; right: number; rule: number; set: number }[] = [];
  const sets: number[] = [];
  let leafCount = 0;
  for (let t = 0; t < trees; t++) {
    outputOf.push(isWide ? 0 : draws.integer(outputs));
    const leaves = 1 + draws.integer(kinds.leaves);
    const root = nodes.length;
    const empty = { feature: -1, threshold: 0, left: 0, right: 0, rule: 0, set: -1 };
    nodes.push({ ...empty });
    const open = [root];
    for (let k = 1; k < leaves; k++) {
      const n = open.splice(draws.integer(open.length), 1)[0];
      const isSet = hasSets && draws.integer(2) === 0;
      if (isSet) sets.push(1 + draws.integer(2));
      const at = sets.length - 1;
      if (isSet) for (let w = sets[at]; w > 0; w--) sets.push(draws.integer(2 ** 31));
      const own = { threshold: cell(draws), rule: kinds.rules[draws.integer(kinds.rules.length)], set: isSet ? at : -1 };
      nodes[n] = { feature: draws.integer(columns), left: nodes.length, right: nodes.length + 1, ...own };
      open.push(nodes.length, nodes.length + 1);
      nodes.push({ ...empty }, { ...empty });
    }
    for (let n = root; n < nodes.length; n++) if (nodes[n].feature < 0) nodes[n].left = leafCount++;
    firstNode.push(nodes.length);
  }
  const leafWidth = isWide ? outputs : 1;
  const thresholds = nodes.map(({ threshold }) => threshold);
  const float = (x: number): number => (isFloatSum ? Math.fround(x) : x);
  return {
    firstNode: Uint32Array.from(firstNode),
    outputOf: Uint32Array.from(outputOf),
    feature: Int32Array.from(nodes, ({ feature }) => feature),
    threshold: isF32 ? Float32Array.from(thresholds) : Float64Array.from(thresholds),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    rule: Int32Array.from(nodes, ({ rule }) => rule),
    set: sets.length > 0 ? Int32Array.from(nodes, ({ set }) => set) : new Int32Array(0),
    sets: Uint32Array.from(sets),
    values: Float64Array.from({ length: leafCount * leafWidth }, () => float(draws.normal())),
    leafWidth,
    base: Float64Array.from({ length: outputs }, () => float(draws.normal())),
    isFloatSum,
    gain: new Float64Array(0),
    cover: new Float64Array(0),
  };
}

/** Values at which rules differ: equal to thresholds, zeros of both signs, missing, negative, large and infinite. */
const CELLS = [0, -0, 1e-36, -1e-36, 1e-34, Number.NaN, -0.5, -1, 1, 2, 3, 31, 32, 63, 64, 0.1, 1e9, -1e9];

function cell(draws: Draws): number {
  const x = CELLS[draws.integer(CELLS.length)];
  return Number.isNaN(x) || draws.integer(3) === 0 ? draws.normal() : x;
}

export function randomRow(draws: Draws, columns: number): Float64Array {
  const extremes = [Infinity, -Infinity, ...CELLS];
  return Float64Array.from({ length: columns }, () =>
    draws.integer(3) === 0 ? draws.normal() : extremes[draws.integer(extremes.length)],
  );
}
