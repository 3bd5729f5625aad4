import type { LogDensity, ParameterPlace, Snapshot } from "../../../engine/contract/index.ts";
import { DataError, OptionError } from "../../../engine/errors/errors.ts";
import { type Draws, type Stream, stream } from "../../../engine/random/stream.ts";
import { type BlockContext, type BlockRun, type BlockUpdate, placesOf } from "./block.ts";

/** Values of one parameter: a number, or all elements of an array, row-major. */
export type BlockValues = number | ArrayLike<number>;
/** Values of every parameter by name, on its constrained scale, row-major. */
export type Values = Readonly<Record<string, Float64Array>>;
/**
 * Function that draws a block's new values given all current values: (values, draws) => numbers, or { name: numbers }
 * for several parameters. All randomness must come from `draws`.
 */
export type Conditional = (values: Values, draws: Draws) => BlockValues | Readonly<Record<string, BlockValues>>;

/**
 * Updates a block by a user-defined function: (values, draws) => new values. The function draws the new values from the
 * conditional of the block given all other values.
 *
 * values: every parameter by name, on its constrained scale and in row-major order; { x: u } for a density without
 * names. draws: random numbers of this chain and sweep.
 *
 * The function returns the block's values: numbers for a block of one parameter, { name: numbers } for several. All
 * other parameters keep their values. If a transform or a non-centred form depends on the block, the unconstrained
 * numbers of these parameters change accordingly. The update runs on the calling thread.
 *
 * Leaves the target invariant if the function leaves the conditional invariant on the constrained scale (without a
 * Jacobian).
 *
 * @throws OptionError for values that violate a constraint or have the wrong length; DataError for missing or
 *   non-finite values
 */
export function conditional(draw: Conditional): BlockUpdate {
  return {
    update: "conditional",
    toJSON: () => ({ update: "conditional" }),
    open: (context) => new ConditionalBlock(context, draw),
  };
}

class ConditionalBlock implements BlockRun {
  private readonly context: BlockContext;
  private readonly draw: Conditional;
  private readonly names: readonly string[];
  private readonly streams: readonly Stream[];

  constructor(context: BlockContext, draw: Conditional) {
    const { density, names, chains, seed } = context;
    this.context = context;
    this.draw = draw;
    this.names = names;
    const known = placesOf(density).map(({ name }) => name);
    const unknown = names.find((name) => !known.includes(name));
    if (unknown !== undefined)
      throw new OptionError(
        "gibbs",
        `a conditional is for coordinate ${unknown}, but must be for whole parameters; name one of ${known.join(", ")}`,
        "OPTION_MEANING",
      );
    this.streams = chains.map((_, c) => stream(seed, "chain", c, "conditional"));
  }

  async update(sweep: number): Promise<boolean> {
    const { chains, density } = this.context;
    chains.forEach(({ position }, c) => {
      const values = valuesAt(density, position);
      const given = this.draw(values, this.streams[c].at(sweep));
      position.set(moved(density, position, values, this.named(given)));
    });
    return false;
  }

  report(): Record<string, number> {
    return {};
  }

  snapshot(): Snapshot {
    return { tensors: {}, state: {} };
  }

  restore(): void {}

  dispose(): void {}

  /** Returns the new values of each parameter of the block. */
  private named(given: ReturnType<Conditional>): Record<string, Float64Array> {
    const [first, ...others] = this.names;
    const isPlain = typeof given === "number" || typeof (given as ArrayLike<number>).length === "number";
    const byName = (isPlain && others.length === 0 ? { [first]: given } : given) as Record<string, BlockValues>;
    const made = this.names.map((name) => {
      const values = byName[name];
      const numbers = values === undefined ? [] : typeof values === "number" ? [values] : Array.from(values);
      if (numbers.length > 0 && numbers.every(Number.isFinite)) return [name, Float64Array.from(numbers)];
      throw new DataError(
        "gibbs",
        `the conditional of ${this.names.join(", ")} returned ${numbers.length > 0 ? `${numbers.find((x) => !Number.isFinite(x))} for` : "nothing for"} "${name}"; return finite numbers for each parameter of its block`,
        "SAMPLE_CONDITIONAL",
      );
    });
    return Object.fromEntries(made);
  }
}

function valuesAt(density: LogDensity, u: Float64Array): Record<string, Float64Array> {
  if (density.constrain) return density.constrain(u);
  return Object.fromEntries(placesOf(density).map(({ name, offset, size }) => [name, u.slice(offset, offset + size)]));
}

/** Returns u with the block's new values, and the current values of all other parameters. */
function moved(density: LogDensity, u: Float64Array, before: Values, block: Values): Float64Array {
  const places = placesOf(density);
  const made = u.slice();
  if (!density.unconstrain || !density.constrain) {
    for (const { name, offset, size } of places) {
      const values = block[name];
      if (!values) continue;
      if (values.length !== size)
        throw new OptionError("gibbs", `"${name}" got ${values.length} numbers, but has ${size}`, "OPTION_LENGTH");
      made.set(values, offset);
    }
    return made;
  }
  const whole = density.unconstrain({ ...before, ...block });
  const take = ({ offset, size }: ParameterPlace) => made.set(whole.subarray(offset, offset + size), offset);
  for (const place of places) if (block[place.name]) take(place);
  // Only numbers that depend on the block are recomputed, so that all others stay bitwise identical.
  const after = density.constrain(made);
  for (const place of places) {
    const own = before[place.name];
    if (!block[place.name] && !after[place.name].every((value, i) => Object.is(value, own[i]))) take(place);
  }
  return made;
}
