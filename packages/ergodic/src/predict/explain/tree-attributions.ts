/**
 * Shapley values of the leaves of trees, for one row at a time.
 *
 * A leaf with value v adds v · Π_j u_j to the tree's output, with one factor per column j on its path. If the column is
 * known, the factor is o_j: 1 if the row passes all splits of the column on this path, otherwise 0. If the column is
 * not known, the factor is z_j: the share of the training rows that pass these splits. The multilinear extension of
 * this product turns Shapley's weights into an integral (Owen 1972):
 *
 *   φ_i  = v (o_i − z_i) ∫₀¹ Π_{j≠i} (z_j + (o_j − z_j) t) dt
 *   φ_ij = ½ v (o_i − z_i)(o_j − z_j) ∫₀¹ Π_{k≠i,j} (z_k + (o_k − z_k) t) dt,   i ≠ j
 *
 * The integrands are polynomials, which Gauss–Legendre integrates exactly with ⌈m/2⌉ nodes for m columns on a path. All
 * terms of a product are >= 0, so that nothing cancels, however long the path is.
 */

import { DataError } from "../../engine/errors/errors.ts";
import { type Ensemble, goesLeft } from "../trees/ensemble.ts";
import { gaussLegendre, type Quadrature } from "./quadrature.ts";

/** Arrays to which the contributions of one row are added. */
export interface RowSums {
  /** float64[outputs × columns] */
  readonly values: Float64Array;
  /** float64[outputs × columns × columns], if interactions are wanted. */
  readonly interactions?: Float64Array | undefined;
}

export class TreeAttributions {
  /** Expected output over the training rows: base_k, plus the mean leaf of each tree, weighted by cover. */
  readonly base: Float64Array;
  readonly #ensemble: Ensemble;
  readonly #columns: number;
  /** Parent of each node; −1 for roots. */
  readonly #parent: Int32Array;
  /** Share of the parent's rows that go to the node; 1 for roots. */
  readonly #share: Float64Array;
  /** Whether the current row goes left at each node. */
  readonly #left: Uint8Array;
  /** Columns on the current path, with their place in the arrays below. −1 for columns that are not on it. */
  readonly #placeOf: Int32Array;
  readonly #feature: Int32Array;
  readonly #z: Float64Array;
  readonly #o: Uint8Array;
  #product = new Float64Array(0);

  /** `where` names the caller in errors. @throws DataError for negative weights of rows */
  constructor(ensemble: Ensemble, columns: number, where: string) {
    const { feature, left, right, cover, firstNode, outputOf, leafWidth, values } = ensemble;
    this.#ensemble = ensemble;
    this.#columns = columns;
    this.#parent = new Int32Array(feature.length).fill(-1);
    this.#share = new Float64Array(feature.length).fill(1);
    this.#left = new Uint8Array(feature.length);
    this.#placeOf = new Int32Array(columns).fill(-1);
    this.#feature = new Int32Array(columns);
    this.#z = new Float64Array(columns);
    this.#o = new Uint8Array(columns);
    this.base = Float64Array.from(ensemble.base);
    const bad = cover.findIndex((weight) => !(weight >= 0));
    if (bad >= 0)
      throw new DataError(
        where,
        `the model has cover ${cover[bad]} at node ${bad}, but weights of rows are >= 0; the file is damaged: train the model again`,
        "MODEL_FORMAT",
      );
    const reach = new Float64Array(feature.length);
    for (let t = 0; t < outputOf.length; t++) {
      reach[firstNode[t]] = 1;
      for (let n = firstNode[t]; n < firstNode[t + 1]; n++) {
        if (feature[n] === -1) {
          for (let k = 0; k < leafWidth; k++)
            this.base[leafWidth === 1 ? outputOf[t] : k] += reach[n] * values[left[n] * leafWidth + k];
          continue;
        }
        const [l, r] = [left[n], right[n]];
        const total = cover[l] + cover[r];
        this.#parent[l] = this.#parent[r] = n;
        // No training row reached the node, so that nothing is known about its children.
        this.#share[l] = total > 0 ? cover[l] / total : 0.5;
        this.#share[r] = total > 0 ? cover[r] / total : 0.5;
        for (const child of [l, r]) reach[child] = reach[n] * this.#share[child];
      }
    }
  }

