/** Factorisations of ratings. */
import { factorisation, fit, Ratings } from "ergodic";
import { randomNumbers } from "../data.mjs";

/** Ratings of 1 to 5 for random pairs. */
function ratings(count, userCount, itemCount) {
  const random = randomNumbers(1);
  const below = (n) => Math.floor(random.uniform() * n);
  const [users, items, values] = [new Uint32Array(count), new Uint32Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i++) {
    users[i] = below(userCount);
    items[i] = below(itemCount);
    values[i] = 1 + below(5);
  }
  return Ratings.fromTriples({ users, items, values, duplicates: "last" });
}

const epochs = (data, rank) => () => fit(factorisation({ rank }), data, { epochs: 3, seed: 1 });

export const ratingsFamilies = {
  "ratings, rows": {
    grows: "ratings",
    theory: 1,
    sizes: [30_000, 100_000, 300_000, 1_000_000],
    open: (n) => epochs(ratings(n, 10_000, 2000), 8),
  },
  "ratings, users": {
    grows: "users",
    theory: 1,
    sizes: [3000, 10_000, 30_000, 100_000],
    open: (n) => epochs(ratings(300_000, n, 2000), 8),
  },
  // rank² numbers per rating, and rank³/6 to solve for a user.
  "ratings, rank": {
    grows: "rank",
    theory: 2,
    sizes: [8, 16, 32, 64],
    open: (rank) => epochs(ratings(100_000, 1000, 1000), rank),
  },
};
