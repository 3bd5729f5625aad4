import type { Conditionals, FactorTables, JsonObject } from "../../engine/contract/index.ts";
import { murmur3 } from "../../engine/random/murmur3.ts";
import { atOnce, Pauses } from "../../engine/threads/steps.ts";

/** Returns a fingerprint of a graph: readable counts and a hash of its contents. */
export const factsOf = (graph: FactorTables | Conditionals): JsonObject => atOnce(gathering(graph));

/** Same as `factsOf`, but yields every few milliseconds. */
export function* gathering(graph: FactorTables | Conditionals): Generator<void, JsonObject> {
  let hash = 0;
  const take = ({ buffer, byteOffset, byteLength }: ArrayBufferView): void => {
    hash = murmur3(new Uint8Array(buffer, byteOffset, byteLength), 0, byteLength, hash);
  };
  const { cardinalities, observed } = graph;
  for (const array of [cardinalities, observed]) take(array);
  if ("factors" in graph) {
    const pauses = new Pauses();
    for (const { scope, values, logs } of graph.factors) {
      if (pauses.due(values.length)) yield;
      take(Uint32Array.from(scope));
      take(values);
      if (logs) take(Uint8Array.of(1));
    }
  } else {
    const { ends, variables, literals, shapes, weights, features, weightValues, weightFixed, shapeValues } = graph;
    for (const array of [ends, variables, literals, shapes, weights, weightValues, shapeValues]) take(array);
    if (features) take(features);
    if (weightFixed.includes(1)) take(weightFixed);
    for (const [variable, p] of graph.labels ?? []) {
      take(Uint32Array.of(variable));
      take(p);
    }
  }
  const count = observed.reduce((sum, state) => sum + (state < 0 ? 0 : 1), 0);
  const factors = "factors" in graph ? graph.factors.length : graph.ends.length;
  return { variables: cardinalities.length, factors, observed: count, hash };
}
