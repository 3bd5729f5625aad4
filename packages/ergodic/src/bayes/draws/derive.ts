/** New quantities computed from the values of each draw. */
import { isList, refuse, refusedName } from "../../engine/errors/checks.ts";
import { OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { DrawsContent, DrawsQuantity } from "./content.ts";
import { scalarName, sizeOf } from "./series.ts";
import { unknownName } from "./unknown-name.ts";

/**
 * Value of one draw: a number, or the numbers of an array, row-major. TypeScript cannot infer whether a value is a
 * number or an array, so this type is assignable to both.
 */
export type DrawValue = number & Float64Array;

/** Allowed result of a derivation: a number, a list, or a list of rows. */
export type Derived = number | boolean | ArrayLike<number> | readonly Derived[];

const WHERE = "draws.derive";

/** Returns the content with one additional quantity. */
export function withDerived(
  content: DrawsContent,
  name: string,
  f: (values: Readonly<Record<string, DrawValue>>) => Derived,
): DrawsContent {
  const { chains, count, quantities } = content;
  checkName(name, content);
  if (typeof f !== "function") refuse(WHERE, "f", f, "a function of a draw's values", "({ mu, tau }) => mu / tau");
  const draw = new DrawValues(content);
  let shape: number[] | undefined;
  let values = new Float64Array(0);
  for (let k = 0; k < chains * count; k++) {
    const made: unknown = f(draw.at(k));
    const place = `draw ${(k % count) + 1} of chain ${Math.floor(k / count) + 1}`;
    const own = shapeOf(made);
    if (shape === undefined) {
      shape = own;
      values = new Float64Array(chains * count * sizeOf(own));
    }
    if (own.join() !== shape.join())
      throw new OptionError(
        WHERE,
        `"${name}" has shape [${own.join(", ")}] at ${place}, but [${shape.join(", ")}] at the first draw; return the same shape for every draw`,
        "OPTION_SHAPE",
      );
    const size = sizeOf(shape);
    fill(made, shape, 0, k * size, values, (what) =>
      refuse(WHERE, `"${name}" at ${place}`, what, "a number, or nested lists of numbers of equal lengths", "mu / tau"),
    );
  }
  const quantity = { name, shape: shape!, kind: "transformed" as const };
  return { ...content, quantities: [...quantities, quantity], values: { ...content.values, [name]: values } };
}

function checkName(name: string, { quantities }: DrawsContent): void {
  if (typeof name !== "string" || name === "") refuse(WHERE, "name", name, "a text", 'derive("ratio", …)');
  const isNumberOf = ({ name: own, shape }: DrawsQuantity): boolean =>
    shape.length > 0 && [...Array(sizeOf(shape)).keys()].some((k) => scalarName(own, shape, k) === name);
  const refused = refusedName(name);
  if (refused) throw new OptionError(WHERE, refused, "OPTION_RANGE");
  if (quantities.some((quantity) => quantity.name === name || isNumberOf(quantity)))
    throw new OptionError(WHERE, `there is ${shown(name)} already; give the new quantity another name`, "OPTION_CONFLICT");
}

/** Values of the current draw by name. An unknown name throws, because undefined would silently become NaN. */
class DrawValues {
  readonly #content: DrawsContent;
  readonly #sizes: ReadonlyMap<string, number | undefined>;
  #k = 0;
  readonly #values: Readonly<Record<string, DrawValue>>;

  constructor(content: DrawsContent) {
    this.#content = content;
    // Undefined marks a single number, as opposed to a list of length 1.
    this.#sizes = new Map(content.quantities.map(({ name, shape }) => [name, shape.length === 0 ? undefined : sizeOf(shape)]));
    const get = (_: object, name: string | symbol): unknown => (typeof name === "string" ? this.#value(name) : undefined);
    this.#values = new Proxy(
      {},
      {
        get,
        has: (_, name) => this.#sizes.has(String(name)),
        ownKeys: () => [...this.#sizes.keys()],
        getOwnPropertyDescriptor: (_, name) => ({ value: get({}, name), enumerable: true, configurable: true }),
      },
    );
  }

  at(k: number): Readonly<Record<string, DrawValue>> {
    this.#k = k;
    return this.#values;
  }

  #value(name: string): number | Float64Array {
    if (!this.#sizes.has(name)) throw unknownName(WHERE, name, [...this.#sizes.keys()]);
    const size = this.#sizes.get(name);
    const values = this.#content.values[name];
    // `f` gets a copy, so that it cannot modify the draws.
    return size === undefined ? values[this.#k] : values.slice(this.#k * size, (this.#k + 1) * size);
  }
}

function shapeOf(value: unknown): number[] {
  return isList(value) ? [value.length, ...(value.length > 0 ? shapeOf(value[0]) : [])] : [];
}

function fill(
  value: unknown,
  shape: readonly number[],
  axis: number,
  at: number,
  out: Float64Array,
  wrong: (what: unknown) => never,
): void {
  if (axis === shape.length) {
    if (typeof value !== "number" && typeof value !== "boolean") wrong(value);
    out[at] = Number(value);
    return;
  }
  if (!isList(value) || value.length !== shape[axis]) wrong(value);
  const size = sizeOf(shape.slice(axis + 1));
  for (let i = 0; i < shape[axis]; i++) fill((value as ArrayLike<unknown>)[i], shape, axis + 1, at + i * size, out, wrong);
}
