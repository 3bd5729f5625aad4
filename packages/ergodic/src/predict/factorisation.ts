import type { JsonObject, SavedModel } from "../engine/contract/index.ts";
import { type Name, NameIndex } from "../engine/data/name-index.ts";
import { type RatingColumns, Ratings } from "../engine/data/ratings.ts";
import type { Row } from "../engine/data/table.ts";
import { refuse } from "../engine/errors/checks.ts";
import { checkKeys, checkNumber, DataError } from "../engine/errors/errors.ts";
import { type FileTarget, writeWhole } from "../engine/files/files.ts";
import type { Tensor } from "../engine/files/safetensors.ts";
import { checkedColumns, checkedNames, factorFacts } from "./check-factors.ts";
import { checkedTensor, checkFinite, savedModel } from "./check-model.ts";
import { checkName, nameIn, namesRatedBy, ratingIn } from "./factorisation-rows.ts";
import { type FoldedBy, foldIn, outerSum } from "./fold-in.ts";
import { metrics, type RegressionMetrics } from "./metrics.ts";
import { encodeModel } from "./model-file.ts";
import { largest, type RankingMetrics, RankingTally } from "./recommendations.ts";

/** A user and an item. */
export interface Pair {
  /** The user's name. */
  user: Name;
  /** The item's name. */
  item: Name;
}

/** An item and its rating by a new user. */
export interface Rated {
  /** The item's name. */
  item: Name;
  /** Rating. For events and preferences: the evidence, >= 0, default 1. */
  value?: number;
}

/** A recommended item and its score. */
export interface Recommendation {
  /** The item's name. */
  item: Name;
  /** Predicted rating or preference of the item. */
  score: number;
}

/** Options of `recommend`. */
export interface RecommendOptions {
  /** Number of items to recommend. A whole number >= 1. Default 10. */
  count?: number;
  /**
   * Items not to recommend: a list of names, or a set of ratings (such as the training ratings), which excludes the
   * items that the user rated. Default: none.
   */
  exclude?: Ratings | readonly Name[];
}

/** Metrics of a factorisation: RegressionMetrics for explicit ratings, RankingMetrics for implicit ones. */
export type FactorMetrics = Partial<RegressionMetrics & RankingMetrics>;

interface Side {
  readonly index: NameIndex;
  /** float64[size × rank]. */
  readonly factors: Float64Array;
  /** float64[size]; zeros if the model has no biases. */
  readonly biases: Float64Array;
}

/** A user, known or not. `factors` is null if only the bias of the user is known. */
interface Profile {
  readonly factors: Float64Array | null;
  readonly bias: number;
}

/**
 * A trained factorisation of ratings. The predictor predicts values, recommends items, finds similar items, and handles
 * new users without training.
 *
 * score(u, i) = μ + b_u + b_i + p_u·q_i, or p_u·q_i without biases: a rating in its own units or, for implicit ratings,
 * a preference, near 1 for liked items and 0 for all others. A user or item without a training rating counts as
 * unknown:
 *   with biases    its bias and factors are 0: μ + b_i, μ + b_u, or μ;
 *   without biases μ, the mean training rating;
 *   implicit       an unknown user is the mean of all known users (so popular items lead); an unknown item scores 0.
 * If items have equal scores, the item whose name comes first precedes the others.
 * @throws OptionError; DataError for bad values
 */
export class FactorPredictor {
  protected static readonly typeName: string = "FactorPredictor";
  /** Kind of predictor. */
  readonly kind = "factorisation";
  /** Whether the model predicts ratings or preferences. */
  readonly task: "rating" | "preference";
  /** Number of factors per user and per item. */
  readonly rank: number;
  /** Mean training rating, μ. */
  readonly mean: number;
  /** Names of the training columns, with which rows are read; `user` and `item` for ratings from lists. */
  readonly columns: RatingColumns;
  /** Description without parameters: the options of the model and of the run that trained it. */
  readonly description: JsonObject;
  private readonly biases: boolean;
  private readonly userSide: Side;
  private readonly itemSide: Side;
  private meanUser: Float64Array | undefined;
  private itemSum: Float64Array | undefined;

  /** `where` names the file in errors. */
  constructor(saved: SavedModel, where = "factorisation") {
    const { description, tensors } = savedModel(saved);
    const { task, rank, mean, biases: biased } = factorFacts(description, where);
    this.description = description;
    this.task = task;
    this.rank = rank;
    this.mean = mean;
    this.biases = biased;
    this.columns = checkedColumns(description, where);
    const side = (name: "users" | "items", biases: string): Side => {
      const index = new NameIndex(checkedNames(description, name, where));
      return {
        index,
        factors: checkedTensor(where, tensors, name, index.size * rank),
        biases: biased ? checkedTensor(where, tensors, biases, index.size) : new Float64Array(index.size),
      };
    };
    this.userSide = side("users", "userBiases");
    this.itemSide = side("items", "itemBiases");
  }

