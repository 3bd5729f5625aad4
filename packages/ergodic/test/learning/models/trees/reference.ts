/** Boosting of trees without histograms, bins or fixed-point sums, for columns of numbers: the definition, literally. */

export interface ReferenceOptions {
  readonly rounds: number;
  readonly rate: number;
  readonly leaves: number;
  readonly depth: number;
  readonly l1: number;
  readonly l2: number;
  readonly minGain: number;
  readonly minHessian: number;
  readonly minRows: number;
}

type Tree =
  | { readonly value: number }
  | { readonly j: number; readonly t: number; readonly missingLeft: boolean; l: Tree; r: Tree };

interface Leaf {
  readonly rows: readonly number[];
  readonly depth: number;
  place: (tree: Tree) => void;
  split?: { gain: number; j: number; t: number; missingLeft: boolean };
}

const goesLeft = (x: number, t: number, missingLeft: boolean): boolean => (Number.isNaN(x) ? missingLeft : x < t);

/**
 * Returns the outputs of the rows `at` after all rounds. `derivatives`: slope and curvature of the loss of row i at z.
 * `leafValue`: value of a leaf with these rows, if the derivatives do not determine it.
 */
export function boosted(
  x: readonly (readonly number[])[],
  derivatives: (z: number, i: number) => readonly [number, number],
  base: number,
  options: ReferenceOptions,
  at: readonly (readonly number[])[],
  leafValue?: (rows: readonly number[], z: readonly number[]) => number,
): number[] {
  const z = x.map(() => base);
  const out = at.map(() => base);
  for (let round = 0; round < options.rounds; round++) {
    const both = z.map(derivatives);
    const tree = grown(x, both, options, leafValue && ((rows) => leafValue(rows, z)));
    for (const [i, row] of x.entries()) z[i] += options.rate * valueAt(tree, row);
    for (const [i, row] of at.entries()) out[i] += options.rate * valueAt(tree, row);
  }
  return out;
}

function valueAt(tree: Tree, row: readonly number[]): number {
  let node = tree;
  while (!("value" in node)) node = goesLeft(row[node.j], node.t, node.missingLeft) ? node.l : node.r;
  return node.value;
}

function grown(
  x: readonly (readonly number[])[],
  both: readonly (readonly [number, number])[],
  options: ReferenceOptions,
  leafValue?: (rows: readonly number[]) => number,
): Tree {
  const sum = (rows: readonly number[], k: 0 | 1): number => rows.reduce((all, i) => all + both[i][k], 0);
  const soft = (g: number): number => Math.sign(g) * Math.max(0, Math.abs(g) - options.l1);
  const score = (rows: readonly number[]): number => soft(sum(rows, 0)) ** 2 / (sum(rows, 1) + options.l2);
  const value = (rows: readonly number[]): number => -soft(sum(rows, 0)) / (sum(rows, 1) + options.l2);
  const allowed = (rows: readonly number[]): boolean =>
    rows.length >= options.minRows && rows.length > 0 && sum(rows, 1) >= options.minHessian - 1e-9;
  const search = ({ rows, depth }: Leaf): Leaf["split"] => {
    if (depth >= options.depth) return undefined;
    let best: Leaf["split"];
    for (let j = 0; j < x[0].length; j++) {
      // Thresholds lie between neighbouring values of all rows, not only of the leaf's.
      const values = [...new Set(x.map((row) => row[j]).filter((v) => !Number.isNaN(v)))].sort((a, b) => a - b);
      const cuts = values.slice(1).map((v, k) => v / 2 + values[k] / 2);
      const missing = rows.filter((i) => Number.isNaN(x[i][j]));
      if (missing.length > 0) cuts.push(Infinity);
      const directions = missing.length > 0 ? [false, true] : [false];
      for (const t of cuts) {
        for (const missingLeft of directions) {
          const left = rows.filter((i) => goesLeft(x[i][j], t, missingLeft));
          const right = rows.filter((i) => !goesLeft(x[i][j], t, missingLeft));
          if (!allowed(left) || !allowed(right)) continue;
          const gain = (score(left) + score(right) - score(rows)) / 2;
          // Of thresholds that divide these rows in the same way, the first counts.
          if (gain > options.minGain && gain > (best?.gain ?? 0) * (1 + 1e-12)) {
            const side = missing.length > 0 ? missingLeft : 2 * sum(left, 1) >= sum(rows, 1);
            best = { gain, j, t, missingLeft: side };
          }
        }
      }
    }
    return best;
  };
  let root: Tree | undefined;
  const first: Leaf = {
    rows: x.map((_, i) => i),
    depth: 0,
    place: (tree) => {
      root = tree;
    },
  };
  first.split = search(first);
  const leaves = [first];
  while (leaves.length < options.leaves) {
    const best = leaves.reduce((a, b) => ((b.split?.gain ?? 0) > (a.split?.gain ?? 0) ? b : a));
    if (!best.split) break;
    const { j, t, missingLeft } = best.split;
    const node = { j, t, missingLeft, l: { value: 0 } as Tree, r: { value: 0 } as Tree };
    best.place(node);
    const children = (["l", "r"] as const).map((side): Leaf => {
      const leaf: Leaf = {
        rows: best.rows.filter((i) => goesLeft(x[i][j], t, missingLeft) === (side === "l")),
        depth: best.depth + 1,
        place: (tree) => {
          node[side] = tree;
        },
      };
      leaf.split = search(leaf);
      return leaf;
    });
    leaves.splice(leaves.indexOf(best), 1, ...children);
  }
  for (const leaf of leaves) leaf.place({ value: (leafValue ?? value)(leaf.rows) });
  return root!;
}
