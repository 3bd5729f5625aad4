import type { Range } from "./join.ts";
import { joinOrder } from "./join.ts";
import type { WeightedRule } from "./rule.ts";
import type { Dictionary, FactsView } from "./views.ts";

/** A column of an atom in a join. */
export interface JoinColumn {
  /** Index of the atom in `JoinQuery.atoms`. */
  readonly atom: number;
  /** Index of the column in its table. */
  readonly column: number;
}

/** A join of integer tables that finds the groundings of a rule. */
export interface JoinQuery {
  /** Table of each atom, and its range of rows from `from` (inclusive) to `to` (exclusive). */
  readonly atoms: readonly { readonly table: number; readonly from: number; readonly to: number }[];
  /** Pairs of columns that must be equal. −1 is a missing value, which equals nothing. */
  readonly equal: readonly (readonly [JoinColumn, JoinColumn])[];
  /** Columns that must equal a fixed number. */
  readonly values: readonly (JoinColumn & { readonly value: number })[];
  /** Columns that must not be −1. */
  readonly present: readonly JoinColumn[];
  /**
   * Atoms that determine the order of the results. Results are sorted by these atoms' rows, ascending. The first atom
   * is the primary sort key.
   */
  readonly order: readonly number[];
}

/** Tables in another program's memory, and joins over them. */
export interface JoinSession {
  /** Loads a table, given as columns of equal length. */
  load(table: number, columns: readonly Int32Array[]): Promise<void>;
  /** Returns the matches in batches. A batch contains one list of rows per atom. */
  join(query: JoinQuery): AsyncIterable<readonly ArrayLike<number>[]>;
  /** Ends the session and frees its memory. */
  end(): Promise<void>;
}

/** A replacement for the hash joins of a knowledge base, such as `duckdb()` of `@ergodic/ingest`. */
export interface Joiner {
  /** Starts a session without tables. */
  begin(): Promise<JoinSession>;
}

/** Builds the join query of a rule. `first` is the atom to begin with. `tableOf` maps views to table indices. */
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
      // A value that occurs nowhere must not match any code, not even the code −1 of missing values.
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

/** Returns, for each variable of a rule, a column that binds it. */
export function bindingsOf(rule: WeightedRule): JoinColumn[] {
  return rule.variables.map((name) => {
    for (const [atom, { terms }] of rule.atoms.entries())
      for (const { column, variable } of terms) if (variable === name) return { atom, column };
    throw new Error(`${name} is in no atom`);
  });
}
