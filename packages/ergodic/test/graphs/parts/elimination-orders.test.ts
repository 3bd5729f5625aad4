/** Elimination orders, the junction trees that they define, and cutsets for limited memory. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { atOnce } from "../../../src/engine/threads/steps.ts";
import { factorGraph, infer } from "../../../src/entries/everything.ts";
import { chooseCutset } from "../../../src/graphs/exact/cutset.ts";
import { eliminationAgain } from "../../../src/graphs/exact/elimination.ts";
import { junctionTree, mergeSmall, treeCost } from "../../../src/graphs/exact/junction-tree.ts";
import { eliminationOrder, eliminationOrders } from "../../../src/graphs/parts/elimination-orders.ts";
import { followed } from "../../reference/followed.ts";

const graphs = fc.integer({ min: 1, max: 14 }).chain((count) =>
  fc.record({
    cardinalities: fc.array(fc.integer({ min: 2, max: 4 }), { minLength: count, maxLength: count }),
    scopes: fc.array(fc.uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: Math.min(3, count) }), { maxLength: 20 }),
  }),
);

/** The total size of the tables that an order creates, and the largest, by elimination on sets. */
function plainCost(order: readonly number[], cardinalities: readonly number[], scopes: readonly (readonly number[])[]) {
  const neighbours = cardinalities.map(() => new Set<number>());
  for (const scope of scopes) for (const a of scope) for (const b of scope) if (a !== b) neighbours[a].add(b);
  let [total, largest] = [0, 0];
  for (const variable of order) {
    const around = [...neighbours[variable]];
    const size = around.reduce((product, one) => product * cardinalities[one], cardinalities[variable]);
    total += size;
    largest = Math.max(largest, size);
    for (const a of around) {
      neighbours[a].delete(variable);
      for (const b of around) if (a !== b) neighbours[a].add(b);
    }
  }
  return { total, largest };
}

/** A grid of Booleans. */
function grid(side: number): { cardinalities: number[]; scopes: number[][] } {
  const scopes: number[][] = [];
  for (let i = 0; i < side; i++)
    for (let j = 0; j < side; j++) {
      if (j + 1 < side) scopes.push([i * side + j, i * side + j + 1]);
      if (i + 1 < side) scopes.push([i * side + j, (i + 1) * side + j]);
    }
  return { cardinalities: new Array(side * side).fill(2), scopes };
}

/** The smallest total over all orders. */
function bestTotal(cardinalities: readonly number[], scopes: readonly (readonly number[])[]): number {
  let best = Infinity;
  const go = (order: number[]): void => {
    if (order.length === cardinalities.length) best = Math.min(best, plainCost(order, cardinalities, scopes).total);
    for (const variable of cardinalities.keys()) if (!order.includes(variable)) go([...order, variable]);
  };
  go([]);
  return best;
}

