/**
 * Plain twins of step rules that PyTorch lacks, with the papers' own formulas and variables, one coordinate at a time.
 * Each accepts a starting point and returns an object whose `update` makes one update from (gradient, loss,
 * epochUpdates).
 */
export interface Twin {
  /** Point at which the next gradient is needed. */
  at: number[];
  /** Point to evaluate. */
  point(): number[];
  update(g: number[], loss: number, epochUpdates: number): void;
}

const squaredNorm = (g: number[]): number => g.reduce((sum, v) => sum + v * v, 0);

function descent(start: number[], rate: (g: number[], loss: number, epochUpdates: number) => number): Twin {
  const at = [...start];
  return {
    at,
    point: () => at,
    update(g, loss, epochUpdates) {
      const eta = rate(g, loss, epochUpdates);
      for (let i = 0; i < at.length; i++) at[i] -= eta * g[i];
    },
  };
}

/** Chen et al. 2023, algorithm 2. */
export function lionTwin(start: number[], o: { eta: number; beta1: number; beta2: number; lambda: number }): Twin {
  const theta = [...start];
  const m = start.map(() => 0);
  return {
    at: theta,
    point: () => theta,
    update(g) {
      for (let i = 0; i < theta.length; i++) {
        const c = o.beta1 * m[i] + (1 - o.beta1) * g[i];
        theta[i] -= o.eta * (Math.sign(c) + o.lambda * theta[i]);
        m[i] = o.beta2 * m[i] + (1 - o.beta2) * g[i];
      }
    },
  };
}

/**
 * Defazio et al. 2024, equations 3 to 5, with all three sequences stored. `squares` enables Adam's denominator. Weights
 * use the highest rate so far.
 */
export function scheduleFreeTwin(
  start: number[],
  o: { gamma: number | ((t: number) => number); beta: number; lambda?: number; squares?: { beta2: number; epsilon: number } },
): Twin {
  const [x, y, z] = [[...start], [...start], [...start]];
  const v = start.map(() => 0);
  let t = 0;
  let weights = 0;
  let highest = 0;
  return {
    at: y,
    point: () => x,
    update(g) {
      t++;
      const gamma = typeof o.gamma === "number" ? o.gamma : o.gamma(t);
      highest = Math.max(highest, gamma);
      weights += highest ** 2;
      const c = highest ** 2 / weights;
      for (let i = 0; i < y.length; i++) {
        let u = g[i];
        if (o.squares) {
          v[i] = o.squares.beta2 * v[i] + (1 - o.squares.beta2) * g[i] ** 2;
          u = g[i] / (Math.sqrt(v[i] / (1 - o.squares.beta2 ** t)) + o.squares.epsilon);
        }
        z[i] -= gamma * (u + (o.lambda ?? 0) * y[i]);
        x[i] = (1 - c) * x[i] + c * z[i];
        y[i] = (1 - o.beta) * z[i] + o.beta * x[i];
      }
    },
  };
}

/** Mishchenko, Defazio 2024, algorithm 4. */
export function prodigyTwin(
  start: number[],
  o: { gamma: number; beta1: number; beta2: number; epsilon: number; d0: number },
): Twin {
  const x = [...start];
  const [m, v, s] = [start.map(() => 0), start.map(() => 0), start.map(() => 0)];
  let d = o.d0;
  let r = 0;
  return {
    at: x,
    point: () => x,
    update(g) {
      const root = Math.sqrt(o.beta2);
      const inner = g.reduce((sum, v, i) => sum + v * (start[i] - x[i]), 0);
      r = root * r + (1 - root) * o.gamma * d ** 2 * inner;
      let norm = 0;
      for (let i = 0; i < x.length; i++) {
        m[i] = o.beta1 * m[i] + (1 - o.beta1) * d * g[i];
        v[i] = o.beta2 * v[i] + (1 - o.beta2) * d ** 2 * g[i] ** 2;
        s[i] = root * s[i] + (1 - root) * o.gamma * d ** 2 * g[i];
        norm += Math.abs(s[i]);
      }
      for (let i = 0; i < x.length; i++) x[i] -= (o.gamma * d * m[i]) / (Math.sqrt(v[i]) + d * o.epsilon);
      d = Math.max(d, r / norm);
    },
  };
}

/** Polyak 1969. */
export const polyakTwin = (start: number[], o: { optimum: number; maximum: number }): Twin =>
  descent(start, (g, loss) => Math.min(Math.max(loss - o.optimum, 0) / squaredNorm(g), o.maximum));

/**
 * A level δ below the best loss. δ grows when the best is δ/2 below the phase's record, and shrinks after `patience`
 * misses.
 */
export function polyakEstimatedTwin(start: number[], o: { gap: number; grow: number; shrink: number; patience: number }): Twin {
  let [best, record, delta, missed] = [Infinity, Number.NaN, Number.NaN, 0];
  return descent(start, (g, loss) => {
    best = Math.min(best, loss);
    if (Number.isNaN(record)) {
      record = loss;
      delta = o.gap * Math.abs(loss);
    } else if (best <= record - delta / 2 || ++missed >= o.patience) {
      delta *= best <= record - delta / 2 ? o.grow : o.shrink;
      record = best;
      missed = 0;
    }
    return (loss - (best - delta)) / squaredNorm(g);
  });
}

/** Loizou et al. 2021, with the smoothing of their experiments. */
export function spsMaxTwin(start: number[], o: { optimum: number; c: number; maximum: number }): Twin {
  let gamma = o.maximum;
  let first = true;
  return descent(start, (g, loss, epochUpdates) => {
    const cap = first ? gamma : gamma * 2 ** (1 / epochUpdates);
    first = false;
    const eta = Math.min(Math.max(loss - o.optimum, 0) / (o.c * squaredNorm(g)), cap);
    if (eta > 0) gamma = eta;
    return eta;
  });
}

/** Berrada et al. 2020. */
export const aliGTwin = (start: number[], o: { maximum: number }): Twin =>
  descent(start, (g, loss) => Math.min(loss / (squaredNorm(g) + 1e-5), o.maximum));
