/**
 * AdaGrad as textbooks write it keeps every past gradient; the running sum of squares is all that its step needs. Both walk through
 * the same points, bit for bit, while the textbook's memory grows with every update.
 *
 * Run: node examples/two-adagrads.ts   (Node 22.18 or later)
 */
import { fileURLToPath } from "node:url";
import { adagrad, RuleRunner } from "ergodic";
import { adagradHistory } from "ergodic/rules";

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
  const textbook = adagradHistory({ rate: 0.5 }).start(objective, COUNT);
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
