/**
 * The compiler's knowledge of knowledge bases. `npm run check:types` checks the refusals and fails if a line marked
 * `@ts-expect-error` compiles. Mistakes that plain JavaScript can make also throw errors.
 */
import { describe, expect, expectTypeOf, it } from "vitest";
import { query, type Relation, relation, type Table, weightedRule } from "../../src/entries/everything.ts";

interface Claim {
  city: string;
  size: number;
  capital?: boolean | null;
}
const rows: Claim[] = [{ city: "Rome", size: 2.8, capital: true }];
const claims = relation("claims", rows);
const holds = query("holds", rows, { key: ["city", "size"] });
const kind = query("kind", rows, { key: ["city"], states: ["village", "town"] });
const head = holds({ city: "c", size: "n" });
const body = [claims({ city: "c", size: "n" })] as const;

describe("relations", () => {
  it("know their columns", () => {
    expectTypeOf(claims).toEqualTypeOf<Relation<{ readonly city: string; readonly size: number; readonly capital: boolean }>>();
    expectTypeOf(relation("lists", { a: ["x"], n: new Float64Array(1) })).toEqualTypeOf<
      Relation<{ readonly a: string; readonly n: number }>
    >();
    const table: Table = { rowCount: 1, source: "t.csv", columns: [{ name: "n", kind: "number", values: new Float64Array(1) }] };
    expectTypeOf(relation("table", table, { n: "number" })).toEqualTypeOf<Relation<{ readonly n: number }>>();
  });

  it("refuse misspelt columns, values of another type, and rows without their columns", () => {
    // @ts-expect-error: there is no column "citty"
    expect(() => claims({ citty: "c", size: "n" })).toThrow(/no column "citty"/);
    // @ts-expect-error: a city is not a number
    expect(() => claims({ city: { equals: 5 } })).toThrow(/"city" is compared with 5, but holds a text/);
    // @ts-expect-error: the column "size" is missing
    expect(() => claims.add([{ city: "Oslo", capital: false }])).toThrow(/have no column "size"/);
  });
});

describe("unknowns", () => {
  it("accept only their own columns as keys and their own states", () => {
    // @ts-expect-error: there is no column "town"
    expect(() => query("wrong", rows, { key: ["town"] })).toThrow(/no column "town"/);
    // @ts-expect-error: there is no column "known"
    expect(() => query("wrong", rows, { key: ["city"], label: "known" })).toThrow(/no column "known"/);
    // @ts-expect-error: it has states, so the head must select one
    expect(() => kind({ city: "c" })).toThrow(/no state was given/);
    // @ts-expect-error: there is no state "twon"
    expect(() => kind({ city: "c" }, "twon")).toThrow(/no state "twon"/);
    // @ts-expect-error: it is true or false
    expect(() => holds({ city: "c", size: "n" }, "true")).toThrow(/leave the state out/);
    // @ts-expect-error: the capital is not in the key
    expect(() => holds({ city: "c", size: "n", capital: "x" })).toThrow(/no column "capital"/);
  });
});

describe("rules", () => {
  it("pass the values of their variables to functions", () => {
    weightedRule({
      head,
      body,
      weight: (row) => {
        expectTypeOf(row).toEqualTypeOf<{ readonly c: string; readonly n: number }>();
        return row.c;
      },
    });
    weightedRule({ head, weight: 1, where: ({ n }) => Number.isInteger(n satisfies number) });
    const both = [...body, claims({ city: "d", capital: "b", size: { equals: 3 } })] as const;
    weightedRule({
      head,
      body: both,
      weight: 1,
      where: (row) => {
        expectTypeOf(row).toEqualTypeOf<{ readonly c: string; readonly n: number; readonly d: string; readonly b: boolean }>();
        return row.b;
      },
    });
  });

  it("refuse unbound variables", () => {
    // @ts-expect-error: nothing binds "m"
    expect(() => weightedRule({ head: holds({ city: "c", size: "m" }), body, weight: 1 })).toThrow(
      /the head has the variable "m"/,
    );
    // @ts-expect-error: there is no variable "city"
    weightedRule({ head, body, weight: (row) => row.city });
    // @ts-expect-error: there is no variable "m"
    weightedRule({ head, body, weight: 1, where: ({ m }) => m > 0 });
  });

  it("refuse variables with two types", () => {
    // @ts-expect-error: "n" is a text and a number
    expect(() => weightedRule({ head, body: [...body, claims({ city: "n" })], weight: 1 })).toThrow(
      /"n" is a number in .* but a text in/,
    );
  });

  it("refuse heads that are known relations or ambiguous", () => {
    // @ts-expect-error: a relation is known
    expect(() => weightedRule({ head: claims({ city: "c" }), weight: 1 })).toThrow(/head is of type Atom/);
    // @ts-expect-error: the size is not bound
    expect(() => weightedRule({ head: holds({ city: "c" }), body, weight: 1 })).toThrow(/with all its key columns/);
    // @ts-expect-error: there is no such semantics
    expect(() => weightedRule({ head, body, weight: 1, semantics: "implies" })).toThrow(/semantics is "implies"/);
  });
});
