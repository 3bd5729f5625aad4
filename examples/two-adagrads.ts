/**
 * AdaGrad as textbooks write it keeps every past gradient; the running sum of squares is all that its step needs. Both walk through
 * the same points, bit for bit, while the textbook's memory grows with every update.
 *
 * Run: ergodic example two-adagrads
 */
import { fileURLToPath } from "node:url";
import { adagrad } from "ergodic";
import { hostRule, RuleRunner } from "ergodic/rules";

const COUNT = 100;

/** Least squares in disguise: Σ h_i (x_i − i/10)²/2 with curvatures from 1 to 100. */
function objective(x: Float64Array, gradient: Float64Array | null): number {
  let f = 0;
  for (let i = 0; i < COUNT; i++) {
    const d = x[i] - i / 10;
    f += 0.5 * (i + 1) * d * d;
    if (gradient) gradient[i] = (i + 1) * d;
  }
  return f;
}

/** p_i ← p_i − η g_{T,i} / (√(Σ_{t ≤ T} g_{t,i}²) + ε), where every gradient g_t is kept. Sums begin with the oldest gradient, as adagrad()'s does. */
const textbookAdagrad = hostRule(
  "textbookAdagrad",
  { rate: 0.01, epsilon: 1e-10 },
  ({ rate, epsilon }, f, count) => {
    const history: Float64Array[] = [];
    return {
      get stateBytes() {
        return history.length * count * 8;
      },
      snapshot: () => ({ numbers: {}, arrays: { history: history.map((g) => g.slice()) } }),
      restore: ({ arrays }) => void history.splice(0, history.length, ...arrays.history),
      step(x) {
        const gradient = new Float64Array(count);
        const loss = f(x, gradient);
        history.push(gradient);
        for (let i = 0; i < count; i++) {
          let sum = 0;
          for (const past of history) sum += past[i] * past[i];
          x[i] -= (Number(rate) * gradient[i]) / (Math.sqrt(sum) + Number(epsilon));
        }
        return { loss, lossBefore: true, stepSize: Number(rate), evaluations: 1, stopped: null };
      },
    };
  },
  {
    summary: "AdaGrad with every past gradient kept",
    source: "Duchi, Hazan, Singer 2011",
    needs: () => "it keeps one gradient per step",
    cost: () => ({ floatsPerParameter: null, perStep: "one gradient" }),
  },
);

export interface Comparison {
  update: number;
  /** Coordinates that differ in any bit. */
  differing: number;
  runningBytes: number;
  historyBytes: number;
}

export async function main(print: (line: string) => void = console.log): Promise<Comparison[]> {
  const running = await RuleRunner.open(adagrad({ rate: 0.5 }), { count: COUNT });
  const x = new Float64Array(COUNT);
  const textbook = textbookAdagrad({ rate: 0.5 }).start(objective, COUNT);
  const gradient = new Float64Array(COUNT);
  const rows: Comparison[] = [];
  print("updates   coordinates that differ   bytes, running sum   bytes, history");
  for (let update = 1; update <= 1000; update++) {
    textbook.step(x);
    const loss = objective(Float64Array.from(running.parameters()), gradient);
    running.gradient().set(gradient);
    running.step(loss);
    if (![1, 10, 100, 1000].includes(update)) continue;
    const ours = running.parameters();
    const differing = x.filter((v, i) => !Object.is(v, ours[i])).length;
    rows.push({ update, differing, runningBytes: running.stateBytes, historyBytes: textbook.stateBytes });
    const { runningBytes, historyBytes } = rows[rows.length - 1];
    print(
      `${String(update).padStart(7)}${String(differing).padStart(26)}${String(runningBytes).padStart(21)}${String(historyBytes).padStart(17)}`,
    );
  }
  running.dispose();
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
