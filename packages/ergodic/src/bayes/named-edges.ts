import type { JsonObject, LogDensity } from "../engine/contract/index.ts";
import { scalarName } from "./draws/index.ts";
import type { FunctionDensity } from "./model/functional/index.ts";
import type { Edge, Edges } from "./places/edges.ts";

/** Relative difference up to which edges of one parameter count as the same bound. */
const SAME = 1e-5;

/**
 * Describes edges by the parameters that cross them. `bound` and `side` are given if every edge is a bound of the same
 * single number at the same value: draws beyond it on this side have the lower density. `reason`: the term of the model
 * that is not finite beyond the edges.
 */
export function edgesToJson(density: LogDensity, { examined, found }: Edges): JsonObject {
  const crossings = found.map((edge) => crossed(density, edge));
  const names = [...new Set(crossings.flatMap(({ names }) => names))];
  const [first] = crossings;
  const isBound =
    names.length === 1 &&
    crossings.every(
      ({ value, side }) =>
        side === first.side && side !== undefined && Math.abs(value - first.value) <= SAME * Math.abs(first.value),
    );
  const reason = found.length > 0 ? density.explain?.([found[0].outside]) : undefined;
  const drop = Math.min(...found.map((edge) => edge.drop));
  return {
    ...{ examined, found: found.length, names, drop: Number.isFinite(drop) ? drop : null },
    ...(isBound ? { bound: first.value, side: first.side as string } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
}

interface Crossed {
  readonly names: readonly string[];
  readonly value: number;
  readonly side: "below" | "above" | undefined;
}

/** Names of the parameters that cross an edge and, if it is a single number, its value at the edge. */
function crossed(density: LogDensity, { inside, outside, coordinates }: Edge): Crossed {
  const own = (density as Partial<FunctionDensity>).names;
  const parameters =
    density.parameters ??
    [...inside.keys()].map((i) => ({ name: own?.[i] ?? scalarName("x", [inside.length], i), offset: i, size: 1 }));
  const of = parameters.filter(({ offset, size }) => coordinates.some((i) => i >= offset && i < offset + size));
  const values = (u: Float64Array): ArrayLike<number> =>
    density.constrain?.(u)[of[0].name] ?? u.subarray(of[0].offset, of[0].offset + of[0].size);
  const isNumber = coordinates.length === 1 && of[0]?.size === 1 && values(inside).length === 1;
  const [value, beyond] = isNumber ? [values(inside)[0], values(outside)[0]] : [Number.NaN, Number.NaN];
  const side = beyond > value ? "above" : beyond < value ? "below" : undefined;
  return { names: of.map(({ name }) => name), value, side };
}
