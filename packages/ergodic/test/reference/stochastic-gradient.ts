/**
 * Plain twin of kernels/bayes/stochastic-gradient.ts, in its order of operations: the same bits for a gradient with the
 * same bits. `mutant` plants a known mistake for tests that must detect it.
 */
import type { Stream } from "../../src/engine/random/stream.ts";

export type Mutant = "half noise" | "no noise estimate" | "fixed friction" | "forgotten preconditioner";

export interface TwinOptions {
  kind: "sgld" | "psgld" | "sghmc" | "sgnht";
  /** FRICTION and NOISE_ESTIMATE of the block. */
  friction: number;
  noiseEstimate: number;
  resetEvery: number;
  noise: Stream;
  /** g at x in that update. */
  gradient(x: Float64Array, update: number): Float64Array;
  stepSize(update: number): number;
  temperature(update: number): number;
  mutant?: Mutant;
}

export class StochasticTwin {
  readonly x: Float64Array;
  /** v or V. */
  readonly v: Float64Array;
  alpha: number;
  private readonly options: TwinOptions;

  constructor(start: Float64Array, options: TwinOptions) {
    this.x = start.slice();
    this.v = new Float64Array(start.length);
    this.alpha = options.kind === "sgnht" ? options.friction : 0;
    this.options = options;
  }

  step(update: number): void {
    const { kind, resetEvery, gradient, noise, mutant } = this.options;
    const { x, v } = this;
    const d = x.length;
    const h = this.options.stepSize(update);
    const temperature = this.options.temperature(update);
    const moves = kind === "sghmc" || kind === "sgnht";
    if (moves && (update === 0 || (resetEvery > 0 && update % resetEvery === 0))) {
      const fresh = noise.at(2 * update + 1);
      for (let i = 0; i < d; i++) v[i] = Math.sqrt(h) * fresh.normal();
    }
    const drift = (): void => {
      for (let i = 0; i < d; i++) x[i] += v[i];
    };
    if (kind === "sghmc") drift();
    const g = gradient(x, update);
    const draws = noise.at(2 * update);
    const z = Float64Array.from({ length: d }, () => draws.normal());
    if (kind === "sgld") this.langevin(g, z, h, temperature);
    else if (kind === "psgld") this.preconditioned(g, z, h, temperature);
    else this.push(g, z, h, temperature);
    if (kind !== "sgnht") return;
    drift();
    if (mutant === "fixed friction") return;
    const squares = v.reduce((sum, value) => sum + value * value, 0);
    this.alpha += squares / d - h;
  }

  private langevin(g: Float64Array, z: Float64Array, h: number, temperature: number): void {
    const spread = temperature * Math.sqrt((this.options.mutant === "half noise" ? 1 : 2) * h);
    for (let i = 0; i < g.length; i++) this.x[i] += h * g[i] + spread * z[i];
  }

  private preconditioned(g: Float64Array, z: Float64Array, h: number, temperature: number): void {
    const { friction: past, noiseEstimate: least, mutant } = this.options;
    for (let i = 0; i < g.length; i++) {
      this.v[i] = past * this.v[i] + (1 - past) * (g[i] * g[i]);
      const scale = 1 / (least + Math.sqrt(this.v[i]));
      const spread = Math.sqrt(2 * (h * (mutant === "forgotten preconditioner" ? 1 : scale)));
      this.x[i] += h * scale * g[i] + temperature * spread * z[i];
    }
  }

  private push(g: Float64Array, z: Float64Array, h: number, temperature: number): void {
    const { kind, friction: a, noiseEstimate, mutant } = this.options;
    const b = kind === "sghmc" && mutant !== "no noise estimate" ? noiseEstimate : 0;
    const friction = kind === "sgnht" ? this.alpha : a;
    const spread = temperature * Math.sqrt(2 * (a - b) * h);
    for (let i = 0; i < g.length; i++) this.v[i] += h * g[i] - friction * this.v[i] + spread * z[i];
  }
}
