import { describe, expect, it } from "vitest";
import { NameIndex } from "../../../src/engine/data/name-index.ts";
import { Ratings, type TriplesOptions } from "../../../src/engine/data/ratings.ts";
import { DataError, ErgodicError, OptionError } from "../../../src/engine/errors/errors.ts";
import { engineMemory } from "../../../src/engine/memory/memory.ts";
import { plantedRatings } from "../../learning/models/planted-ratings.ts";

function failure(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof ErgodicError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const small: TriplesOptions = { users: ["b", "a", "b", "c"], items: [10, 9, 9, 10], values: [1, 2, 3, 4] };

/** Sorted by user, then by item. */
const listed = (ratings: Ratings): [unknown, unknown, number][] => {
  const { users, items, values } = ratings.triples();
  return Array.from(values, (r, e) => [ratings.users.names[users[e]], ratings.items.names[items[e]], r]);
};

describe("making ratings", () => {
  it("orders names and entries independently of the input order", () => {
    using ratings = Ratings.fromTriples(small);
    expect(ratings.users.names).toEqual(["a", "b", "c"]);
    expect(ratings.items.names).toEqual([9, 10]);
    const expected = [
      ["a", 9, 2],
      ["b", 9, 3],
      ["b", 10, 1],
      ["c", 10, 4],
    ];
    expect(listed(ratings)).toEqual(expected);
    const turned = (list: ArrayLike<string | number>) => Array.from(list).reverse();
    using other = Ratings.fromTriples({ users: turned(small.users), items: turned(small.items), values: [4, 3, 2, 1] });
    expect(listed(other)).toEqual(expected);
  });

  it("represents the same matrix by rows and by columns", () => {
    using ratings = plantedRatings({ users: 31, items: 19, density: 0.3 });
    const { users, items, values } = ratings.triples();
    const byItem = Array.from(values.keys()).sort((a, b) => items[a] - items[b] || users[a] - users[b]);
    let at = 0;
    for (let i = 0; i < ratings.items.size; i++) {
      const column = ratings.of("item", i);
      for (const [k, u] of column.others.entries()) {
        const e = byItem[at++];
        expect([u, i, column.values[k]]).toEqual([users[e], items[e], values[e]]);
      }
    }
    expect(at).toBe(ratings.count);
    const rows = Array.from({ length: ratings.users.size }, (_, u) => [...ratings.of("user", u).values]).flat();
    expect(rows).toEqual([...values]);
  });

  it("refuses repeated pairs, sums them, or keeps the last value", () => {
    const twice = { users: [1, 2, 1], items: ["x", "x", "x"], values: [5, 1, 3] };
    expect(failure(() => Ratings.fromTriples(twice))).toBe(
      'ratings: the pair of user 1 and item "x" occurs twice; use duplicates: "sum" for counts, or "last" for the latest opinion [DATA_DUPLICATE]',
    );
    using sum = Ratings.fromTriples({ ...twice, duplicates: "sum" });
    using last = Ratings.fromTriples({ ...twice, duplicates: "last" });
    expect(listed(sum).map(([, , r]) => r)).toEqual([8, 1]);
    expect(listed(last).map(([, , r]) => r)).toEqual([3, 1]);
    using events = Ratings.fromTriples({ users: twice.users, items: twice.items });
    expect(listed(events).map(([, , r]) => r)).toEqual([2, 1]);
  });

  it("reads a table by column names", () => {
    const table = {
      rowCount: 3,
      source: "films.csv",
      columns: [
        { name: "who", kind: "number" as const, values: Float64Array.of(7, 7, 5) },
        { name: "film", kind: "category" as const, codes: Int32Array.of(1, 0, 1), levels: ["Up", "Alien"] },
        { name: "stars", kind: "number" as const, values: Float64Array.of(4, 2, 3) },
      ],
    };
    using ratings = Ratings.fromTable(table, { user: "who", item: "film", value: "stars" });
    expect(listed(ratings)).toEqual([
      [5, "Alien", 3],
      [7, "Alien", 4],
      [7, "Up", 2],
    ]);
    using events = Ratings.fromTable(table, { user: "who", item: "film" });
    expect(listed(events).map(([, , r]) => r)).toEqual([1, 1, 1]);
    expect(failure(() => Ratings.fromTable(table, { user: "whom", item: "film" }))).toMatch(
      /films.csv: has no user column "whom".*DATA_COLUMN/,
    );
    expect(failure(() => Ratings.fromTable(table, { user: "who", item: "film", value: "film" }))).toMatch(/DATA_COLUMN/);
    const gaps = { ...table, columns: [table.columns[0], { ...table.columns[1], codes: Int32Array.of(1, -1, 1) }] };
    expect(failure(() => Ratings.fromTable(gaps as typeof table, { user: "who", item: "film" }))).toBe(
      'films.csv: row 2: the item is "", but must be a string or a number; drop the row [DATA_VALUE]',
    );
  });

  it.each<[string, TriplesOptions, RegExp]>([
    ["no ratings", { users: [], items: [] }, /DATA_EMPTY/],
    ["lists of other lengths", { ...small, items: [1] }, /there are 4 users, 1 items and 4 values.*DATA_SHAPE/],
    ["values of another length", { ...small, values: [1] }, /DATA_SHAPE/],
    ["a value that is no number", { ...small, values: [1, 2, NaN, 4] }, /row 3: the value is NaN.*DATA_VALUE/],
    ["an infinite value", { ...small, values: [1, 2, 3, Infinity] }, /row 4: the value is Infinity.*DATA_VALUE/],
    ["a missing user", { ...small, users: ["a", null as unknown as string, "b", "c"] }, /row 2: the user is null.*DATA_VALUE/],
    ["an item that is no number", { ...small, items: [1, NaN, 2, 3] }, /row 2: the item is NaN.*DATA_VALUE/],
    ["a user without end", { ...small, users: [1, 2, Infinity, 3] }, /row 3: the user is Infinity.*DATA_VALUE/],
    ["an unknown option", { ...small, value: [1] } as TriplesOptions, /OPTION_UNKNOWN/],
    ["unknown duplicates", { ...small, duplicates: "mean" as "sum" }, /OPTION_RANGE/],
  ])("refuses %s", (_, options, message) => {
    expect(failure(() => Ratings.fromTriples(options))).toMatch(message);
  });
});

describe("parts of ratings", () => {
  it("splits cover every rating once and keep all names", () => {
    using all = plantedRatings();
    const { train, test } = all.split(0.7, { seed: 4 });
    expect(train.count).toBe(Math.round(0.7 * all.count));
    const both = [...listed(train), ...listed(test)].map((t) => JSON.stringify(t));
    expect(both.sort()).toEqual(
      listed(all)
        .map((t) => JSON.stringify(t))
        .sort(),
    );
    expect(train.users).toBe(all.users);
    expect(test.items).toBe(all.items);
    const again = all.split(0.7, { seed: 4 });
    expect(listed(again.train)).toEqual(listed(train));
    const other = all.split(0.7, { seed: 5 });
    expect(listed(other.train)).not.toEqual(listed(train));
    for (const part of [train, test, again.train, again.test, other.train, other.test]) part.dispose();
  });

  it("refuses entries that do not exist or are out of order", () => {
    using all = Ratings.fromTriples(small);
    for (const entries of [[], [4], [-1], [0.5], [1, 1], [2, 1]]) {
      expect(() => all.select(entries)).toThrow(OptionError);
    }
    expect(() => all.of("user", 3)).toThrow(OptionError);
    expect(() => all.split(1, { seed: 1 })).toThrow(OptionError);
  });

  it("dispose frees the memory of all parts", () => {
    const before = engineMemory().usedBytes;
    const all = plantedRatings();
    const { train, test } = all.split(0.5, { seed: 1 });
    for (const part of [all, train, test]) part.dispose();
    expect(engineMemory().usedBytes).toBeLessThanOrEqual(before);
    expect(failure(() => all.triples())).toMatch(/used after dispose.*DATASET_DISPOSED/);
  });
});

describe("names of users and items", () => {
  it("are numbers if all are numbers, else strings, with 7 equal to '7'", () => {
    const { index, codes } = NameIndex.of(["b", 10, "10", 9], "user", "test");
    expect(index.names).toEqual(["10", "9", "b"]);
    expect([...codes]).toEqual([2, 0, 0, 1]);
    expect([index.find(9), index.find("9"), index.find("zz")]).toEqual([1, 1, -1]);
    expect(NameIndex.of([10, 9], "user", "test").index.names).toEqual([9, 10]);
    expect(() => NameIndex.of([""], "user", "test")).toThrow(DataError);
  });
});
