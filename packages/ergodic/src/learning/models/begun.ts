import type { Beginning } from "../../engine/contract/index.ts";
import { DataError, OptionError } from "../../engine/errors/errors.ts";
import type { ArrayLayout } from "./array-problem.ts";
import { checkVector, FROM, tensorOf } from "./beginning.ts";

/**
 * Returns the initial parameters and states of a model that starts from a trained one. Parts in `reset`
 * take their values from `first`, whereas all other parts keep their trained values.
 */
export function begun(
  { numbers, reset }: Beginning,
  layout: Pick<ArrayLayout, "parameters" | "states">,
  first: Float64Array,
): Float64Array {
  const all = first.slice();
  const parts = [...layout.parameters, ...layout.states];
  const isReset = (path: string): boolean => reset.some((part) => path === part || path.startsWith(`${part}.`));
  for (const part of reset) {
    if (parts.some(({ path }) => path === part || path.startsWith(`${part}.`))) continue;
    throw new OptionError(
      FROM,
      `reset names "${part}", but the network has no such part; it has ${shownParts(parts)}`,
      "OPTION_UNKNOWN",
    );
  }
  const missing: string[] = [];
  const tensors = numbers && ("tensors" in numbers ? numbers.tensors : alongPaths(numbers.vector, parts));
  for (const { path, offset, size } of parts) {
    if (!tensors || isReset(path)) continue;
    const found = tensorOf(tensors, path, size);
    if (found) all.set(found, offset);
    else missing.push(path);
  }
  if (missing.length === 0) return all;
  throw new DataError(
    FROM,
    `the trained network has no numbers for ${shownParts(missing.map((path) => ({ path })))}: its file stores them combined with normalisation, or its layers differ; give the checkpoint of its run (await run.checkpoint()), or name the parts to initialise again: reset: ["${missing[0].split(".")[0]}"]`,
    "FROM_MODEL",
  );
}

/**
 * Splits a list of all numbers by path. The numbers are in the order of a problem's layout, but without its padding.
 */
function alongPaths(vector: Float64Array, parts: readonly (Named & { readonly size: number })[]): Record<string, Float64Array> {
  const count = parts.reduce((sum, { size }) => sum + size, 0);
  checkVector(vector, count, parts.map(({ path, size }) => `${size} of ${path}`).join(", "));
  let at = 0;
  return Object.fromEntries(parts.map(({ path, size }) => [path, vector.subarray(at, (at += size))]));
}

interface Named {
  readonly path: string;
}

const shownParts = (parts: readonly Named[]): string =>
  `${parts
    .slice(0, 6)
    .map(({ path }) => path)
    .join(", ")}${parts.length > 6 ? " …" : ""}`;
