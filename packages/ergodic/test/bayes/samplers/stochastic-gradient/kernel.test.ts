/**
 * The kernel in guarded memory in 1 to 17 dimensions equals its twin bit for bit and writes nothing outside its arrays.
 */
import { describe, expect, it } from "vitest";
import * as field from "../../../../src/bayes/fields.ts";
import { openEngine } from "../../../../src/engine/memory/engine.ts";
import { stream } from "../../../../src/engine/random/stream.ts";
import { Guarded } from "../../../engine/memory/guarded.ts";
import { StochasticTwin, type TwinOptions } from "../../../reference/stochastic-gradient.ts";
import { gaussian } from "../densities.ts";

const engine = await openEngine();
const noise = stream(5, "kernel", "noise");
/** Number of updates per transition. All begin at update FIRST. */
const COUNTS = [1, 3, 2];
const FIRST = 2;
const TOTAL = 6;
const steps = Float64Array.from({ length: TOTAL }, (_, i) => 0.05 / (i + 1));
const temperatures = Float64Array.of(1, 0, 1, 1, 0, 1);

const kinds: Record<TwinOptions["kind"], number> = {
  sgld: field.STOCHASTIC_LANGEVIN,
  psgld: field.STOCHASTIC_PRECONDITIONED,
  sghmc: field.STOCHASTIC_HAMILTONIAN,
  sgnht: field.STOCHASTIC_THERMOSTATTED,
};

/**
 * Runs the kernel. A centre that moves before every second update gives control variates for a density without rows,
 * whose terms cancel exactly.
 */
async function byKernel(kind: TwinOptions["kind"], d: number, from: Float64Array, centreEvery: number) {
  using memory = new Guarded(engine);
  const { arena } = memory;
  const density = await densityOf(d);
  const binding = density.bind({ lane: 0, purpose: "test" });
  const rooms = Array.from({ length: 5 }, () => memory.room("f64", d));
  const [gradient, drawn, centre, centreGradient, centreEstimate] = rooms;
  const position = memory.put("f64", from);
  const momentum = memory.put("f64", new Float64Array(d).fill(0.25));
  const block = arena.block(field.STOCHASTIC_BYTES, [
    [field.STOCHASTIC_SLOT, binding.slot],
    [field.STOCHASTIC_MODEL, binding.model],
    [field.STOCHASTIC_DIMENSION, d],
    [field.STOCHASTIC_CENTRE, centreEvery > 0 ? centre : 0],
    [field.STOCHASTIC_CENTRE_GRADIENT, centreGradient],
    [field.STOCHASTIC_CENTRE_ESTIMATE, centreEstimate],
    [field.STOCHASTIC_CENTRE_EVERY, centreEvery],
    [field.STOCHASTIC_FULL_SLOT, binding.slot],
    [field.STOCHASTIC_FULL_MODEL, binding.model],
    [field.STOCHASTIC_POSITION, position],
    [field.STOCHASTIC_MOMENTUM, momentum],
    [field.STOCHASTIC_GRADIENT, gradient],
    [field.STOCHASTIC_NOISE, drawn],
    [field.STOCHASTIC_NOISE_KEY_LOW, noise.key[0]],
    [field.STOCHASTIC_NOISE_KEY_HIGH, noise.key[1]],
    [field.STOCHASTIC_KIND, kinds[kind]],
    [field.STOCHASTIC_RESET_EVERY, 4],
  ]);
  arena.setF64(block, field.STOCHASTIC_FRICTION_F64, 0.3);
  arena.setF64(block, field.STOCHASTIC_NOISE_ESTIMATE_F64, 0.1);
  arena.setF64(block, field.STOCHASTIC_THERMOSTAT_F64, kind === "sgnht" ? 0.3 : 0);
  const draws = memory.room("f64", COUNTS.length * d);
  const transitions = memory.room("f64", COUNTS.length * 3);
  const plan = [memory.put("u32", COUNTS), COUNTS.length, FIRST, memory.put("f64", steps), memory.put("f64", temperatures)];
  const code = engine.kernel("stochasticGradientRun", true)(block, ...plan, draws, transitions);
  binding.dispose();
  for (const room of rooms) memory.read("f64", room, d);
  return {
    code,
    draws: memory.read("f64", draws, COUNTS.length * d),
    transitions: memory.read("f64", transitions, COUNTS.length * 3),
    position: memory.read("f64", position, d),
    momentum: memory.read("f64", momentum, d),
  };
}

const densityOf = (d: number) =>
  gaussian(
    engine,
    Array.from({ length: d }, (_, i) => i / 4),
    Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? 2 : Math.abs(i - j) === 1 ? 0.5 : 0))),
  );

describe.each(Object.keys(kinds) as TwinOptions["kind"][])("%s", (kind) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17])("equals its twin bit for bit in %i dimensions", async (d) => {
    const { plain } = await densityOf(d);
    const from = Float64Array.from({ length: d }, (_, i) => Math.sin(i));
    let value = Number.NaN;
    const twin = new StochasticTwin(from, {
      kind,
      friction: 0.3,
      noiseEstimate: 0.1,
      resetEvery: 4,
      noise,
      stepSize: (update) => steps[update - FIRST],
      temperature: (update) => temperatures[update - FIRST],
      gradient: (x) => {
        const g = new Float64Array(d);
        value = plain(x, g);
        return g;
      },
    });
    twin.v.fill(0.25);
    const [draws, transitions]: number[][] = [[], []];
    let update = FIRST;
    for (const count of COUNTS) {
      for (let i = 0; i < count; i++) twin.step(update++);
      draws.push(...twin.x);
      transitions.push(value, steps[update - 1 - FIRST], twin.alpha);
    }
    const found = await byKernel(kind, d, from, 0);
    expect(found).toEqual({ code: 0, draws, transitions, position: [...twin.x], momentum: [...twin.v] });
    expect((await byKernel(kind, d, from, 1)).draws).toEqual(draws);
    // Between moves of the centre, the terms cancel up to rounding.
    const moving = await byKernel(kind, d, from, 2);
    for (const [i, x] of moving.draws.entries()) expect(Math.abs(x - draws[i])).toBeLessThan(1e-12);
  });

  it("returns an error code if a coordinate is not finite", async () => {
    expect((await byKernel(kind, 3, Float64Array.of(1, Number.NaN, 2), 0)).code).toBe(1);
    expect((await byKernel(kind, 1, Float64Array.of(Infinity), 0)).code).toBe(1);
  });
});