  /** Adds the contributions of a row. `x`: float64[columns], rounded to float32 if the thresholds are float32. */
  add(x: Float64Array, to: RowSums): void {
    const ensemble = this.#ensemble;
    const { firstNode, feature, outputOf } = ensemble;
    const isLeft = this.#left;
    for (let n = 0; n < feature.length; n++) if (feature[n] >= 0) isLeft[n] = Number(goesLeft(ensemble, n, x[feature[n]]));
    for (let t = 0; t < outputOf.length; t++)
      for (let n = firstNode[t]; n < firstNode[t + 1]; n++) if (feature[n] === -1) this.#addLeaf(t, n, to);
  }

  #addLeaf(tree: number, leaf: number, to: RowSums): void {
    const count = this.#readPath(leaf);
    const [z, o] = [this.#z, this.#o];
    let isReachable = count > 0;
    for (let j = 0; j < count; j++) if (z[j] === 0 && o[j] === 0) isReachable = false;
    if (isReachable) {
      const rule = gaussLegendre((count + 1) >> 1);
      this.#multiply(count, rule);
      for (let i = 0; i < count; i++) {
        this.#addTo(to.values, tree, leaf, this.#feature[i], this.#columns, (o[i] - z[i]) * this.#integral(rule, i, -1));
        if (to.interactions) this.#addPairs(tree, leaf, rule, i, to.interactions);
      }
    }
    for (let j = 0; j < count; j++) this.#placeOf[this.#feature[j]] = -1;
  }

  /** Adds the interactions of the path's column `i` with the columns before it, on both sides of the diagonal. */
  #addPairs(tree: number, leaf: number, rule: Quadrature, i: number, to: Float64Array): void {
    const [z, o, feature, columns] = [this.#z, this.#o, this.#feature, this.#columns];
    for (let j = 0; j < i; j++) {
      const share = 0.5 * (o[i] - z[i]) * (o[j] - z[j]) * this.#integral(rule, i, j);
      this.#addTo(to, tree, leaf, feature[i] * columns + feature[j], columns * columns, share);
      this.#addTo(to, tree, leaf, feature[j] * columns + feature[i], columns * columns, share);
    }
  }

  /** Reads the columns on the path to a leaf, with z and o of each, and returns their number. */
  #readPath(leaf: number): number {
    const { feature, left } = this.#ensemble;
    const [z, o, placeOf] = [this.#z, this.#o, this.#placeOf];
    let count = 0;
    for (let n = leaf, p = this.#parent[n]; p >= 0; n = p, p = this.#parent[n]) {
      let at = placeOf[feature[p]];
      if (at < 0) {
        at = placeOf[feature[p]] = count++;
        this.#feature[at] = feature[p];
        z[at] = 1;
        o[at] = 1;
      }
      z[at] *= this.#share[n];
      if ((this.#left[p] === 1) !== (left[p] === n)) o[at] = 0;
    }
    return count;
  }

  /** Computes w_q Π_j (z_j + (o_j − z_j) t_q) at every node of the rule. */
  #multiply(count: number, { nodes, weights }: Quadrature): void {
    if (this.#product.length < nodes.length) this.#product = new Float64Array(2 * nodes.length);
    const [product, z, o] = [this.#product, this.#z, this.#o];
    for (let q = 0; q < nodes.length; q++) {
      let all = weights[q];
      for (let j = 0; j < count; j++) all *= z[j] + (o[j] - z[j]) * nodes[q];
      product[q] = all;
    }
  }

  /** Integral of the product without the factors of columns i and j (j = −1: without i alone). */
  #integral({ nodes }: Quadrature, i: number, j: number): number {
    const [product, z, o] = [this.#product, this.#z, this.#o];
    let sum = 0;
    for (let q = 0; q < nodes.length; q++) {
      // Nodes lie inside (0, 1), so that a factor is 0 only if z and o are.
      const divisor = (z[i] + (o[i] - z[i]) * nodes[q]) * (j < 0 ? 1 : z[j] + (o[j] - z[j]) * nodes[q]);
      sum += product[q] / divisor;
    }
    return sum;
  }

  /** Adds share × the leaf's values to the place `at` of each output's part, of `size` numbers. */
  #addTo(to: Float64Array, tree: number, leaf: number, at: number, size: number, share: number): void {
    const { outputOf, left, leafWidth, values } = this.#ensemble;
    if (leafWidth === 1) to[outputOf[tree] * size + at] += share * values[left[leaf]];
    else for (let k = 0; k < leafWidth; k++) to[k * size + at] += share * values[left[leaf] * leafWidth + k];
  }
}
