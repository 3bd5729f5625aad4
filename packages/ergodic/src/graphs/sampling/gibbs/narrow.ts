import { Pauses } from "../../../engine/threads/steps.ts";

/** Distinct neighbours of each variable: begins[variable] to begins[variable + 1] − 1. */
export interface Links {
  readonly begins: Uint32Array;
  readonly others: Uint32Array;
}

/** Size limits for tables. */
export interface Limits {
  readonly cardinalities: Uint32Array;
  /**
   * Largest number of joint states of a table (`mostStates`). For tables of two variables, and for tables within one
   * group, the limit is `mostLinked`.
   */
  readonly mostStates: number;
  readonly mostLinked: number;
  /** Approximate largest number of entries in all tables of a connected part. */
  readonly mostNumbers: number;
}

/** Chosen variables. The induced graph of these variables has a junction tree with small tables. */
export interface Narrow {
  /** Connected parts, each in elimination order. */
  readonly parts: readonly (readonly number[])[];
  /** For each chosen variable, the other variables of its table, which are eliminated later. */
  readonly separators: ReadonlyMap<number, readonly number[]>;
  /** Variables that were not chosen. */
  readonly left: Uint32Array;
}

const ELSEWHERE = 0;
const LIVE = 1;
const CHOSEN = 2;
/** Largest number of variables in a table. */
const MOST_AXES = 12;
/** Variables with more neighbours than this number are given up in arbitrary order. */
const MOST_WEIGHT = 1023;

/**
 * Chooses a large subset of the variables by greedy elimination. The variable with the fewest neighbours is eliminated
 * as long as its table is small enough. The elimination links the variable's neighbours. If every table would be too
 * large, a variable with many neighbours is given up together with its group. `groups` gives the group of each
 * variable, or −1; a variable that is given up alone leaves its group. Yields every few milliseconds.
 */
export function* narrowing(variables: Uint32Array, links: Links, groups: Int32Array, limits: Limits): Generator<void, Narrow> {
  const search = new Search(links, groups, limits);
  yield* search.take(variables);
  yield* search.run();
  for (;;) {
    const chosen = search.chosen();
    const { tree, large } = yield* eliminating(chosen, links, groups, limits);
    if (large.length > 0) {
      search.drop(large);
      continue;
    }
    const left = variables.filter((variable) => !search.took(variable));
    return { parts: yield* partsOf(chosen, tree), separators: tree, left };
  }
}

class Search {
  private readonly links: Links;
  private readonly groups: Int32Array;
  private readonly limits: Limits;
  private readonly states: Uint8Array;
  /** Number of live neighbours of each variable, and the links created by elimination. */
  private readonly degrees: Uint32Array;
  private readonly made = new Map<number, number[]>();
  private readonly members = new Map<number, number[]>();
  /** Variables that can be eliminated, by degree, and variables that cannot, by weight. Entries can be outdated. */
  private readonly ready: number[][] = [];
  private readonly waiting: number[][] = [];
  private readonly order: number[] = [];
  private readonly pauses = new Pauses();

  constructor(links: Links, groups: Int32Array, limits: Limits) {
    this.links = links;
    this.groups = groups;
    this.limits = limits;
    const count = limits.cardinalities.length;
    this.states = new Uint8Array(count);
    this.degrees = new Uint32Array(count);
  }

  /** Sets the variables to choose from. */
  *take(variables: Uint32Array): Generator<void> {
    const { groups, pauses } = this;
    for (const variable of variables) {
      this.states[variable] = LIVE;
      const group = groups[variable];
      if (group < 0) continue;
      const members = this.members.get(group);
      if (members) members.push(variable);
      else this.members.set(group, [variable]);
    }
    for (const variable of variables) {
      if (pauses.due()) yield;
      this.degrees[variable] = this.live(variable).length;
    }
    for (let i = variables.length - 1; i >= 0; i--) {
      if (pauses.due()) yield;
      this.place(variables[i]);
    }
  }

  *run(): Generator<void> {
    for (;;) {
      if (this.pauses.due()) yield;
      const next = this.pop(this.ready, 0, 1, (variable) => this.degrees[variable]);
      if (next >= 0) {
        this.eliminate(next);
        continue;
      }
      const heavy = this.pop(this.waiting, this.waiting.length - 1, -1, (variable) => this.weight(variable));
      if (heavy < 0) return;
      this.giveUp(heavy);
    }
  }

  /** Returns the chosen variables in elimination order. */
  chosen(): number[] {
    return this.order.filter((variable) => this.took(variable));
  }

  took(variable: number): boolean {
    return this.states[variable] === CHOSEN;
  }

  drop(variables: readonly number[]): void {
    for (const variable of variables) this.states[variable] = ELSEWHERE;
  }

  private live(variable: number): number[] {
    const { begins, others } = this.links;
    const found: number[] = [];
    for (let at = begins[variable]; at < begins[variable + 1]; at++) if (this.states[others[at]] === LIVE) found.push(others[at]);
    for (const other of this.made.get(variable) ?? []) if (this.states[other] === LIVE) found.push(other);
    return found;
  }

  private place(variable: number): void {
    const [lists, key] = this.fits(variable) ? [this.ready, this.degrees[variable]] : [this.waiting, this.weight(variable)];
    while (lists.length <= key) lists.push([]);
    lists[key].push(variable);
  }

