import fc from "fast-check";
import type { FactorTables } from "../../src/engine/contract/index.ts";
import { between } from "./between.ts";

/** A graph with the given tables and variables named x0, x1 … */
export function graphOf(
  cardinalities: readonly number[],
  factors: readonly { scope: number[]; values: readonly number[]; logs?: boolean }[],
  evidence: Readonly<Record<number, number>> = {},
): FactorTables {
  const observed = new Int32Array(cardinalities.length).fill(-1);
  for (const [variable, state] of Object.entries(evidence)) observed[Number(variable)] = state;
  return {
    cardinalities: Uint32Array.from(cardinalities),
    variableCount: cardinalities.length,
    factors: factors.map(({ values, ...rest }) => ({ ...rest, values: Float64Array.from(values) })),
    observed,
    name: (variable) => `x${variable}`,
    state: (_, state) => String(state),
  };
}

/**
 * Small graphs of all kinds: zeros, evidence, several components, single states, factors without variables or with the
 * same ones, and occasionally huge ranges.
 */
export const randomGraphs: fc.Arbitrary<FactorTables> = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }), between(0, 0.7), fc.boolean())
  .chain(([cardinalities, zeros, wide]) => {
    const entry = fc
      .tuple(between(0, 1), between(-1, 1))
      .map(([chance, size]) => (chance < zeros ? 0 : 10 ** (size * (wide ? 250 : 2))));
    const factor = fc
      .uniqueArray(fc.nat(cardinalities.length - 1), { maxLength: Math.min(3, cardinalities.length) })
      .chain((scope) => {
        const size = scope.reduce((product, variable) => product * cardinalities[variable], 1);
        return fc.array(entry, { minLength: size, maxLength: size }).map((values) => ({ scope, values }));
      });
    const evidence = fc
      .uniqueArray(fc.nat(cardinalities.length - 1), { maxLength: 2 })
      .chain((variables) =>
        fc
          .tuple(...variables.map((variable) => fc.nat(cardinalities[variable] - 1)))
          .map((states) => Object.fromEntries(variables.map((variable, i) => [variable, states[i]]))),
      );
    return fc
      .tuple(fc.array(factor, { maxLength: 10 }), evidence)
      .map(([factors, observed]) => graphOf(cardinalities, factors, observed));
  });

/**
 * Random pairwise graphs of Booleans: every listed edge is a coupling of scale `strength`, and every variable has a
 * field.
 */
export function pairwiseGraph(
  count: number,
  edges: readonly (readonly [number, number])[],
  strength: number,
  normal: () => number,
): FactorTables {
  const fields = Array.from({ length: count }, (_, variable) => {
    const field = 0.3 * normal();
    return { scope: [variable], values: [Math.exp(field), Math.exp(-field)] };
  });
  const couplings = edges.map(([a, b]) => {
    const [same, other] = [Math.exp(strength * normal()), 1];
    return { scope: [a, b], values: [same, other, other, same] };
  });
  return graphOf(Array(count).fill(2), [...fields, ...couplings]);
}

/** Neighbours on a grid of rows × columns, which wraps around if it is a torus. */
export function gridEdges(rows: number, columns: number, torus = false): [number, number][] {
  const edges: [number, number][] = [];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      if (torus || j + 1 < columns) edges.push([i * columns + j, i * columns + ((j + 1) % columns)]);
      if (torus || i + 1 < rows) edges.push([i * columns + j, ((i + 1) % rows) * columns + j]);
    }
  return edges;
}

/** Trees: each variable except the first shares a factor, sometimes with zeros, with an earlier one. */
export const randomTrees: fc.Arbitrary<FactorTables> = fc
  .array(fc.integer({ min: 2, max: 4 }), { minLength: 2, maxLength: 7 })
  .chain((cardinalities) =>
    fc
      .tuple(
        ...cardinalities.slice(1).map((count, i) =>
          fc.nat(i).chain((parent) =>
            fc
              .array(
                fc.oneof(
                  { weight: 5, arbitrary: fc.double({ min: 0.01, max: 3, noNaN: true }) },
                  { weight: 1, arbitrary: fc.constant(0) },
                ),
                {
                  minLength: count * cardinalities[parent],
                  maxLength: count * cardinalities[parent],
                },
              )
              .map((values) => ({ scope: [parent, i + 1], values })),
          ),
        ),
      )
      .map((factors) => graphOf(cardinalities, factors)),
  );

/**
 * Graphs of many factors on few variables, whose elimination width equals the number of variables. They have zeros but
 * at least one possible state, and ranges from narrow to huge.
 */
export const denseGraphs: fc.Arbitrary<FactorTables> = fc
  .tuple(
    fc.array(fc.integer({ min: 2, max: 4 }), { minLength: 4, maxLength: 7 }),
    between(-0.4, 0.5),
    fc.constantFrom(0.3, 1, 3, 30, 200),
  )
  .chain(([cardinalities, zeros, decades]) => {
    const planted = fc.tuple(...cardinalities.map((count) => fc.nat(count - 1)));
    const entry = fc
      .tuple(between(0, 1), between(-1, 1))
      .map(([chance, size]) => ({ zero: chance < zeros, value: 10 ** (size * decades) }));
    const factor = fc.uniqueArray(fc.nat(cardinalities.length - 1), { minLength: 2, maxLength: 3 }).chain((scope) => {
      const size = scope.reduce((product, variable) => product * cardinalities[variable], 1);
      return fc.array(entry, { minLength: size, maxLength: size }).map((entries) => ({ scope, entries }));
    });
    return fc
      .tuple(fc.array(factor, { minLength: 2 * cardinalities.length, maxLength: 3 * cardinalities.length }), planted)
      .map(([factors, states]) =>
        graphOf(
          cardinalities,
          factors.map(({ scope, entries }) => {
            const place = scope.reduce((at, variable) => at * cardinalities[variable] + states[variable], 0);
            return { scope, values: entries.map(({ zero, value }, i) => (zero && i !== place ? 0 : value)) };
          }),
        ),
      );
  });