  /** Returns a line about the model: its task, rank and size. */
  toString(): string {
    return `factorisation model (${this.task}): rank ${this.rank}, ${this.users.size} users, ${this.items.size} items`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Names of the users in training. */
  get users(): NameIndex {
    return this.userSide.index;
  }

  /** Names of the items in training. */
  get items(): NameIndex {
    return this.itemSide.index;
  }

  /**
   * Predicts one row or several rows. One row gives one value, and several rows give an array. A row has the training
   * columns by name, or `user` and `item`.
   * @throws DataError if a row lacks one of these columns, or if its user or item is not a name
   */
  predict(row: Pair | Row): { value: number };
  predict(rows: readonly (Pair | Row)[]): { value: number }[];
  predict(given: Pair | Row | readonly (Pair | Row)[]): { value: number } | { value: number }[] {
    if (Array.isArray(given)) return (given as readonly Row[]).map((row, i) => this.predicted(row, i));
    if (typeof given !== "object" || given === null)
      refuse("predict", "the pair", given, "a user and an item", '{ user: "anna", item: "emma" }');
    return this.predicted(given as Row, 0);
  }

  /** Returns a row's user and item, as `predict` reads them. `where` and `index` appear in errors. @throws DataError */
  pairOf(row: Pair | Row, where = "predict", index = 0): Pair {
    const name = (role: "user" | "item") => nameIn(row as Row, role, this.columns, where, index);
    return { user: name("user"), item: name("item") };
  }

  /** Returns the predicted value of a user and an item, by name. */
  valueFor(user: Name, item: Name): number {
    return this.score(this.profile(this.users.find(user)), this.items.find(item));
  }

  /** Whether this user or item had a rating in training. All others are treated as unknown. */
  isKnown(side: "user" | "item", name: Name): boolean {
    const of = side === "user" ? this.userSide : this.itemSide;
    return this.knows(of, of.index.find(name));
  }

  /** Returns the items with the highest scores. */
  recommend(user: Name, options: RecommendOptions = {}): Recommendation[] {
    checkName("recommend", "user", user);
    checkKeys("recommend", options, ["count", "exclude"]);
    const { count = 10, exclude } = options;
    return this.best("recommend", this.profile(this.users.find(user)), count, this.excluded(exclude, user));
  }

  /**
   * Recommends items for a new user with a few ratings. The user's row is fitted while the items stay fixed, and
   * unknown items are ignored. Ratings name their values as the training columns are named, or `item` and `value`.
   * @throws DataError for a rating without an item, or without a value if the model predicts ratings; OptionError
   */
  recommendFor(rated: readonly (Rated | Row)[], options: RecommendOptions = {}): Recommendation[] {
    const where = "recommendFor";
    checkKeys(where, options, ["count", "exclude"]);
    const { count = 10, exclude } = options;
    if (!Array.isArray(rated)) refuse(where, "the ratings", rated, "a list of items and values", '[{ item: "emma", value: 4 }]');
    const without = this.excluded(exclude, undefined);
    const known = (rated as readonly Row[]).flatMap((row, k) => {
      const index = this.items.find(nameIn(row, "item", this.columns, where, k));
      const value = this.rating(row, k);
      if (index >= 0) without[index] = 1;
      return this.knows(this.itemSide, index) ? [{ index, value }] : [];
    });
    return this.best(where, known.length > 0 ? this.folded(known) : this.profile(-1), count, without);
  }

  /** Returns the most similar items by the cosine of their factors (at most 1). Returns none for an unknown item. */
  similar(item: Name, options: { count?: number } = {}): { item: Name; similarity: number }[] {
    checkName("similar", "item", item);
    checkKeys("similar", options, ["count"]);
    const { count = 10 } = options;
    checkNumber("similar", "count", count, { low: 1, integer: true });
    const own = this.items.find(item);
    if (!this.knows(this.itemSide, own)) return [];
    const skip = Uint8Array.from(this.items.names, (_, i) => (i === own || !this.knows(this.itemSide, i) ? 1 : 0));
    const { factors } = this.itemSide;
    const row = this.rowOf(this.itemSide, own);
    const norm = (at: number): number => Math.sqrt(this.product(factors, at, factors.subarray(at, at + this.rank)));
    const cosines = Float64Array.from(this.items.names, (_, i) =>
      // The factors of an item with only a bias have no direction, so its cosine is 0.
      skip[i] ? 0 : this.product(factors, i * this.rank, row) / (norm(i * this.rank) * norm(own * this.rank)) || 0,
    );
    return largest(cosines, count, skip).map((i) => ({ item: this.items.names[i], similarity: cosines[i] }));
  }

  /**
   * Computes metrics. Explicit ratings: rmse, mae and r2, and a warning if the mean training rating predicts better.
   * Implicit ratings: precision, recall and ndcg of the best `count` items (default 10), and auc over the whole order
   * (recommendations.ts), as means over users with a rating > 0. Items in `exclude` (the training ratings) are not
   * recommended. With `exclude`, a warning is added if the most popular items in it would do better.
   */
  evaluate(ratings: Ratings, options: { count?: number; exclude?: Ratings } = {}): FactorMetrics {
    checkKeys("evaluate", options, ["count", "exclude"]);
    const { count = 10, exclude } = options;
    checkNumber("evaluate", "count", count, { low: 1, integer: true });
    if (exclude !== undefined && !(exclude instanceof Ratings))
      refuse("evaluate", "exclude", exclude, "the training ratings", "exclude: train");
    if (!(ratings instanceof Ratings)) refuse("evaluate", "ratings", ratings, "Ratings", "ratings.split(0.8, { seed: 1 }).test");
    return this.task === "rating" ? this.errors(ratings) : this.ranking(ratings, count, exclude);
  }

  /** Writes the model as safetensors, with a versioned JSON description. The file appears whole or not at all. */
  save(path: FileTarget): Promise<void> {
    return writeWhole(path, this.toBytes(), { keep: true });
  }

  /** Shapes of the tensors in the file. @internal */
  shapes(): Record<string, number[]> {
    const [users, items] = [this.users.size, this.items.size];
    const biases: Record<string, number[]> = this.description.biases ? { userBiases: [users], itemBiases: [items] } : {};
    return { users: [users, this.rank], items: [items, this.rank], ...biases };
  }

  /** Does nothing, because a factorisation has nothing to free. It is present so that `using` works. */
  dispose(): void {}

  [Symbol.dispose](): void {}

  /** Returns the bytes of the model's file. */
  toBytes(): Uint8Array {
    const { userSide, itemSide, rank } = this;
    const tensors: Record<string, Tensor> = {
      users: { shape: [userSide.index.size, rank], values: userSide.factors },
      items: { shape: [itemSide.index.size, rank], values: itemSide.factors },
    };
    if (this.biases) {
      tensors.userBiases = { shape: [userSide.index.size], values: userSide.biases };
      tensors.itemBiases = { shape: [itemSide.index.size], values: itemSide.biases };
    }
    for (const [name, { values }] of Object.entries(tensors)) checkFinite(this.kind, name, values as Float64Array);
    return encodeModel(this.kind, this.description, tensors);
  }

  private predicted(row: Row, index: number): { value: number } {
    const { user, item } = this.pairOf(row, "predict", index);
    return { value: this.valueFor(user, item) };
  }

  private rating(row: Row, index: number): number {
    const isRating = this.task === "rating";
    const value = ratingIn(row, this.columns, isRating ? -Infinity : 0, "recommendFor", index);
    if (value !== undefined || !isRating) return value ?? 1;
    const wanted = `has no "${this.columns.value ?? "value"}"; give the rating: { item: "emma", value: 4 }`;
    throw new DataError("recommendFor", `rating ${index + 1} ${wanted}`, "DATA_MISSING");
  }

  private errors(ratings: Ratings): RegressionMetrics {
    const tally = metrics("regression", undefined, { mean: { value: this.mean, of: "the training ratings" } });
    const items = Int32Array.from(ratings.items.names, (name) => this.items.find(name));
    for (const [u, name] of ratings.users.names.entries()) {
      const { others, values } = ratings.of("user", u);
      if (others.length === 0) continue;
      const profile = this.profile(this.users.find(name));
      tally.add(
        Float64Array.from(others, (i) => this.score(profile, items[i])),
        values,
      );
    }
    return tally.result();
  }

  private ranking(ratings: Ratings, count: number, exclude: Ratings | undefined): RankingMetrics {
    const tally = new RankingTally(count, exclude && this.popularityIn(exclude));
    for (const [u, name] of ratings.users.names.entries()) {
      const { others, values } = ratings.of("user", u);
      const liked = others.filter((_, k) => values[k] > 0);
      if (liked.length === 0) continue;
      const skip = this.excluded(exclude, name);
      const numbers = Array.from(liked, (i) => this.items.find(ratings.items.names[i])).filter((i) => i < 0 || !skip[i]);
      tally.add(this.scores(this.profile(this.users.find(name))), numbers, skip);
    }
    return tally.result();
  }

  /** For each item, the number of users who rated it. */
  private popularityIn(ratings: Ratings): Float64Array {
    return Float64Array.from(this.items.names, (name) => {
      const i = ratings.items.find(name);
      return i < 0 ? 0 : ratings.of("item", i).values.filter((value) => value > 0).length;
    });
  }

  private best(where: string, profile: Profile, count: number, skip: Uint8Array): Recommendation[] {
    checkNumber(where, "count", count, { low: 1, integer: true });
    const scores = this.scores(profile);
    return largest(scores, count, skip).map((i) => ({ item: this.items.names[i], score: scores[i] }));
  }

  private scores(profile: Profile): Float64Array {
    return Float64Array.from(this.items.names, (_, i) => this.score(profile, i));
  }

  /** `item` is −1 for an unknown name. */
  private score({ factors, bias }: Profile, item: number): number {
    const { itemSide } = this;
    const known = this.knows(itemSide, item);
    if (this.task === "preference") return known && factors ? this.product(itemSide.factors, item * this.rank, factors) : 0;
    if (!this.biases && (!known || !factors)) return this.mean;
    const offset = this.biases ? this.mean + bias + (known ? itemSide.biases[item] : 0) : 0;
    return known && factors ? offset + this.product(itemSide.factors, item * this.rank, factors) : offset;
  }

  private profile(user: number): Profile {
    if (this.knows(this.userSide, user)) return { factors: this.rowOf(this.userSide, user), bias: this.userSide.biases[user] };
    return { factors: this.task === "preference" ? (this.meanUser ??= this.meanOfUsers()) : null, bias: 0 };
  }

  private folded(rated: readonly { index: number; value: number }[]): Profile {
    const { rank, biases, mean } = this;
    const { l2, alpha, weighted, scale = 1 } = this.description as unknown as FoldedBy;
    const penalty = weighted ? l2 * rated.length : l2;
    const x = foldIn(
      rated.map(({ index, value }) => ({
        features: [...this.rowOf(this.itemSide, index), ...(biases ? [1] : [])],
        target: alpha === null ? value - (biases ? mean + this.itemSide.biases[index] : 0) : value > 0 ? 1 : 0,
        // Weight of a rated cell. It includes the weight 1 that the sum over all items gives to every cell.
        weight: alpha === null ? 1 : 1 + alpha * value,
      })),
      [...new Array<number>(rank).fill(penalty * scale), ...(biases ? [penalty] : [])],
      alpha === null ? undefined : (this.itemSum ??= outerSum(this.itemSide.factors, rank)),
    );
    return { factors: x.subarray(0, rank), bias: biases ? x[rank] : 0 };
  }

  private excluded(exclude: RecommendOptions["exclude"], user: Name | undefined): Uint8Array {
    const skip = new Uint8Array(this.items.size);
    if (exclude !== undefined && !Array.isArray(exclude) && !(exclude instanceof Ratings))
      refuse("recommend", "exclude", exclude, "a list of items, or Ratings", 'exclude: ["a"]');
    const names = exclude instanceof Ratings ? namesRatedBy(exclude, user) : (exclude ?? []);
    for (const name of names) {
      checkName("recommend", "item", name);
      const i = this.items.find(name);
      if (i >= 0) skip[i] = 1;
    }
    return skip;
  }

  private meanOfUsers(): Float64Array {
    const mean = new Float64Array(this.rank);
    let known = 0;
    for (let u = 0; u < this.users.size; u++) {
      if (!this.knows(this.userSide, u)) continue;
      known++;
      for (const [k, x] of this.rowOf(this.userSide, u).entries()) mean[k] += x;
    }
    return mean.map((sum) => sum / Math.max(1, known));
  }

  /** Training leaves the rows of users and items without a rating at 0. */
  private knows(side: Side, row: number): boolean {
    if (row < 0 || row >= side.index.size) return false;
    return side.biases[row] !== 0 || this.rowOf(side, row).some((factor) => factor !== 0);
  }

  private rowOf({ factors }: Side, row: number): Float64Array {
    return factors.subarray(row * this.rank, (row + 1) * this.rank);
  }

  private product(all: Float64Array, at: number, row: Float64Array): number {
    let sum = 0;
    for (let k = 0; k < row.length; k++) sum += all[at + k] * row[k];
    return sum;
  }
}