  private fits(variable: number): boolean {
    const degree = this.degrees[variable];
    if (degree === 0) return true;
    if (degree >= MOST_AXES) return false;
    const { cardinalities, mostStates, mostLinked } = this.limits;
    const group = this.groups[variable];
    let size = cardinalities[variable];
    let linked = degree === 1 || group >= 0;
    for (const other of this.live(variable)) {
      size *= cardinalities[other];
      if (degree > 1 && this.groups[other] !== group) linked = false;
    }
    return size <= (linked ? Math.max(mostStates, mostLinked) : mostStates);
  }

  /**
   * Returns the number of neighbours outside the group, minus the number of other variables in the group. (These would
   * be given up as well.)
   */
  private weight(variable: number): number {
    const group = this.groups[variable];
    if (group < 0) return Math.min(MOST_WEIGHT, this.degrees[variable]);
    const outside = this.live(variable).filter((other) => this.groups[other] !== group).length;
    return Math.max(0, Math.min(MOST_WEIGHT, outside) + 1 - this.members.get(group)!.length);
  }

  private pop(lists: number[][], from: number, step: number, key: (variable: number) => number): number {
    for (let at = from; at >= 0 && at < lists.length; at += step) {
      const list = lists[at];
      for (let variable = list.pop(); variable !== undefined; variable = list.pop())
        if (this.states[variable] === LIVE && key(variable) === at && this.fits(variable) === (lists === this.ready))
          return variable;
    }
    return -1;
  }

  private eliminate(variable: number): void {
    const near = this.live(variable);
    this.states[variable] = CHOSEN;
    this.order.push(variable);
    for (const [i, one] of near.entries()) {
      this.degrees[one]--;
      for (const other of near.slice(0, i)) if (!this.linked(one, other)) this.link(one, other);
    }
    for (const one of near) this.place(one);
  }

  private linked(a: number, b: number): boolean {
    const { begins, others } = this.links;
    const [one, other] = begins[a + 1] - begins[a] < begins[b + 1] - begins[b] ? [a, b] : [b, a];
    if (this.made.get(one)?.includes(other)) return true;
    for (let at = begins[one]; at < begins[one + 1]; at++) if (others[at] === other) return true;
    return false;
  }

  private link(a: number, b: number): void {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ]) {
      this.degrees[one]++;
      const made = this.made.get(one);
      if (made) made.push(other);
      else this.made.set(one, [other]);
    }
  }

  private giveUp(variable: number): void {
    const group = this.groups[variable];
    const alone = group < 0 || this.live(variable).every((other) => this.groups[other] === group);
    if (alone) this.groups[variable] = -1;
    for (const one of alone ? [variable] : this.members.get(group)!) {
      if (this.groups[one] !== group && !alone) continue;
      const near = this.states[one] === LIVE ? this.live(one) : [];
      this.states[one] = ELSEWHERE;
      for (const other of near) {
        this.degrees[other]--;
        this.place(other);
      }
    }
  }
}

/**
 * Returns the separator of each variable in elimination order. If the tables of a part are too large, also returns
 * variables to remove.
 */
function* eliminating(
  order: readonly number[],
  { begins, others }: Links,
  groups: Int32Array,
  limits: Limits,
): Generator<void, { tree: Map<number, number[]>; large: number[] }> {
  const { cardinalities, mostNumbers } = limits;
  const pauses = new Pauses();
  const places = new Int32Array(cardinalities.length).fill(-1);
  for (const [place, variable] of order.entries()) places[variable] = place;
  const tree = new Map<number, number[]>();
  const children = new Map<number, number[]>();
  const numbers = new Float64Array(order.length);
  const large: number[] = [];
  for (const [place, variable] of order.entries()) {
    if (pauses.due()) yield;
    const later: number[] = [];
    const take = (other: number): void => {
      if (places[other] > place && !later.includes(other)) later.push(other);
    };
    for (let at = begins[variable]; at < begins[variable + 1]; at++) take(others[at]);
    for (const child of children.get(variable) ?? []) tree.get(child)!.forEach(take);
    later.sort((a, b) => places[a] - places[b]);
    tree.set(variable, later);
    const size = later.reduce((product, other) => product * cardinalities[other], 1);
    numbers[place] += size * (cardinalities[variable] + 1);
    if (numbers[place] > (groups[variable] < 0 ? 1 : 2) * mostNumbers && later.length > 0) {
      large.push(variable);
      groups[variable] = -1;
    } else if (later.length > 0) numbers[places[later[0]]] += numbers[place];
    if (later.length === 0) continue;
    const siblings = children.get(later[0]);
    if (siblings) siblings.push(variable);
    else children.set(later[0], [variable]);
  }
  return { tree, large };
}

/**
 * Returns the trees of an elimination, ordered by root. Within a tree, each subtree is contiguous and its root comes
 * last.
 */
function* partsOf(order: readonly number[], tree: ReadonlyMap<number, readonly number[]>): Generator<void, number[][]> {
  const children = new Map<number, number[]>();
  const roots: number[] = [];
  const pauses = new Pauses();
  for (const variable of order) {
    if (pauses.due()) yield;
    const parent = tree.get(variable)![0];
    if (parent === undefined) roots.push(variable);
    else if (children.has(parent)) children.get(parent)!.push(variable);
    else children.set(parent, [variable]);
  }
  const parts: number[][] = [];
  for (const root of roots.sort((a, b) => a - b)) {
    const part: number[] = [];
    const waiting = [root];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (pauses.due()) yield;
      part.push(next);
      for (const child of children.get(next) ?? []) waiting.push(child);
    }
    parts.push(part.reverse());
  }
  return parts;
}
