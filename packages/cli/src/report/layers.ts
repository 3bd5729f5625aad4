/** A network's layers in one line, and its cost, from the JSON that its file contains. */
import { countNetwork, type Layer, layerFromJson, layerKinds, type NetworkCount } from "ergodic/layers";
import type { LayerJson } from "./chosen.ts";

/** Options that can represent a layer; the first one present is shown. */
const telling = ["units", "channels", "outputs", "function", "size", "rate", "most"];
const MOST_SHOWN = 16;

/**
 * Formats layers: "convolution 16 → batchNorm → relu …". Equal consecutive layers are shown once: "separable 256 ×5".
 */
export function layersText(layers: LayerJson | null): string {
  if (layers === null) return "a function, which is not stored in the file";
  const words = inRow(layers).map(wordOf);
  const runs: { word: string; count: number }[] = [];
  for (const word of words) {
    const last = runs.at(-1);
    if (last?.word === word) last.count++;
    else runs.push({ word, count: 1 });
  }
  const shown = runs.slice(0, MOST_SHOWN).map(({ word, count }) => (count > 1 ? `${word} ×${count}` : word));
  if (runs.length > MOST_SHOWN) shown.push("…");
  return shown.join(" → ");
}

/** Returns the cost, or undefined if a layer's kind is defined elsewhere. */
export function networkCost(layers: LayerJson | null, rowShape: readonly number[]): NetworkCount | undefined {
  if (layers === null || !kindsIn(layers).every((kind) => layerKinds().includes(kind))) return undefined;
  const network: Layer = layerFromJson(layers as never);
  return countNetwork(network, rowShape);
}

function inRow({ layer, options, ...rest }: LayerJson): LayerJson[] {
  if (layer !== "sequential") return [{ layer, options, ...rest }];
  return (options!.layers as LayerJson[]).flatMap(inRow);
}

function wordOf({ layer = "shared", options = {} }: LayerJson): string {
  const key = telling.find((name) => typeof options[name] === "number" || typeof options[name] === "string");
  if (layer === "activation") return String(options.function);
  return key === undefined ? layer : `${layer} ${String(options[key])}`;
}

function kindsIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  const own = "layer" in value && typeof value.layer === "string" ? [value.layer] : [];
  return [...own, ...Object.values(value).flatMap(kindsIn)];
}
