import { assert } from "../../engine/errors/errors.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
import { sizeOf } from "../parts/factor-table.ts";

/** Cost of sorting one variable of a clique, in units of the cost of visiting a number. */
const SORTED = 16;

/**
 * A clique of a junction tree. The axes of a clique are variables, in reverse elimination order. Messages and tables
 * keep this order.
 */
export interface Clique {
  /** Variables of the clique. */
  readonly axes: readonly number[];
  /**
   * Number of variables eliminated in this clique. These variables are its last axes. The other axes are shared with
   * the parent.
   */
  readonly own: number;
  /** Index of the clique that receives the message, or −1 for a root. Parents come after their children. */
  readonly parent: number;
  /** Cliques that send messages to this clique. */
  readonly children: readonly number[];
  /** Indices of the tables (scopes) that are multiplied in this clique. */
  readonly scopes: readonly number[];
}

/** Cost of a pass over a tree. */
export interface TreeCost {
  /** Σ of the cliques' joint states. */
  readonly total: number;
  /** Number of joint states of the largest clique. */
  readonly largest: number;
  /** Number of entries in all messages towards the roots. */
  readonly messageEntries: number;
}

/**
 * Returns the junction tree (or forest) of an elimination order. The tree consists of the maximal cliques, and each
 * scope lies within one of these cliques. Variables are numbers below `count`. Yields every few milliseconds, because
 * the cliques of a bad order are large.
 */
export function* junctionTrees(
  order: readonly number[],
  scopes: readonly (readonly number[])[],
  count = order.length,
): Generator<void, Clique[]> {
  const position = new Int32Array(count);
  order.forEach((variable, place) => {
    position[variable] = place;
  });
  const pauses = new Pauses();
  const found = yield* eliminationCliques(order, position, scopes, pauses);
  // If a clique is contained in the clique of an earlier variable, the two are merged. The merged clique then
  // eliminates several variables.
  const home = Int32Array.from(order.keys());
  const parentOf = (place: number): number => (found[place].length > 1 ? position[found[place][1]] : -1);
  const growth = found.map((clique) => [clique[0]]);
  const heads: number[] = [];
  for (let place = 0; place < order.length; place++) {
    if (home[place] === place) heads.push(place);
    const parent = parentOf(place);
    if (parent < 0 || found[place].length - 1 !== found[parent].length || home[parent] !== parent) continue;
    home[parent] = home[place];
    growth[home[place]].push(order[parent]);
  }
  const numbers = new Int32Array(order.length).fill(-1);
  // Cliques are sorted by the position of the last variable that they eliminate, because it determines where a clique's
  // message goes.
  const sorted = heads.map((head) => ({ head, last: position[growth[head].at(-1)!] })).sort((a, b) => a.last - b.last);
  sorted.forEach(({ head }, number) => {
    numbers[head] = number;
  });
  const cliques: (Clique & { readonly children: number[]; readonly scopes: number[] })[] = [];
  for (const { head, last } of sorted) {
    if (pauses.due(SORTED * found[head].length)) yield;
    const parent = parentOf(last);
    cliques.push({
      axes: [...found[head]].sort((a, b) => position[b] - position[a]),
      own: growth[head].length,
      parent: parent < 0 ? -1 : numbers[home[parent]],
      children: [],
      scopes: [],
    });
  }
  cliques.forEach(({ parent }, number) => {
    if (parent >= 0) cliques[parent].children.push(number);
  });
  scopes.forEach((scope, number) => {
    const first = Math.min(...scope.map((variable) => position[variable]));
    cliques[numbers[home[first]]].scopes.push(number);
  });
  return cliques;
}

/** Same as `junctionTrees`, but synchronous. */
export const junctionTree = (...given: Parameters<typeof junctionTrees>): Clique[] => atOnce(junctionTrees(...given));

