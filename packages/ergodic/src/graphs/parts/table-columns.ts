import type { Conditionals } from "../../engine/contract/index.ts";
import type { LogTables } from "./log-tables.ts";

/** Converts the tables of a connected part to columns, with one shape per table. */
export function tableColumns({ cardinalities, tables, values, first }: LogTables): Conditionals {
  const scopes = tables.map(({ scope }) => scope);
  const ends = new Uint32Array(tables.length);
  let edges = 0;
  scopes.forEach((scope, table) => {
    edges += scope.length;
    ends[table] = edges;
  });
  return {
    cardinalities: Uint32Array.from(cardinalities),
    variableCount: cardinalities.length,
    observed: new Int32Array(cardinalities.length).fill(-1),
    ends,
    variables: Uint32Array.from(scopes.flat()),
    literals: new Uint32Array(edges),
    shapes: Uint32Array.from(tables.keys()),
    weights: new Int32Array(tables.length).fill(-1),
    weightValues: new Float64Array(0),
    weightFixed: new Uint8Array(0),
    shapeBegins: Uint32Array.from([...first, values.length]),
    counting: new Uint8Array(tables.length),
    shapeValues: values,
    name: (variable) => `variable ${variable} of a part`,
    state: (_, state) => String(state),
  };
}

/** Marks variables with a single state as observed. */
export function withKnown(columns: Conditionals): Conditionals {
  const { cardinalities, observed } = columns;
  return { ...columns, observed: observed.map((state, v) => (state < 0 && cardinalities[v] === 1 ? 0 : state)) };
}
