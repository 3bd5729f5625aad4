/** Shapley values and interactions of trees by their definition, over all subsets of columns; and random ensembles. */
import { stream } from "../../../src/engine/random/stream.ts";
import { type Ensemble, goesLeft } from "../../../src/predict/trees/ensemble.ts";

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** Expected output k if only the columns in the bit set are known. */
function expected(ensemble: Ensemble, x: Float64Array, k: number, known: number): number {
  const { firstNode, outputOf, feature, left, right, cover, values, leafWidth, base } = ensemble;
  const below = (n: number): number => {
    if (feature[n] < 0) return values[left[n] * leafWidth + (leafWidth === 1 ? 0 : k)];
    if ((known >> feature[n]) & 1) return below(goesLeft(ensemble, n, x[feature[n]]) ? left[n] : right[n]);
    const [l, r] = [cover[left[n]], cover[right[n]]];
    return l + r > 0 ? (l * below(left[n]) + r * below(right[n])) / (l + r) : (below(left[n]) + below(right[n])) / 2;
  };
  let sum = base[k];
  for (let t = 0; t < outputOf.length; t++) if (leafWidth > 1 || outputOf[t] === k) sum += below(firstNode[t]);
  return sum;
}

/** Returns base, contributions [columns] and interactions [columns × columns] of output k. */
export function bruteForce(ensemble: Ensemble, x: Float64Array, k: number) {
  const m = x.length;
  const game = Array.from({ length: 2 ** m }, (_, known) => expected(ensemble, x, k, known));
  const size = (set: number): number => [...set.toString(2)].filter((bit) => bit === "1").length;
  const values = Array.from(x, (_, i) =>
    game.reduce((sum, value, set) => {
      if ((set >> i) & 1) return sum;
      const weight = (factorial(size(set)) * factorial(m - size(set) - 1)) / factorial(m);
      return sum + weight * (game[set | (1 << i)] - value);
    }, 0),
  );
  const pairs = values.map((_, i) =>
    values.map((_, j) =>
      i === j
        ? 0
        : game.reduce((sum, value, set) => {
            if ((set >> i) & 1 || (set >> j) & 1) return sum;
            const weight = (factorial(size(set)) * factorial(m - size(set) - 2)) / (2 * factorial(m - 1));
            return sum + weight * (game[set | (1 << i) | (1 << j)] - game[set | (1 << i)] - game[set | (1 << j)] + value);
          }, 0),
    ),
  );
  for (const [i, row] of pairs.entries()) row[i] = values[i] - row.reduce((a, b) => a + b, 0);
  return { base: game[0], margin: game.at(-1)!, values, pairs: pairs.flat() };
}

interface Kind {
  readonly trees: number;
  readonly columns: number;
  readonly outputs: number;
  readonly leafWidth: number;
  readonly depth: number;
  readonly sets?: boolean;
  /** Whether every level of a tree asks for its own column, and all leaves have the same depth. */
  readonly full?: boolean;
}

/** A random ensemble with every rule of a node. Columns repeat on a path, and some nodes were reached by no row. */
export function randomEnsemble(seed: number, { trees, columns, outputs, leafWidth, depth, sets, full }: Kind): Ensemble {
  const draws = stream(seed, "ensemble").at(0);
  type Node = { feature: number; threshold: number; left: number; right: number; rule: number; set: number; cover: number };
  const nodes: Node[] = [];
  const words: number[] = [];
  const values: number[] = [];
  const firstNode = [0];
  const grow = (level: number, cover: number): number => {
    const at = nodes.length;
    const node = { feature: -1, threshold: 0, left: 0, right: 0, rule: 0, set: -1, cover };
    nodes.push(node);
    if (level === depth || (!full && draws.uniform() < 0.15)) {
      node.left = values.length / leafWidth;
      for (let k = 0; k < leafWidth; k++) values.push(draws.normal());
      return at;
    }
    node.feature = full ? level : draws.integer(columns);
    node.threshold = draws.normal();
    node.rule = draws.integer(16);
    if (sets && node.feature === 0) {
      node.set = words.length;
      words.push(1, draws.integer(256));
    }
    const share = !full && draws.uniform() < 0.1 ? 0 : draws.uniform();
    node.left = grow(level + 1, share * cover);
    node.right = grow(level + 1, (1 - share) * cover);
    return at;
  };
  const outputOf = Uint32Array.from({ length: trees }, () => {
    grow(0, 100);
    firstNode.push(nodes.length);
    return leafWidth === 1 ? draws.integer(outputs) : 0;
  });
  const ints = (name: "feature" | "left" | "right" | "rule" | "set") => Int32Array.from(nodes, (node) => node[name]);
  return {
    firstNode: Uint32Array.from(firstNode),
    outputOf,
    feature: ints("feature"),
    threshold: Float64Array.from(nodes, ({ threshold }) => threshold),
    left: ints("left"),
    right: ints("right"),
    rule: ints("rule"),
    set: sets ? ints("set") : new Int32Array(0),
    sets: Uint32Array.from(words),
    values: Float64Array.from(values),
    leafWidth,
    base: Float64Array.from({ length: outputs }, () => draws.normal()),
    isFloatSum: false,
    gain: new Float64Array(0),
    cover: Float64Array.from(nodes, ({ cover }) => cover),
  };
}

/** A row with gaps, zeros and, in column 0, codes of categories. */
export function randomRow(seed: number, columns: number): Float64Array {
  const draws = stream(seed, "row").at(0);
  return Float64Array.from({ length: columns }, (_, j) => {
    const kind = draws.uniform();
    if (kind < 0.2) return NaN;
    if (kind < 0.3) return 0;
    return j === 0 ? draws.integer(10) : draws.normal();
  });
}
