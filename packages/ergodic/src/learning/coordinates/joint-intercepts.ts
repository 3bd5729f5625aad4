/**
 * Quasi-Newton steps for several intercepts of a shared loss: −H⁻¹ g, with H⁻¹ by limited memory (Nocedal, Wright 2006,
 * 7.2).
 *
 * g: slopes. D: curvatures along each intercept alone. The initial diagonal is H₀⁻¹ = (K − 1)/K D⁻¹, which is exact, up
 * to a common shift, for a softmax with identical rows. D ignores interactions between outputs. The interactions are
 * learned from the last MEMORY steps. A step takes one evaluation of the loss, regardless of the number of outputs.
 */
const MEMORY = 12;

export class JointIntercepts {
  private readonly steps: Float64Array[] = [];
  private readonly changes: Float64Array[] = [];
  private readonly sharesShift: boolean;

  /**
   * `sharesShift`: whether a common shift of all intercepts leaves the loss unchanged. The shift is then removed from
   * each step, because rounding errors would make it arbitrarily large.
   */
  constructor(sharesShift = false) {
    this.sharesShift = sharesShift;
  }

  /** Records a step and the change in the slopes that it caused. */
  learn(step: Float64Array, change: Float64Array): void {
    // A step without positive curvature gives no information.
    if (!(dot(step, change) > 0)) return;
    this.steps.push(step);
    this.changes.push(change);
    if (this.steps.length <= MEMORY) return;
    this.steps.shift();
    this.changes.shift();
  }

  direction(slopes: Float64Array, curvatures: Float64Array): Float64Array {
    const { steps, changes } = this;
    const q = slopes.map((g) => -g);
    const weights = new Float64Array(steps.length);
    for (let i = steps.length - 1; i >= 0; i--) {
      weights[i] = dot(steps[i], q) / dot(steps[i], changes[i]);
      add(q, -weights[i], changes[i]);
    }
    const share = (slopes.length - 1) / slopes.length;
    for (let k = 0; k < q.length; k++) q[k] *= share / curvatures[k];
    for (let i = 0; i < steps.length; i++) add(q, weights[i] - dot(changes[i], q) / dot(steps[i], changes[i]), steps[i]);
    const shift = this.sharesShift ? q.reduce((a, b) => a + b, 0) / q.length : 0;
    return q.map((x) => x - shift);
  }
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

function add(to: Float64Array, factor: number, what: Float64Array): void {
  for (let k = 0; k < to.length; k++) to[k] += factor * what[k];
}
