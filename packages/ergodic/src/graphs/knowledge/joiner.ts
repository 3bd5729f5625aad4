import type { Range } from "./join.ts";
import { joinOrder } from "./join.ts";
import type { WeightedRule } from "./rule.ts";
import type { Dictionary, FactsView } from "./views.ts";

/** A column of an atom of a join. */
export interface JoinColumn {
  /** The atom's place in `JoinQuery.atoms`. */
  readonly atom: number;
  /** The column's place in its table. */
  readonly column: number;
}

/** A join of tables of whole numbers, as a rule's body and head ask for it. */
export interface JoinQuery {
  /** The table of each atom, and its rows that count: from `from` up to, and without, `to`. */
  readonly atoms: readonly { readonly table: number; readonly from: number; readonly to: number }[];
  /** Columns that must have the same number; the number −1, which is a missing value, is equal to none. */
  readonly equal: readonly (readonly [JoinColumn, JoinColumn])[];
  /** Columns that must have this number. */
  readonly values: readonly (JoinColumn & { readonly value: number })[];
  /** Columns that must not be −1. */
  readonly present: readonly JoinColumn[];
  /** Atoms by whose rows, ascending, what is found is sorted, the first one first. */
  readonly order: readonly number[];
}

/** Tables in another program's memory, and joins of them. */
export interface JoinSession {
  /** Takes a table in, of columns of one length. */
  load(table: number, columns: readonly Int32Array[]): Promise<void>;
  /** What fits, in pieces: by atom, the rows. */
  join(query: JoinQuery): AsyncIterable<readonly ArrayLike<number>[]>;
  /** Gives its memory back. */
  end(): Promise<void>;
}

/** What joins the tables of a knowledge base in the place of its own hash joins: `duckdb()` of `@ergodic/ingest`. */
export interface Joiner {
  /** Begins without tables. */
  begin(): Promise<JoinSession>;
}

/** The join of a rule; `first`: the atom that the order begins with. `tableOf`: numbers of tables. */
export function joinQuery(
  rule: WeightedRule,
  views: readonly FactsView[],
  ranges: readonly Range[],
  { dictionary, first, tableOf }: { dictionary: Dictionary; first: number | undefined; tableOf(view: FactsView): number },
): JoinQuery {
  const equal: (readonly [JoinColumn, JoinColumn])[] = [];
  const values: (JoinColumn & { value: number })[] = [];
  const present: JoinColumn[] = [];
  const places = new Map<string, JoinColumn>();
  for (const [atom, { terms }] of rule.atoms.entries())
    for (const { column, variable, equals } of terms) {
      const here = { atom, column };
      // A value that occurs nowhere is no number, and no missing one either.
      if (variable === undefined) values.push({ ...here, value: occurring(dictionary.find(equals)) });
      else {
        const before = places.get(variable);
        if (before) equal.push([before, here]);
        else present.push(here);
        places.set(variable, before ?? here);
      }
    }
  const atoms = ranges.map(({ from, to }, atom) => ({ table: tableOf(views[atom]), from, to }));
  return { atoms, equal, values, present, order: joinOrder(rule, views, first) };
}

const occurring = (code: number): number => (code < 0 ? -2 : code);

/** By variable of a rule, a column that has its value. */
export function bindingsOf(rule: WeightedRule): JoinColumn[] {
  return rule.variables.map((name) => {
    for (const [atom, { terms }] of rule.atoms.entries())
      for (const { column, variable } of terms) if (variable === name) return { atom, column };
    throw new Error(`${name} is in no atom`);
  });
}
