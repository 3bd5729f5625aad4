/**
 * Ratings like those of film sites: half stars from ½ to 5. Biases of users and films explain most, tastes a small
 * part, and noise is large. Few users and films have most of the ratings.
 *
 * r = clip(round₂(3.6 + b_u + b_i + p·q + e)), with b of sd 0.4 and 0.45, p·q of sd 0.35 and e of sd 0.8, rounded to
 * halves. Film k is rated with a frequency of 1/(k + 10). The mean alone has a root mean square error of 0.97.
 */

import { Ratings } from "../../../src/engine/data/ratings.ts";
import { stream } from "../../../src/engine/random/stream.ts";

/** `unit` is the value of a star. */
export function filmRatings({ users = 300, items = 250, seed = 1, unit = 1 } = {}): Ratings {
  const normals = (name: string, count: number, sd: number): number[] => {
    const draws = stream(seed, name).at(0);
    return Array.from({ length: count }, () => sd * draws.normal());
  };
  const rank = 4;
  const side = Math.sqrt(0.35 / Math.sqrt(rank));
  const [p, q] = [normals("p", users * rank, side), normals("q", items * rank, side)];
  const [bu, bi] = [normals("bu", users, 0.4), normals("bi", items, 0.45)];
  const popularity = Array.from({ length: items }, (_, i) => 1 / (i + 10));
  const draws = stream(seed, "cells").at(0);
  const triples = { users: [] as number[], items: [] as number[], values: [] as number[] };
  for (let u = 0; u < users; u++) {
    // At least 20 ratings, and a few users with several hundred.
    const activity = (20 + 15 * draws.normal() ** 4) / items;
    for (let i = 0; i < items; i++) {
      if (draws.uniform() >= 60 * activity * popularity[i] * (items / 250)) continue;
      let r = 3.6 + bu[u] + bi[i] + 0.8 * draws.normal();
      for (let k = 0; k < rank; k++) r += p[u * rank + k] * q[i * rank + k];
      triples.users.push(u);
      triples.items.push(i);
      triples.values.push(unit * Math.min(5, Math.max(0.5, Math.round(2 * r) / 2)));
    }
  }
  return Ratings.fromTriples(triples);
}
