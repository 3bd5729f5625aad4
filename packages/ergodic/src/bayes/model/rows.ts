/** Finds the data that have rows, which means that their first extent counts rows. Selects the data of some rows. */

import { arraysBelow, type Shape, type SymbolicArray, sizeOf } from "../../engine/compiler/index.ts";
import { type CapabilityError, OptionError } from "../../engine/errors/errors.ts";
import type { TracedModel } from "./context.ts";
import type { ModelData } from "./fields.ts";

/** Name of a field's input. */
export const inputOf = (field: string): string => `data ${field}`;

/** Names of the data fields that arrays depend on. */
export function fieldsBelow(roots: readonly SymbolicArray[]): string[] {
  const inputs = arraysBelow(roots).filter(({ op }) => op === "input");
  return inputs.map(({ attributes }) => String(attributes)).flatMap((key) => (key.startsWith("data ") ? [key.slice(5)] : []));
}

export class RowFields {
  /** Name of the size that counts rows. */
  readonly rows: string;
  readonly rowCount: number;
  /** Number of values per row of each field that has rows, in the order of the model's data. */
  readonly widths: ReadonlyMap<string, number>;
  /** Names of the inputs that have rows. */
  readonly keys: ReadonlySet<string>;
  readonly #model: TracedModel;

  /**
   * @throws the error that `refusal` returns for data that cannot be split into rows; OptionError for a name that is
   *   not a first extent
   */
  constructor(where: string, rows: string, model: TracedModel, refusal: (message: string) => CapabilityError) {
    this.rows = rows;
    this.#model = model;
    const widths = new Map<string, number>();
    let rowCount = 0;
    for (const [field, { extents, shape }] of model.fields) {
      if (extents.indexOf(rows, 1) > 0)
        throw refusal(`data "${field}" has the rows on axis ${extents.indexOf(rows, 1)}, but rows must be on the first axis`);
      if (extents[0] !== rows) continue;
      rowCount = shape[0];
      widths.set(field, sizeOf(shape.slice(1)));
    }
    if (widths.size === 0) {
      const firsts = [...model.fields.values()].flatMap(({ extents }) => (typeof extents[0] === "string" ? [extents[0]] : []));
      throw new OptionError(
        where,
        `rows is "${rows}", but no data have it as their first extent (there are: ${[...new Set(firsts)].join(", ") || "none"}); name the extent that counts independent rows`,
        "OPTION_UNKNOWN",
      );
    }
    this.rowCount = rowCount;
    this.widths = widths;
    this.keys = new Set([...widths.keys()].map(inputOf));
  }

  /** Returns the numbers of the listed rows of a field. */
  valuesOf(field: string, list: readonly number[]): Float64Array {
    const width = this.widths.get(field)!;
    const { values } = this.#model.fields.get(field)!;
    const some = new Float64Array(list.length * width);
    list.forEach((row, i) => {
      some.set(values.subarray(row * width, (row + 1) * width), i * width);
    });
    return some;
  }

  /** Returns the model's data with only the listed rows. */
  dataOf(list: readonly number[]): ModelData {
    const { fields, numbers } = this.#model;
    const stated = Object.hasOwn(numbers, this.rows) ? { [this.rows]: list.length } : {};
    const arrays = [...fields].flatMap(([name, { kind, shape, values }]) => {
      if (kind !== "array") return [];
      return [[name, this.widths.has(name) ? nested(this.valuesOf(name, list), shape) : nested(values, shape)] as const];
    });
    return { ...numbers, ...stated, ...Object.fromEntries(arrays) };
  }
}

type Nested = Float64Array | readonly Nested[];

/**
 * Converts row-major numbers to nested lists. The first extent is not needed, because it follows from the number of
 * values.
 */
function nested(values: Float64Array, [, ...inner]: Shape): Nested {
  if (inner.length === 0) return values;
  const size = sizeOf(inner);
  return Array.from({ length: values.length / size }, (_, i) => nested(values.subarray(i * size, (i + 1) * size), inner));
}