/** Largest number of joint states of a merged clique. A message costs about as much as a few hundred states. */
const MERGED_STATES = 256;
/**
 * Largest sum of the tables' ranges in a merged clique, in nats. This sum is far below the range at which products
 * underflow.
 */
const MERGED_RANGE = 200;

/**
 * Merges small cliques into the clique that receives their message. In a chain of Booleans, one eighth of the cliques
 * remain after merging. Each remaining clique has more states, but these states cost less than the messages that are
 * saved. `tables` has the table of each scope.
 */
export function mergeSmall(
  cliques: readonly Clique[],
  cardinalities: readonly number[],
  tables: readonly { readonly range: number }[],
): Clique[] {
  const shape = (axes: readonly number[]): number[] => axes.map((variable) => cardinalities[variable]);
  const made = cliques.map(({ axes, own, scopes }) => ({ axes: [...axes], own, scopes: [...scopes] }));
  const sizes = Float64Array.from(cliques, ({ axes }) => sizeOf(shape(axes)));
  const ranges = Float64Array.from(cliques, ({ scopes }) => scopes.reduce((sum, scope) => sum + tables[scope].range, 0));
  const goes = cliques.map(({ parent }, number) => {
    if (parent < 0) return false;
    const [child, into] = [made[number], made[parent]];
    const more = child.axes.slice(child.axes.length - child.own);
    const size = sizes[parent] * sizeOf(shape(more));
    const range = ranges[parent] + ranges[number];
    if (size > MERGED_STATES || range > MERGED_RANGE) return false;
    // The child's variables are eliminated before all variables that the parent shares with its own parent, so the axis
    // order stays valid.
    into.axes.push(...more);
    into.own += child.own;
    for (const scope of child.scopes) into.scopes.push(scope);
    sizes[parent] = size;
    ranges[parent] = range;
    return true;
  });
  const numbers = new Int32Array(cliques.length);
  let left = 0;
  for (const [number, gone] of goes.entries()) if (!gone) numbers[number] = left++;
  for (let number = cliques.length - 1; number >= 0; number--)
    if (goes[number]) numbers[number] = numbers[cliques[number].parent];
  const merged = cliques.flatMap(({ parent }, number) =>
    goes[number] ? [] : [{ ...made[number], parent: parent < 0 ? -1 : numbers[parent], children: [] as number[] }],
  );
  merged.forEach(({ parent }, number) => {
    if (parent >= 0) merged[parent].children.push(number);
  });
  return merged;
}

/**
 * Returns one list per position in the order. The list contains the variable, followed by its neighbours at the time of
 * elimination, in elimination order.
 */
function* eliminationCliques(
  order: readonly number[],
  position: Int32Array,
  scopes: readonly (readonly number[])[],
  pauses: Pauses,
): Generator<void, number[][]> {
  const gathered = order.map((variable) => new Set([variable]));
  for (const scope of scopes) {
    const first = Math.min(...scope.map((variable) => position[variable]));
    for (const variable of scope) gathered[first].add(variable);
  }
  const cliques: number[][] = [];
  for (const [place, members] of gathered.entries()) {
    if (pauses.due(SORTED * members.size)) yield;
    const clique = [...members].sort((a, b) => position[a] - position[b]);
    if (clique.length > 1) for (const variable of clique.slice(1)) gathered[position[clique[1]]].add(variable);
    assert(clique[0] === order[place], "an elimination order lists each variable once");
    cliques.push(clique);
    members.clear();
  }
  return cliques;
}

export function treeCost(cliques: readonly Clique[], cardinalities: readonly number[]): TreeCost {
  let total = 0;
  let largest = 0;
  let messageEntries = 0;
  for (const { axes, own } of cliques) {
    let [shared, states] = [1, 1];
    for (const [axis, variable] of axes.entries()) {
      states *= cardinalities[variable];
      if (axis < axes.length - own) shared = states;
    }
    total += states;
    largest = Math.max(largest, states);
    messageEntries += shared;
  }
  return { total, largest, messageEntries };
}
