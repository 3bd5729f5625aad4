import * as n from "../../../../src/learning/models/neural/index.ts";
import { layerDefinition, layerKinds } from "../../../../src/learning/models/neural/layers/by-kind.ts";

/** Layers that contain layers. */
const made: Record<string, [n.Layer, number[]]> = {
  residual: [n.residual(n.dense(2), { shortcut: n.dense(2) }), [2, 3]],
  concatenating: [n.concatenating([n.dense(2), n.dense(3)]), [2, 3]],
  byImageSize: [n.byImageSize({ small: n.convolution(2), large: n.convolution(3), side: 4 }), [2, 3, 5, 1]],
  sequential: [n.sequential([n.dense(2), n.relu()]), [2, 3]],
  frozen: [n.frozen(n.dense(2)), [2, 3]],
  grouped: [n.grouped("slow", n.dense(2, { initial: n.glorotUniform({ gain: 2 }), initialBias: n.ones() })), [2, 3]],
};

/** A layer of every kind, from the example in its definition, and the shape of its input. */
export const everyKind: Record<string, [n.Layer, number[]]> = Object.fromEntries(
  layerKinds().map((kind): [string, [n.Layer, number[]]] => {
    if (kind in made) return [kind, made[kind]];
    const { make, facts } = layerDefinition(kind)!;
    if (!facts.example) throw new Error(`the definition of the layer "${kind}" has no example`);
    return [kind, [make(facts.example.options), [...facts.example.input]]];
  }),
);
