/** Draws that exercise every feature of the file formats, for the tests in this folder. */
import fc from "fast-check";
import type { DrawsContent, DrawsQuantity } from "../../../src/bayes/draws/content.ts";
import { Draws } from "../../../src/bayes/draws/draws.ts";

/**
 * Two chains of three draws of a number, a vector, a matrix and an empty array. Values count upwards from 0.5 for each
 * quantity.
 */
export function example(): Draws {
  const quantities: DrawsQuantity[] = [
    { name: "mu", shape: [], kind: "parameter" },
    { name: "theta", shape: [2], kind: "parameter" },
    { name: "L", shape: [2, 3], kind: "transformed" },
    { name: "none", shape: [0], kind: "generated" },
  ];
  const upwards = (length: number, from: number) => Float64Array.from({ length }, (_, k) => from + k);
  return new Draws({
    chains: 2,
    count: 3,
    quantities,
    values: { mu: upwards(6, 0.5), theta: upwards(12, 100.5), L: upwards(36, 200.5), none: new Float64Array(0) },
    fields: ["logDensity", "divergent", "stepSize", "swaps"],
    transitions: upwards(24, -10),
    description: {
      model: "example",
      algorithm: { algorithm: "nuts", metric: "dense", stepSize: 1, jitter: 0, targetAcceptance: 0.8, maxTreeDepth: 9 },
      plan: { chains: 2, warmup: 50, draws: 3, seed: 7 },
      run: { seconds: 1.5 },
    },
    report: { divergences: 2, rhat: Number.NaN },
  });
}

const name = fc.stringMatching(/^[a-zα-ω][A-Za-z0-9_]{0,6}$/).filter((text) => !text.endsWith("__"));
const numbers = (length: number) =>
  fc.array(fc.double(), { minLength: length, maxLength: length }).map((list) => Float64Array.from(list));

/** Any content that a run can produce, including NaN, infinities, -0 and subnormal numbers. */
export const anyContent: fc.Arbitrary<DrawsContent> = fc
  .record({
    chains: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 0, max: 4 }),
    quantities: fc.uniqueArray(
      fc.record({
        name,
        shape: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }),
        kind: fc.constantFrom<DrawsQuantity["kind"]>("parameter", "transformed", "generated"),
      }),
      { selector: (quantity) => quantity.name, maxLength: 4 },
    ),
    fields: fc.uniqueArray(fc.constantFrom("logDensity", "acceptance", "stepSize", "treeDepth", "divergent", "energy", "swaps")),
  })
  .chain(({ chains, count, quantities, fields }) => {
    const sizes = quantities.map(({ shape }) => shape.reduce((product, extent) => product * extent, chains * count));
    return fc
      .tuple(fc.tuple(...sizes.map(numbers)), numbers(chains * count * fields.length), fc.dictionary(name, fc.double()))
      .map(([lists, free, report]) => ({
        chains,
        count,
        quantities,
        fields,
        values: Object.fromEntries(quantities.map((quantity, i) => [quantity.name, lists[i]])),
        // Tree depths must be whole numbers.
        transitions: free.map((value, at) => (fields[at % fields.length] === "treeDepth" ? at % 11 : value)),
        description: { model: "any = # (Default)\nthing", plan: { seed: 3 } },
        report: { ...report },
      }));
  });

/** Plain content without objects that compare by identity. */
export const plain = ({ chains, count, quantities, values, fields, transitions, description, report }: DrawsContent) => ({
  chains,
  count,
  quantities: quantities.map((quantity) => ({ ...quantity, shape: [...quantity.shape] })),
  values: { ...values },
  fields: [...fields],
  transitions,
  description,
  report: { ...report },
});
