/** Finds the parameters that belong to a hierarchy. The location or scale of their prior is itself a parameter. */
import { arraysBelow } from "../../engine/compiler/index.ts";
import type { TracedModel, TracedParameter } from "./context.ts";
import { hasLocationScale } from "./non-centred.ts";

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