describe("elimination orders", () => {
  it("list each variable once, with the reported total and largest table", () => {
    fc.assert(
      fc.property(graphs, ({ cardinalities, scopes }) => {
        const { order, total, largest } = eliminationOrder(cardinalities, scopes, { effort: 50 });
        expect([...order].sort((a, b) => a - b)).toEqual([...cardinalities.keys()]);
        expect({ total, largest }).toEqual(plainCost(order, cardinalities, scopes));
      }),
      { numRuns: 200, seed: 2 },
    );
  });

  it("never get worse with a longer search, and get better if greedy choices mislead", () => {
    let better = 0;
    const wide = fc.integer({ min: 12, max: 30 }).chain((count) =>
      fc.record({
        cardinalities: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: count, maxLength: count }),
        scopes: fc.array(fc.uniqueArray(fc.nat(count - 1), { minLength: 2, maxLength: 2 }), {
          minLength: 3 * count,
          maxLength: 4 * count,
        }),
      }),
    );
    fc.assert(
      fc.property(wide, ({ cardinalities, scopes }) => {
        const first = eliminationOrder(cardinalities, scopes, { effort: 0 });
        const { total } = eliminationOrder(cardinalities, scopes, { effort: 1 });
        expect(total).toBeLessThanOrEqual(first.total);
        if (total < first.total) better++;
      }),
      { numRuns: 40, seed: 4 },
    );
    expect(better).toBeGreaterThan(20);
  });

  it("add no edge to chordal graphs, at the first attempt", () => {
    // Trees of cliques of five: each variable is connected to four that are connected to each other.
    const trees = fc.array(fc.tuple(fc.nat(), fc.nat(3)), { minLength: 5, maxLength: 60 });
    fc.assert(
      fc.property(trees, (choices) => {
        const cliques = [[0, 1, 2, 3]];
        const scopes = [[0, 1, 2, 3]];
        choices.forEach(([parent, out], i) => {
          const around = cliques[parent % cliques.length];
          const variable = 4 + i;
          scopes.push([...around, variable]);
          cliques.push([...around.filter((_, k) => k !== out), variable]);
        });
        const found = eliminationOrder(new Array(4 + choices.length).fill(2), scopes, { effort: 1000 });
        // A table of 32 for each variable with four neighbours, and those of the last clique.
        expect(found).toMatchObject({ total: 32 * choices.length + 16 + 8 + 4 + 2, largest: 32, tried: 1 });
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it("are close to the optimum on graphs of six variables", () => {
    const small = graphs.filter(({ cardinalities }) => cardinalities.length <= 6);
    fc.assert(
      fc.property(small, ({ cardinalities, scopes }) => {
        const { total } = eliminationOrder(cardinalities, scopes, { effort: 1000 });
        const best = bestTotal(cardinalities, scopes);
        expect(total).toBeGreaterThan(best * (1 - 1e-9));
        expect(total).toBeLessThan(best * 1.3);
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it("need tables of two variables for trees, and no more than a row for grids", () => {
    const path = Array.from({ length: 99999 }, (_, i) => [i, i + 1]);
    const long = eliminationOrder(new Array(100000).fill(2), path);
    expect(long.largest).toBe(4);
    const { cardinalities, scopes } = grid(12);
    const { order, total, largest } = eliminationOrder(cardinalities, scopes, { effort: 2 });
    expect(total).toBeLessThan(12 * 12 * 2 ** 13);
    expect({ total, largest }).toEqual(plainCost(order, cardinalities, scopes));
  });

  it("depend only on the seed, and yield often", () => {
    const { cardinalities, scopes } = grid(9);
    const [a, b, c] = [4, 4, 5].map((seed) => eliminationOrder(cardinalities, scopes, { seed, effort: 20 }));
    expect(a).toEqual(b);
    expect(a.order).not.toEqual(c.order);
    let yields = 0;
    const search = eliminationOrders(...([cardinalities, scopes, { effort: 1e4 }] as const));
    while (!search.next().done) yields++;
    expect(yields).toBeGreaterThan(10);
  });

  it("are not searched further while the total exceeds the worthwhile limit", () => {
    const { cardinalities, scopes } = grid(12);
    const [whole, first] = [eliminationOrder(cardinalities, scopes), eliminationOrder(cardinalities, scopes, { effort: 0 })];
    expect([whole.tried > 1, first.tried]).toEqual([true, 1]);
    expect(eliminationOrder(cardinalities, scopes, { worth: first.total - 1 })).toEqual(first);
    expect(eliminationOrder(cardinalities, scopes, { worth: first.total })).toEqual(whole);
  });

  it("pause within a single order if it takes long", () => {
    // One draft and one order without a search: some 30 million words are traversed.
    const { cardinalities, scopes } = grid(56);
    const search = eliminationOrders(cardinalities, scopes, { effort: 0 });
    let pauses = 0;
    let step = search.next();
    for (; !step.done; step = search.next()) pauses++;
    expect(step.value.order.length).toBe(56 * 56);
    console.log(`${pauses} pauses`);
    expect(pauses).toBeGreaterThan(5);
  });
});

describe("junction trees", () => {
  it("contain every scope, eliminate each variable once, and send messages over shared variables", () => {
    fc.assert(
      fc.property(graphs, ({ cardinalities, scopes }) => {
        const { order } = eliminationOrder(cardinalities, scopes);
        const cliques = junctionTree(order, scopes);
        const own = cliques.flatMap(({ axes, own }) => axes.slice(axes.length - own));
        expect(own.sort((a, b) => a - b)).toEqual([...cardinalities.keys()]);
        const homes = cliques.flatMap((clique) => clique.scopes).sort((a, b) => a - b);
        expect(homes).toEqual([...scopes.keys()]);
        const place = new Map(order.map((variable, i) => [variable, i]));
        cliques.forEach(({ axes, own: count, parent, children, scopes: held }, number) => {
          for (const scope of held) expect(axes).toEqual(expect.arrayContaining(scopes[scope]));
          expect([...axes].sort((a, b) => place.get(b)! - place.get(a)!)).toEqual(axes);
          const shared = axes.slice(0, axes.length - count);
          if (parent < 0) expect(shared).toEqual([]);
          else {
            expect(parent).toBeGreaterThan(number);
            expect(cliques[parent].children).toContain(number);
            expect(cliques[parent].axes).toEqual(expect.arrayContaining(shared));
          }
          for (const child of children) expect(cliques[child].parent).toBe(number);
          // No clique is within another.
          for (const [other, { axes: others }] of cliques.entries())
            if (other !== number) expect(axes.every((variable) => others.includes(variable))).toBe(false);
        });
      }),
      { numRuns: 200, seed: 4 },
    );
  });
});

describe("junction trees with small cliques merged", () => {
  it("contain the same scopes, with one order of axes for all messages", () => {
    fc.assert(
      fc.property(graphs, ({ cardinalities, scopes }) => {
        const { order } = eliminationOrder(cardinalities, scopes);
        const whole = junctionTree(order, scopes);
        const tables = scopes.map((_, i) => ({ range: (37 * i) % 90 }));
        const merged = mergeSmall(whole, cardinalities, tables);
        expect(merged.flatMap(({ axes, own }) => axes.slice(axes.length - own)).sort((a, b) => a - b)).toEqual([
          ...cardinalities.keys(),
        ]);
        expect(merged.flatMap((clique) => clique.scopes).sort((a, b) => a - b)).toEqual([...scopes.keys()]);
        merged.forEach(({ axes, own, parent, children, scopes: held }, number) => {
          for (const scope of held) expect(axes).toEqual(expect.arrayContaining(scopes[scope]));
          const shared = axes.slice(0, axes.length - own);
          if (parent < 0) expect(shared).toEqual([]);
          else {
            expect(parent).toBeGreaterThan(number);
            expect(merged[parent].children).toContain(number);
            expect(merged[parent].axes.filter((axis) => shared.includes(axis))).toEqual(shared);
          }
          for (const child of children) expect(merged[child].parent).toBe(number);
        });
      }),
      { numRuns: 200, seed: 5 },
    );
  });

  it("cost the number of states in cliques and messages", () => {
    // A clique of variables 0 and 1, which sends the states of 1, and a clique of 1 and 2, which sends the total sum.
    const cliques = junctionTree(
      [0, 1, 2],
      [
        [0, 1],
        [1, 2],
      ],
    );
    expect(treeCost(cliques, [3, 5, 7])).toEqual({ total: 15 + 35, largest: 35, messageEntries: 5 + 1 });
  });

  it("merge seven cliques of a Boolean chain into one, and keep wide or steep tables separate", () => {
    const scopes = Array.from({ length: 700 }, (_, i) => [i, i + 1]);
    const tree = (states: number, range: number): number => {
      const cardinalities = new Array(701).fill(states);
      const cliques = junctionTree(eliminationOrder(cardinalities, scopes).order, scopes);
      const merged = mergeSmall(
        cliques,
        cardinalities,
        scopes.map(() => ({ range })),
      );
      const { largest } = treeCost(merged, cardinalities);
      expect(largest).toBeLessThanOrEqual(Math.max(256, states ** 2));
      return merged.length;
    };
    expect(tree(2, 1)).toBe(100);
    expect(tree(2, 150)).toBe(700);
    expect(tree(17, 1)).toBe(700);
  });
});

describe("cutsets", () => {
  it("bring messages below the limit, or are not found", () => {
    const { cardinalities, scopes } = grid(8);
    const { order } = eliminationOrder(cardinalities, scopes);
    const whole = treeCost(junctionTree(order, scopes), cardinalities).messageEntries;
    const choose = (entries: number, slices: number) => atOnce(chooseCutset(order, scopes, cardinalities, entries, slices));
    expect(choose(whole, 1)?.slices).toBe(1);
    const held = choose(whole / 3, 2 ** 10)!;
    expect(held.cost.messageEntries).toBeLessThanOrEqual(whole / 3);
    expect(held.slices).toBe(2 ** held.variables.length);
    expect(held.slices).toBeGreaterThan(1);
    expect(choose(4, 8)).toBeUndefined();
  });

  it("pause for each fixed variable, and are not searched if messages are hopelessly large", () => {
    const yields = (count: number): number => {
      const all = Array.from({ length: count + 1 }, (_, i) => i);
      const search = chooseCutset(all, [all.slice(1), all.slice(0, -1)], new Array(count + 1).fill(2), 4, 2 ** 16);
      const { pauses, value } = followed(search);
      expect(value).toBeUndefined();
      return pauses;
    };
    // Two cliques of 100 Booleans that share 99 of them: no 2^16 slices can reduce 2^99 entries to 4. For the larger
    // cliques only a tree is built, with one pause.
    expect([yields(100), yields(130)]).toEqual([16, 1]);
  });
});

describe("repeated inference", () => {
  it("reuses elimination orders part by part, and finds new ones for parts that changed", async () => {
    const graph = factorGraph();
    // A grid, which is wide in row order, and a star.
    const { cardinalities, scopes } = grid(5);
    const edges = [...scopes, ...Array.from({ length: 6 }, (_, i) => [25, 26 + i])];
    for (let v = 0; v < cardinalities.length + 7; v++) graph.variable(`v${v}`);
    edges.forEach(([a, b], i) => {
      graph.table([`v${a}`, `v${b}`], [1, 2 + (i % 3), 0.5, 1 + (i % 2)]);
    });
    const orders: (readonly number[])[] = [];
    const found = async () => (await infer(graph, { algorithm: eliminationAgain(orders) })).marginal("v7").p;
    const p = await found();
    expect(orders.map((order) => order.length)).toEqual([25, 7]);
    const [first, star] = orders;
    const other = first.toReversed();
    orders[0] = other;
    expect((await found())[0]).toBeCloseTo(p[0], 12);
    expect(orders).toEqual([other, star]);
    orders.reverse();
    expect(await found()).toEqual(p);
    expect(orders).toEqual([first, star]);
  });
});
