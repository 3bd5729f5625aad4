import type { DiscretePlace, LogDensity, Snapshot } from "../../../engine/contract/index.ts";
import { CapabilityError, checkKeys, checkNumber } from "../../../engine/errors/errors.ts";
import { KeptPart } from "../../../engine/loop/kept-part.ts";
import { Arena } from "../../../engine/memory/arena.ts";
import { stream } from "../../../engine/random/stream.ts";
import * as field from "../../fields.ts";
import type { BlockContext, BlockRun, BlockUpdate } from "./block.ts";

/** Options of `enumerate`. */
export interface EnumerateOptions {
  /**
   * Largest number of values to enumerate. Integers with more values move by slice sampling. Default 256; a whole
   * number, 0 to 2²⁴.
   */
  most?: number;
}

/**
 * Updates integers one by one, each by a draw from its conditional p(z_i = k | all else) ∝ exp ℓ(…, z_i = k, …). ℓ is
 * evaluated at every value.
 *
 * At most `most` values are enumerated. An integer with more values, or without bounds, moves by slice sampling of its
 * conditional (Neal 2003). The cells of the slice sampler are twice as wide as the integer's mean move in warm-up.
 *
 * The update leaves the target invariant. It costs n − 1 evaluations per integer with n values. If the integers can be
 * summed out, use marginalise() instead, which mixes faster.
 *
 * Source: Geman & Geman 1984. Differs from other implementations: the integers are visited in order, not at random.
 *
 * @throws OptionError; CapabilityError for a parameter that is not discrete
 */
export function enumerate(options: EnumerateOptions = {}): BlockUpdate {
  checkKeys("enumerate", options, ["most"]);
  const { most = 256 } = options;
  checkNumber("enumerate", "most", most, { low: 0, high: 2 ** 24, integer: true });
  return {
    update: "enumerate",
    toJSON: () => ({ update: "enumerate", most }),
    open: (context) => new EnumeratedBlock(context, most),
  };
}

class EnumeratedBlock implements BlockRun {
  private readonly context: BlockContext;
  private readonly lanes: readonly { arena: Arena; block: number; widths: number; moves: number }[];

  constructor(context: BlockContext, most: number) {
    this.context = context;
    const sites = Array.from(context.coordinates, (i) => siteOf(context.density, i, context.names));
    this.lanes = context.chains.map((_, c) => this.lane(c, sites, most));
  }

  async update(sweep: number, adapt: boolean): Promise<boolean> {
    const { chains, run } = this.context;
    const calls = this.lanes.map(({ block }) => ({ kernel: "gibbsDiscrete", args: [block, sweep, adapt ? 1 : 0] }));
    const values = await run(calls);
    chains.forEach((chain, c) => {
      chain.logDensity = values[c];
    });
    return true;
  }

  report(): Record<string, number> {
    return {};
  }

  snapshot(): Snapshot {
    const tensors: Snapshot["tensors"] = {};
    this.lanes.forEach((_, c) => {
      const { widths, moves } = this.views(c);
      tensors[`widths.${c}`] = widths.slice();
      tensors[`moves.${c}`] = moves.slice();
    });
    return { tensors, state: {} };
  }

  restore(snapshot: Snapshot): void {
    const kept = new KeptPart("the enumerated block", snapshot);
    this.lanes.forEach((_, c) => {
      const { widths, moves } = this.views(c);
      kept.into(widths, `widths.${c}`);
      kept.into(moves, `moves.${c}`);
    });
  }

  dispose(): void {
    for (const { arena } of this.lanes) arena.dispose();
  }

  private views(c: number): { widths: Float64Array; moves: Float64Array } {
    const { memory } = this.context.engine;
    const { widths, moves } = this.lanes[c];
    const count = this.context.coordinates.length;
    return { widths: memory.f64(widths, count), moves: memory.f64(moves, count) };
  }

  private lane(c: number, sites: readonly DiscretePlace[], most: number) {
    const { coordinates, chains, seed, engine } = this.context;
    const count = coordinates.length;
    const { binding, point, gradientRoom } = chains[c];
    const { key } = stream(seed, "chain", c, "discrete");
    const arena = new Arena(engine.memory, `chain ${c}, integers`);
    const words = (values: ArrayLike<number>) => {
      const at = arena.take(4 * count);
      engine.memory.u32(at, count).set(values);
      return at;
    };
    const numbers = (values: (site: DiscretePlace) => number) => arena.copy(Float64Array.from(sites, values));
    const supports = sites.map(({ low, high }) => (high - low < most ? high - low + 1 : 0));
    const [widths, moves] = [numbers(() => FIRST_WIDTH), numbers(() => 0)];
    const block = arena.block(field.DISCRETE_BYTES, [
      [field.DISCRETE_SLOT, binding.slot],
      [field.DISCRETE_MODEL, binding.model],
      [field.DISCRETE_POINT, point],
      [field.DISCRETE_GRADIENT, gradientRoom],
      [field.DISCRETE_COUNT, count],
      [field.DISCRETE_COORDINATES, words(coordinates)],
      [field.DISCRETE_SUPPORT, words(supports)],
      [field.DISCRETE_LOW, numbers(({ low }) => low)],
      [field.DISCRETE_HIGH, numbers(({ high }) => high)],
      [field.DISCRETE_WIDTH, widths],
      [field.DISCRETE_MOVES, moves],
      [field.DISCRETE_VALUES, arena.take(8 * supports.reduce((a, b) => Math.max(a, b), 1))],
      [field.DISCRETE_KEY_LOW, key[0]],
      [field.DISCRETE_KEY_HIGH, key[1]],
    ]);
    return { arena, block, widths, moves };
  }
}

/** Slice width for the first transitions, while the mean move is still unknown. */
const FIRST_WIDTH = 4;

function siteOf(density: LogDensity, i: number, names: readonly string[]): DiscretePlace {
  const site = (density.discrete ?? []).find(({ offset, size }) => i >= offset && i < offset + size);
  if (site) return site;
  throw new CapabilityError(
    "enumerate",
    `the block of ${names.join(", ")} holds numbers that are not integers; use a sampler for them, such as nuts()`,
    "SAMPLE_DISCRETE",
  );
}
