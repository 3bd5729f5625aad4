/** Combines draws from a file with their model, so that they give the same results as the original run. */

import type { Json, JsonObject } from "../engine/contract/index.ts";
import { listed } from "../engine/data/raw.ts";
import { DataError, ErgodicError } from "../engine/errors/errors.ts";
import { shown } from "../engine/errors/shown.ts";
import { stream } from "../engine/random/stream.ts";
import { Draws, type DrawsContent, type DrawsQuantity } from "./draws/index.ts";
import type { ConditionedModel, NamedValues } from "./model/index.ts";
import { namedValues, pointsOf, sourceOf } from "./named-draws.ts";
import { alike, PROBE, probeOf } from "./sample.ts";

const WHERE = "loadDraws";
/** Largest relative difference at which a recomputed quantity counts as unchanged. */
const SAME = 1e-9;

/**
 * Combines draws with `density`, which is the model conditioned on its data. @throws DataError [DRAWS_MODEL] if the
 * draws belong to other parameters, other data or another density
 */
export function joined(draws: Draws, density: ConditionedModel): Draws {
  checkParameters(draws, density);
  checkData(draws, density);
  const { content } = draws;
  const { chains, count, values, description } = content;
  const total = chains * count;
  const outside = (k: number, cause: unknown): never => {
    const place = `draw ${(k % count) + 1} of chain ${Math.floor(k / count) + 1}`;
    const said = cause instanceof ErgodicError ? `${cause.where}: ${cause.said}` : String(cause);
    throw refusal(`${place} is not possible in this model: ${said}`, cause);
  };
  const source = sourceOf(density, content, outside);
  const plan = objectOf(description.plan);
  const seed = typeof plan.seed === "number" ? plan.seed : 0;
  const points = total === 0 ? new Float64Array(0) : pointsOf(density, content, outside);
  const computed = namedValues(density, points, stream(seed, "generated"));
  if (density.traced.reports) checkReported(density, values, computed);
  const isKept = ({ name, kind, shape }: DrawsQuantity): boolean =>
    kind === "parameter" || (sameShape(shape, shapeOf(draws, name)) && same(values[name], computed[name]));
  const own = density.quantities.map(({ name, kind, shape }) => ({ name, kind, shape }));
  // Unchanged quantities keep the values from the run, bit for bit. Changed and new quantities come from the model.
  const taken = own.map(
    (quantity) => [quantity.name, isKept(quantity) ? values[quantity.name] : computed[quantity.name]] as const,
  );
  const others = draws.quantities.filter(({ name }) => !own.some((quantity) => quantity.name === name));
  return new Draws({
    ...content,
    quantities: [...own, ...others],
    values: Object.fromEntries([...taken, ...others.map(({ name }) => [name, values[name]] as const)]),
    source,
  });
}

function checkParameters(draws: Draws, { quantities, name }: ConditionedModel): void {
  const wanted = quantities.filter(({ kind }) => kind === "parameter");
  // Files from other programs do not say which quantities are parameters and which are computed.
  const isOwn = Array.isArray(draws.description.names);
  const has = draws.quantities.filter(({ kind }) => !isOwn || kind === "parameter");
  const missing = wanted.filter((one) => shapeOf(draws, one.name) === undefined);
  const more = has.filter((one) => !wanted.some((other) => other.name === one.name));
  const reshaped = wanted.flatMap((one) => {
    const shape = shapeOf(draws, one.name);
    if (shape === undefined || sameShape(one.shape, shape)) return [];
    return [`"${one.name}" has shape [${shape.join(", ")}] in the draws, but [${one.shape.join(", ")}] in the model`];
  });
  if (missing.length === 0 && reshaped.length === 0 && !(isOwn && more.length > 0)) return;
  const text = (list: readonly { name: string }[]): string => listed(list.map((one) => one.name));
  const differences = [
    ...(missing.length > 0 ? [`the draws lack ${text(missing)}`] : []),
    ...(more.length > 0 ? [`the model lacks ${text(more)} of the draws`] : []),
    ...reshaped,
  ];
  throw refusal(`the draws have other parameters than the model "${name}": ${differences.join(", and ")}`);
}

/**
 * Checks that the reported quantities equal the quantities recomputed from the stored numbers, which shows that model
 * and data are the same.
 */
function checkReported(density: ConditionedModel, values: DrawsContent["values"], computed: NamedValues): void {
  const other = density.quantities.find(({ name, kind }) => kind === "parameter" && !same(values[name], computed[name]));
  if (other) throw refusal(`"${other.name}" differs from what the model "${density.name}" computes from the drawn numbers`);
}

/**
 * Compares the sizes of the data with the stored sizes. If a density at one point is stored, the density at this point
 * is also compared.
 */
function checkData({ description }: Draws, density: ConditionedModel): void {
  const kept = objectOf(description.data);
  for (const [name, shape] of Object.entries(density.dataShapes)) {
    const before = kept[name];
    if (!Array.isArray(before) || sameShape(before as number[], shape)) continue;
    throw refusal(`data "${name}" has shape [${shape.join(", ")}], but had [${before.join(", ")}] when the draws were made`);
  }
  if (description.probe === undefined) return;
  const [before, now] = [description.probe, probeOf(density)];
  if (alike(typeof before === "number" ? before : null, now)) return;
  throw refusal(
    `the log density where all unconstrained numbers are ${PROBE} is ${now ?? "not finite"}, but was ${before === null ? "not finite" : shown(before)} when the draws were made: priors, likelihood or data have changed`,
  );
}

const refusal = (message: string, cause?: unknown): DataError =>
  new DataError(WHERE, `${message}; give the model and the data from which they were drawn`, "DRAWS_MODEL", { cause });

const shapeOf = (draws: Draws, name: string): readonly number[] | undefined =>
  draws.quantities.find((quantity) => quantity.name === name)?.shape;

const sameShape = (a: readonly number[], b: readonly number[] | undefined): boolean =>
  b !== undefined && a.length === b.length && a.every((extent, axis) => extent === b[axis]);

const same = (a: Float64Array, b: Float64Array): boolean =>
  a.every((x, i) => Object.is(x, b[i]) || x === b[i] || Math.abs(x - b[i]) <= SAME * (1 + Math.abs(x)));

const objectOf = (value: Json | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
