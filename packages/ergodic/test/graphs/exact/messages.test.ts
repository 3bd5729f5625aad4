/** Sum-product messages whose products leave the range of float64. */
import { describe, expect, it } from "vitest";
import { Messages } from "../../../src/graphs/exact/messages.ts";
import { tableOf } from "../../../src/graphs/parts/factor-table.ts";
import { LogTables } from "../../../src/graphs/parts/log-tables.ts";

describe("entries that tables and messages leave nonzero", () => {
  // Each one alone is an ordinary number: e^-500. The zeros leave only their product.
  const small = Math.exp(-500);
  const tables = [
    tableOf([0], [2], Float64Array.of(1, small)),
    tableOf([0, 1], [2, 2], Float64Array.of(0, 1, small, 1)),
    tableOf([1], [2], Float64Array.of(1, 0)),
  ];

  it("sums their logarithms to ln Z", () => {
    const messages = new Messages(LogTables.of({ cardinalities: [2, 2], tables }));
    expect(messages.tree).toBe(true);
    for (let round = 0; round < 3; round++) for (const variable of [0, 1]) messages.update(variable, 0);
    expect(messages.impossible).toBe(false);
    expect(messages.logPartition).toBeCloseTo(-1000, 9);
    expect([...messages.marginal(0), ...messages.marginal(1)]).toEqual([0, 1, 1, 0]);
  });
});
