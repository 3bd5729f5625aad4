import fc from "fast-check";
import type { FactorTables } from "../../src/contract.ts";

/** A graph of given tables, its variables named x0, x1 … */
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

/** Small graphs of all sorts: zeros, evidence, several parts, single states, factors without variables or on the same ones, huge ranges now and then. */
export const randomGraphs: fc.Arbitrary<FactorTables> = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
    fc.double({ min: 0, max: 0.7, noNaN: true }),
    fc.boolean(),
  )
  .chain(([cardinalities, zeros, wide]) => {
    const entry = fc
      .tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }))
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
