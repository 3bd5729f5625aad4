/** Finds the parameters that belong to a hierarchy. The location or scale of their prior is itself a parameter. */
import { arraysBelow, broadcastTo, log, mul, type SymbolicArray, sum } from "../../engine/compiler/index.ts";
import { median } from "../../engine/statistics/index.ts";
import type { TracedModel, TracedParameter } from "./context.ts";
import { hasLocationScale } from "./non-centred.ts";
import { somePoints } from "./solutions.ts";

/**
 * `centred` lists the parameters that could be written with `centred: false`. `nonCentred` lists the parameters that
 * already have this form.
 */
export function hierarchyOf({ parameters }: TracedModel): { centred: string[]; nonCentred: string[] } {
  const inHierarchy = parameters.filter(isBelowOthers);
  const names = (which: (p: TracedParameter) => boolean): string[] => inHierarchy.filter(which).map(({ name }) => name);
  return {
    centred: names((p) => p.nonCentred === undefined && !p.narrowed && hasLocationScale(p.prior!)),
    nonCentred: names((p) => p.nonCentred !== undefined),
  };
}

function isBelowOthers({ prior }: TracedParameter): boolean {
  const read = arraysBelow(Object.values(prior?.parameters ?? {}));
  return read.some(({ op, attributes }) => op === "input" && String(attributes).startsWith("u "));
}

/**
 * Posterior variance of each parameter in a hierarchy, divided by its prior variance: Var(x) / E(σ²), where σ is the
 * scale of the prior. For a parameter with several elements, the median of their ratios. Parameters with a log-normal
 * prior are measured on the log scale.
 *
 * A ratio near 0 means that the data determine the parameter, so that the centred form mixes well. A ratio near or above
 * 1 means that the prior determines it, so that the non-centred form mixes well. The ratio is the same for both forms.
 */
export function relativeVariances(
  traced: TracedModel,
  points: Float64Array,
  valuesAt: (arrays: readonly SymbolicArray[], some: Float64Array) => Float64Array,
): Record<string, number> {
  const measured = traced.parameters.filter((p) => isBelowOthers(p) && !p.narrowed && hasLocationScale(p.prior!));
  const some = somePoints(points, traced.dimension);
  const count = some.length / traced.dimension;
  if (measured.length === 0 || count < 2) return {};
  const arrays = measured.flatMap(valueAndVariance);
  const all = valuesAt(arrays, some);
  const stride = all.length / count;
  const mean = (at: number, of: (x: number) => number): number => {
    let total = 0;
    for (let k = 0; k < count; k++) total += of(all[k * stride + at]);
    return total / count;
  };
  const found: [string, number][] = [];
  let offset = 0;
  for (const { name, value } of measured) {
    const ratios = Float64Array.from({ length: value.size }, (_, i) => {
      const centre = mean(offset + i, (x) => x);
      return mean(offset + i, (x) => (x - centre) ** 2) / mean(offset + value.size + i, (x) => x);
    });
    offset += 2 * value.size;
    const ratio = median(ratios);
    if (Number.isFinite(ratio)) found.push([name, ratio]);
  }
  return Object.fromEntries(found);
}

/** Returns x, or log x for a log-normal prior, and the squared scale of its prior, both of the parameter's shape. */
function valueAndVariance({ prior, value }: TracedParameter): [SymbolicArray, SymbolicArray] {
  const { parameters, family } = prior!;
  const { factor } = parameters;
  // Rows of a factor L have the squared length (LLᵀ)ᵢᵢ, which is the variance of element i.
  if (!family.locationScale) return [value, broadcastTo(sum(mul(factor, factor), { axis: 1 }), value.shape)];
  const scale = parameters[family.locationScale.scale];
  return [family.locationScale.log ? log(value) : value, broadcastTo(mul(scale, scale), value.shape)];
}
