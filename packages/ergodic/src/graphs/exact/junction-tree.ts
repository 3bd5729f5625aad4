import { assert } from "../../engine/errors/errors.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";
import { sizeOf } from "../parts/factor-table.ts";

/** What it takes to sort a variable of a clique, in numbers that are gone through. */
const SORTED = 16;

/** A clique of a junction tree. Axes are variables, those that are eliminated last first: messages and tables keep that order. */
export interface Clique {
  /** Variables. */
  readonly axes: readonly number[];
  /** How many of the last axes are eliminated here; those before them are shared with the parent. */
  readonly own: number;
  /** Number of the clique that takes the message; −1 at a root. Parents come after their children. */
  readonly parent: number;
  /** Cliques whose messages come here. */
  readonly children: readonly number[];
  /** Scopes, by their number, whose table is multiplied in here. */
  readonly scopes: readonly number[];
}

/** What a pass over a tree takes. */
export interface TreeCost {
  /** Σ of the cliques' joint states. */
  readonly total: number;
  /** Joint states of the largest clique. */
  readonly largest: number;
  /** Entries of all messages towards the roots. */
  readonly messageEntries: number;
}

/**
 * The junction tree (a forest) of an elimination order: maximal cliques, each scope within one of them. Variables are numbers below `count`. It yields every few
 * milliseconds: of a bad order cliques are large.
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
  // A clique that is within the one whose variable went before becomes part of it: then that one eliminates several variables.
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
  // A head's last own variable decides where its message goes, hence the order of cliques: by that variable's place.
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

/** The tree of `junctionTrees`, at once. */
export const junctionTree = (...given: Parameters<typeof junctionTrees>): Clique[] => atOnce(junctionTrees(...given));

/** Joint states that cliques are merged to: a message costs as much as some hundreds of them. */
const MERGED_STATES = 256;
/** Sum of the tables' ranges in a merged clique, in nats: far from where products underflow. */
const MERGED_RANGE = 200;

/**
 * The same tree where small cliques are one with the clique that their message would go to. Of a chain of Booleans an eighth of the cliques is left: each has
 * more states, which cost less than the messages that are saved. `tables`: of the scopes, by their number.
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
    // What is eliminated here is eliminated before all that the parent shares with its own parent: the order of the axes stays one.
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

/** By place in the order: the variable, then its neighbours when it goes, in the order in which they go. */
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
