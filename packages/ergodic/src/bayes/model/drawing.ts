import type { Draws } from "../../engine/random/stream.ts";
import type { TracedDraw } from "./context.ts";
import type { PlacedModel, PointFunction } from "./placed.ts";

/**
 * Draws from several distributions at a point. One compiled program computes the parameters of all distributions, and
 * plain JavaScript code draws the values.
 */
export interface Drawing {
  readonly name: string;
  readonly values: Float64Array;
}

export class Drawer {
  private readonly drawn: readonly TracedDraw[];
  private readonly placed: PlacedModel;
  private readonly purpose: string;
  private made: { parameters: PointFunction; draws: ((from: Float64Array, draws: Draws) => Float64Array)[] } | undefined;

  constructor(placed: PlacedModel, purpose: string, drawn: readonly TracedDraw[]) {
    this.placed = placed;
    this.purpose = purpose;
    this.drawn = drawn;
  }

  /** Draws once from each distribution at u. The draws are made in order from the same stream. */
  at(u: Float64Array, draws: Draws): Drawing[] {
    this.made ??= this.make();
    const { parameters, draws: each } = this.made;
    const numbers = parameters.at(u);
    return this.drawn.map(({ name }, i) => ({ name, values: each[i](numbers, draws) }));
  }

  private make() {
    const samplers = this.drawn.map(({ distribution, batch }) => distribution.sampler(batch));
    const parameters = this.placed.pointFunction(
      this.purpose,
      samplers.flatMap(({ arrays }) => arrays),
    );
    let offset = 0;
    const draws = samplers.map(({ arrays, draw }) => {
      const places = arrays.map(({ size }) => {
        offset += size;
        return [offset - size, offset] as const;
      });
      return (numbers: Float64Array, from: Draws) =>
        draw(
          from,
          places.map(([low, high]) => numbers.subarray(low, high)),
        );
    });
    return { parameters, draws };
  }
}
