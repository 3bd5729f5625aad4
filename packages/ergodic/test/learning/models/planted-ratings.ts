/**
 * Small ratings with known properties, and a factorisation run that the test drives step by step. Shared by the tests
 * of factorisation.
 */

import type { Algorithm, Plan, Progression } from "../../../src/engine/contract/index.ts";
import { Ratings } from "../../../src/engine/data/ratings.ts";
import { type Engine, openEngine } from "../../../src/engine/memory/engine.ts";
import { stream } from "../../../src/engine/random/stream.ts";
import { factorisation } from "../../../src/learning/fit/kinds/ratings.ts";
import type { RatingsProblem } from "../../../src/learning/models/ratings/problem.ts";
import type { FactorisationOptions } from "../../../src/learning/models/ratings/settings.ts";
import type { FactorTwin } from "../../reference/factors.ts";

export interface Planted {
  users?: number;
  items?: number;
  rank?: number;
  /** Probability that a cell is rated. */
  density?: number;
  noise?: number;
  seed?: number;
  /** Whether values are counts, 0 … 5. */
  counts?: boolean;
}

/** Ratings with mean 3, normal biases and factors, and randomly rated cells. */
export function plantedRatings(options: Planted = {}): Ratings {
  const { users = 23, items = 17, rank = 3, density = 0.5, noise = 0.1, seed = 1, counts = false } = options;
  const normals = (name: string, count: number): number[] => {
    const draws = stream(seed, name).at(0);
    return Array.from({ length: count }, () => draws.normal());
  };
  const [p, q] = [normals("p", users * rank), normals("q", items * rank)];
  const [bu, bi] = [normals("bu", users), normals("bi", items)];
  const draws = stream(seed, "cells").at(0);
  const triples = { users: [] as number[], items: [] as number[], values: [] as number[] };
  for (let u = 0; u < users; u++) {
    for (let i = 0; i < items; i++) {
      const [chosen, error] = [draws.uniform() < density, draws.normal()];
      if (!chosen) continue;
      let r = noise * error + (noise > 0 ? 3 + bu[u] + bi[i] : 0);
      for (let k = 0; k < rank; k++) r += p[u * rank + k] * q[i * rank + k];
      triples.users.push(u);
      triples.items.push(i);
      triples.values.push(counts ? Math.max(0, Math.round(r)) : r);
    }
  }
  return Ratings.fromTriples(triples);
}

export function planFor(part: Partial<Plan> = {}): Plan {
  return {
    workers: 1,
    replicas: 1,
    data: "sharded",
    precision: { data: "f64", model: "f64" },
    schedule: "ordered",
    blockRows: 64,
    batch: "all",
    averageEvery: 1,
    deterministic: true,
    seed: 7,
    ...part,
  };
}

/** A running progression. */
export class Opened implements Disposable {
  readonly problem: RatingsProblem;
  readonly progression: Progression;
  readonly engine: Engine;

  static async open(
    ratings: Ratings,
    options: FactorisationOptions,
    algorithm: Algorithm,
    plan: Partial<Plan> = {},
  ): Promise<Opened> {
    return new Opened(await openEngine(), ratings, options, algorithm, planFor(plan));
  }

  constructor(engine: Engine, ratings: Ratings, options: FactorisationOptions, algorithm: Algorithm, plan: Plan) {
    this.engine = engine;
    this.problem = factorisation(options).bind(ratings, plan, engine);
    this.progression = algorithm.start(this.problem, plan, engine) as Progression;
  }

  /** The objective after each of `count` epochs. */
  async epochs(count: number): Promise<number[]> {
    const objectives: number[] = [];
    for (let epoch = 0; epoch < count; epoch++) {
      await this.progression.advance(this.progression.stepsPerEpoch);
      objectives.push(this.progression.report().objective);
    }
    return objectives;
  }

  [Symbol.dispose](): void {
    this.progression.dispose();
    this.problem.dispose();
  }
}

export function twinOf(ratings: Ratings, given: FactorisationOptions, parameters: Float64Array): FactorTwin {
  const { rank, biases, alpha, l2, weighted } = factorisation(given).options;
  const width = rank + (biases ? 1 : 0);
  const row = (k: number): number[] => [...parameters.subarray(k * width, (k + 1) * width)];
  const userCount = ratings.users.size;
  const values: (number | undefined)[][] = Array.from({ length: userCount }, () =>
    new Array<number | undefined>(ratings.items.size).fill(undefined),
  );
  const triples = ratings.triples();
  for (let e = 0; e < ratings.count; e++) values[triples.users[e]][triples.items[e]] = triples.values[e];
  const mean = triples.values.reduce((a, b) => a + b, 0) / ratings.count;
  const sd = Math.sqrt(triples.values.reduce((sum, r) => sum + (r - mean) ** 2, 0) / ratings.count);
  return {
    rows: [
      Array.from({ length: userCount }, (_, u) => row(u)),
      Array.from({ length: ratings.items.size }, (_, i) => row(userCount + i)),
    ],
    values,
    rank,
    biases,
    mean: biases ? mean : 0,
    scale: alpha === null ? sd : 1,
    alpha,
    l2,
    weighted,
  };
}
