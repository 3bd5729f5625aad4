import type { Beginning, SavedModel } from "../../../engine/contract/index.ts";
import type { Ratings } from "../../../engine/data/ratings.ts";
import { OptionError } from "../../../engine/errors/errors.ts";
import { FROM, tensorOf } from "../beginning.ts";
import type { FactorisationSettings } from "./settings.ts";

/**
 * Copies the factors of a trained model into `all` (problem.ts), matching users and items by name. Unknown users and
 * items keep their own initial factors.
 */
export function beginAt(
  { numbers, description, reset }: Beginning,
  all: Float64Array,
  { users, items }: Ratings,
  { rank, biases }: FactorisationSettings,
): void {
  if (reset.length > 0)
    throw new OptionError(FROM, "reset names parts of networks, but a factorisation has none; leave it out", "OPTION_CONFLICT");
  if (!numbers) return;
  if (!description || "vector" in numbers)
    throw new OptionError(
      FROM,
      "from is a list of numbers, but factors belong to named users and items; give the trained model or its file",
      "OPTION_TYPE",
    );
  const width = rank + (biases ? 1 : 0);
  let at = 0;
  for (const [side, own] of [
    ["user", users],
    ["item", items],
  ] as const) {
    const known = new Map<unknown, number>((description[`${side}s`] as string[]).map((name, row) => [name, row]));
    const { factors, bias } = rowsOf(numbers.tensors, side, known.size, rank);
    for (const name of own.names) {
      const row = known.get(name);
      if (row !== undefined) {
        for (let k = 0; k < rank; k++) all[at + k] = factors[row * rank + k];
        if (biases) all[at + rank] = bias?.[row] ?? 0;
      }
      at += width;
    }
  }
}

function rowsOf(tensors: SavedModel["tensors"], side: "user" | "item", count: number, rank: number) {
  return {
    factors: tensorOf(tensors, `${side}s`, count * rank) ?? new Float64Array(count * rank),
    bias: tensorOf(tensors, `${side}Biases`, count),
  };
}
