/**
 * Builds an ensemble from trees whose nodes have any order. The nodes of a tree are numbered again from its root, so
 * that a child has a larger number than its parent, and nodes that the root does not reach are left out.
 *
 * @throws DataError for trees that are not trees: a child that does not exist, or a node with two parents
 */

import type { Ensemble } from "../ensemble.ts";
import { checkPart, type Origin, unsupported } from "./faults.ts";

/** A leaf, with one value or with a value per output. */
export interface Leaf {
  readonly values: readonly number[];
  readonly cover?: number;
}

/** A node with two children, as numbers of the file. The other parts are described in ensemble.ts. */
export interface Split {
  readonly feature: number;
  readonly threshold: number;
  readonly left: number;
  readonly right: number;
  readonly rule: number;
  /** Words of the set of categories that go right. */
  readonly set?: Uint32Array;
  readonly gain?: number;
  readonly cover?: number;
}

/** Largest number of words in all sets, 64 MiB. A short file can name a large category for every node. */
const MOST_WORDS = 2 ** 24;

/** Parts of an ensemble that its trees do not determine. */
export type Whole = Pick<Ensemble, "leafWidth" | "base" | "isFloatSum"> & {
  readonly divisor?: number;
  readonly thresholds: "f32" | "f64";
};

export class Forest {
  readonly #origin: Origin;
  readonly #firstNode: number[] = [0];
  readonly #outputOf: number[] = [];
  readonly #feature: number[] = [];
  readonly #threshold: number[] = [];
  readonly #left: number[] = [];
  readonly #right: number[] = [];
  readonly #rule: number[] = [];
  readonly #set: number[] = [];
  readonly #sets: number[] = [];
  readonly #values: number[] = [];
  readonly #gain: number[] = [];
  readonly #cover: number[] = [];
  #leaves = 0;
  #hasGain = true;
  #hasCover = true;

  constructor(origin: Origin) {
    this.#origin = origin;
  }

  get treeCount(): number {
    return this.#outputOf.length;
  }

  /** Adds a tree. `nodeAt` returns the node with a number of the file, from 0 to `count` − 1; `root` is the root's number. */
  add(output: number, root: number, count: number, nodeAt: (n: number) => Leaf | Split): void {
    const t = this.treeCount;
    const origin = this.#origin;
    const seen = new Uint8Array(count);
    /** Numbers of nodes to visit, each with the list and the place where its parent stores its new number. */
    const open: { n: number; list?: number[]; at: number }[] = [{ n: root, at: 0 }];
    for (let next = open.pop(); next; next = open.pop()) {
      const { n, list, at } = next;
      checkPart(origin, Number.isInteger(n) && n >= 0 && n < count, `has a child ${n} in tree ${t}, which has ${count} nodes`);
      checkPart(origin, seen[n] === 0, `has a node ${n} with two parents in tree ${t}`);
      seen[n] = 1;
      const place = this.#feature.length;
      if (list) list[at] = place;
      const node = nodeAt(n);
      this.#push(node);
      if ("values" in node) continue;
      open.push({ n: node.right, list: this.#right, at: place }, { n: node.left, list: this.#left, at: place });
    }
    this.#outputOf.push(output);
    this.#firstNode.push(this.#feature.length);
  }

  #push(node: Leaf | Split): void {
    const isLeaf = "values" in node;
    this.#feature.push(isLeaf ? -1 : node.feature);
    this.#threshold.push(isLeaf ? 0 : node.threshold);
    this.#left.push(isLeaf ? this.#leaves : -1);
    this.#right.push(0);
    this.#rule.push(isLeaf ? 0 : node.rule);
    this.#hasGain &&= isLeaf || node.gain !== undefined;
    this.#hasCover &&= node.cover !== undefined;
    this.#gain.push(isLeaf ? 0 : (node.gain ?? 0));
    this.#cover.push(node.cover ?? 0);
    const set = isLeaf ? undefined : node.set;
    this.#set.push(set ? this.#sets.length : -1);
    if (isLeaf) {
      this.#leaves++;
      for (const value of node.values) this.#values.push(value);
    }
    if (!set) return;
    if (this.#sets.length + set.length >= MOST_WORDS)
      throw unsupported(this.#origin, "sets of categories that need more than 64 MiB", "give its categories smaller numbers");
    this.#sets.push(set.length);
    for (const word of set) this.#sets.push(word);
  }

  /** Returns the ensemble of the trees. */
  ensemble({ thresholds, ...whole }: Whole): Ensemble {
    const hasSets = this.#sets.length > 0;
    const finite = (has: boolean, list: number[]): Float64Array =>
      Float64Array.from(has && list.every(Number.isFinite) ? list : []);
    return {
      ...whole,
      firstNode: Uint32Array.from(this.#firstNode),
      outputOf: Uint32Array.from(this.#outputOf),
      feature: Int32Array.from(this.#feature),
      threshold: thresholds === "f32" ? Float32Array.from(this.#threshold) : Float64Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      rule: Int32Array.from(this.#rule),
      set: Int32Array.from(hasSets ? this.#set : []),
      sets: Uint32Array.from(this.#sets),
      values: Float64Array.from(this.#values),
      gain: finite(this.#hasGain, this.#gain),
      cover: finite(this.#hasCover, this.#cover),
    };
  }
}
