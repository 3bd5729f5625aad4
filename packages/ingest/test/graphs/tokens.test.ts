/**
 * Shared parts of the graph readers: the limit on the size of a graph, and the position of errors from the graph
 * itself.
 */
import { MemoryLimitError, OptionError } from "ergodic";
import { expect, it } from "vitest";
import { Allowance, entriesOf, Tokens } from "../../src/graphs/tokens.ts";

it("allows a million entries plus 64 per byte, and spends each only once", () => {
  for (const bytes of [0, 10]) {
    const most = 2 ** 20 + 64 * bytes;
    expect(new Allowance(bytes).take(most + 1)).toBe(false);
    const allowance = new Allowance(bytes);
    expect([allowance.take(most - 5), allowance.take(6), allowance.take(5), allowance.take(0), allowance.take(1)]).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(allowance.take(Infinity)).toBe(false);
  }
});

it("counts the entries of a table until they overflow", () => {
  expect([entriesOf([]), entriesOf([3, 4]), entriesOf([2 ** 26, 2 ** 26]), entriesOf([2 ** 27, 2 ** 26])]).toEqual([
    1,
    12,
    2 ** 52,
    Infinity,
  ]);
});

it("reports a graph's refusal with the place of the token and rethrows other errors", () => {
  const tokens = new Tokens("a.uai", new TextEncoder().encode("1\n  22 x"));
  tokens.whole("a number", 0);
  tokens.whole("a number", 0);
  expect(tokens.left).toBe(2);
  expect(tokens.at(() => 7)).toBe(7);
  const thrown = (error: Error) => () =>
    tokens.at(() => {
      throw error;
    });
  expect(thrown(new OptionError("graph", "it is wrong", "OPTION_RANGE"))).toThrow(/^a\.uai:2:3: it is wrong \[DATA_PARSE\]$/);
  for (const error of [new TypeError("of ours"), new MemoryLimitError("graph", "too large", "MEMORY_LIMIT")])
    expect(thrown(error)).toThrow(error);
});
