/**
 * Accelerated coordinate descent (APPROX with one block per move): y = (1 − θ)x + θz; z_b moves by a proximal step of
 * 1/(nθL_b) along the partial derivative at y; x = y + nθ(z' − z); θ' = (√(θ⁴ + 4θ²) − θ²)/2, θ₀ = 1/n.
 *
 * n: number of blocks, picked uniformly with replacement. The state is stored as z and u, with y = θ²u + z before a
 * move and x = θ²u + z after it, so that a move changes one block of each: z_b by t, u_b by −(1 − nθ)/θ² t. In
 * expectation, F − F* = O(n²/k²) after k moves, compared with O(n/k) for plain moves.
 * Restarts (x becomes z, u = 0, θ = θ₀) make convergence linear if F is strongly convex. The modulus of strong
 * convexity need not be known. Restarts happen when the objective rises, and after 10, 20, 10, 40, 10, 20, 10, 80 …
 * epochs. The scheduled restarts are needed because averages can lag behind without oscillating, so that the objective
 * never rises.
 * Sources: Fercoq, Richtárik 2015 (algorithm 4, τ = 1); Lin, Lu, Xiao 2014; restarts O'Donoghue, Candès 2015; Fercoq,
 * Qu 2019.
 */
import type { Companion } from "../../contract/index.ts";

const FIRST_RESTART = 10;

export class Momentum {
  /** θ of the next move. */
  theta: number;
  /** θ² of the last move: x = z + scale u. */
  scale = 0;
  /** Number of scheduled restarts so far, and number of epochs since the last scheduled restart. */
  private restarts = 0;
  private epochs = 0;
  private readonly blocks: number;

  constructor(blocks: number) {
    this.blocks = blocks;
    this.theta = 1 / blocks;
  }

  move(companion: Companion, picked: Uint32Array): void {
    const [scales, steps, ratios] = [0, 1, 2].map(() => new Float64Array(picked.length));
    for (let k = 0; k < picked.length; k++) {
      const square = this.theta * this.theta;
      const share = this.blocks * this.theta;
      scales[k] = square;
      steps[k] = 1 / share;
      ratios[k] = -(1 - share) / square;
      this.scale = square;
      this.theta = (Math.sqrt(square * square + 4 * square) - square) / 2;
    }
    companion.move(picked, { scales, steps, ratios });
  }

  endEpoch(companion: Companion, rose: boolean): void {
    const count = this.restarts + 1;
    // `count & -count` is the largest power of two that divides the count.
    const due = ++this.epochs >= FIRST_RESTART * (count & -count);
    if (due) [this.restarts, this.epochs] = [count, 0];
    if (due || rose) this.restart(companion);
  }

  restart(companion: Companion): void {
    companion.merge(this.scale);
    this.theta = 1 / this.blocks;
    this.scale = 0;
  }

  /** Complete state, for snapshots. */
  get numbers(): number[] {
    return [this.theta, this.scale, this.restarts, this.epochs];
  }

  set numbers(numbers: number[]) {
    [this.theta, this.scale, this.restarts, this.epochs] = numbers;
  }
}
