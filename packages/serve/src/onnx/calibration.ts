/**
 * Writes calibrated probabilities as ONNX nodes. The steps are those of the library (ergodic/calibration), in float64.
 *
 * ℓ: log probabilities up to a constant, [rows, classes]: z for softmax, log σ(z) for one class against the rest.
 *   temperature   p = softmax(ℓ/T)
 *   isotonic      p_k = f_k(log odds of class k), scaled to sum to 1; equal if all are 0.
 *                 If two classes share one output, p₁ = f(z).
 *
 * If z is NaN, temperature makes all classes equal, and isotonic gives NaN, as in the library.
 */
import type { Graph } from "./graph.ts";

/** A non-decreasing function, linear between its points and constant outside them. */
interface Curve {
  readonly scores: readonly number[];
  readonly probabilities: readonly number[];
}

/** Content of `calibration.probabilities` in a model's description. */
export type Calibration =
  | { readonly method: "temperature"; readonly temperature: number }
  | { readonly method: "isotonic"; readonly curves: readonly Curve[] };

/** Writes calibrated probabilities, float64 [rows, classes], from outputs z, float64 [rows, outputs]. */
export function writeCalibrated(graph: Graph, z: string, link: string, calibration: Calibration, classes: number): string {
  if (link === "sigmoid") {
    const second =
      calibration.method === "temperature" ? warmed(graph, z, calibration.temperature) : bent(graph, z, calibration.curves);
    return graph.node("Concat", [graph.node("Sub", [number(graph, 1), second]), second], { axis: 1 });
  }
  const l = link === "softmax" ? z : logSigmoid(graph, z);
  if (calibration.method === "isotonic") {
    const p = bent(graph, logOdds(graph, l, classes), calibration.curves);
    const total = sum(graph, p);
    return graph.node("Where", [
      graph.node("Equal", [total, number(graph, 0)]),
      number(graph, 1 / classes),
      graph.node("Div", [p, total]),
    ]);
  }
  const top = graph.node("ReduceMax", [l], { axes: [1], keepdims: 1 });
  const below = graph.node("Div", [graph.node("Sub", [l, top]), number(graph, calibration.temperature)]);
  // Infinity minus infinity would be NaN.
  const e = graph.node("Exp", [graph.node("Where", [graph.node("Equal", [l, top]), number(graph, 0), below])]);
  const total = sum(graph, e);
  return graph.node("Where", [
    graph.node("Greater", [total, number(graph, 0)]),
    graph.node("Div", [e, total]),
    number(graph, 1 / classes),
  ]);
}

const number = (graph: Graph, value: number): string => graph.scalar("float64", value);

/** Sum of each row, [rows, 1]. */
const sum = (graph: Graph, x: string): string => graph.node("ReduceSum", [x, graph.constant("int64", [1])], { keepdims: 1 });

/** σ(z/T), or ½ if z is NaN. */
function warmed(graph: Graph, z: string, temperature: number): string {
  const p = graph.node("Sigmoid", [graph.node("Div", [z, number(graph, temperature)])]);
  return graph.node("Where", [graph.node("IsNaN", [z]), number(graph, 0.5), p]);
}

/**
 * log σ(z) = min(z, 0) − log1p(e), e = exp(−|z|). ONNX has no log1p: with u = 1 + e it is e log(u)/(u − 1), and e if u
 * is 1. Source: Kahan.
 */
function logSigmoid(graph: Graph, z: string): string {
  const one = number(graph, 1);
  const e = graph.node("Exp", [graph.node("Neg", [graph.node("Abs", [z])])]);
  const u = graph.node("Add", [one, e]);
  const ratio = graph.node("Div", [graph.node("Mul", [e, graph.node("Log", [u])]), graph.node("Sub", [u, one])]);
  const log1p = graph.node("Where", [graph.node("Equal", [u, one]), e, ratio]);
  return graph.node("Sub", [graph.node("Min", [z, number(graph, 0)]), log1p]);
}

/**
 * ℓ_k − log Σ_{j≠k} exp ℓ_j. The sum over the other classes is computed by subtracting the term of class k from the
 * total. For the largest class, this difference would lose precision, so the sum over the other classes is computed
 * separately.
 */
function logOdds(graph: Graph, l: string, classes: number): string {
  const each = graph.constant(
    "int64",
    Array.from({ length: classes }, (_, k) => k),
    [1, classes],
  );
  const isBest = graph.node("Equal", [graph.node("ArgMax", [l], { axis: 1, keepdims: 1 }), each]);
  const highest = (x: string): string => graph.node("ReduceMax", [x], { axes: [1], keepdims: 1 });
  const rest = graph.node("Where", [isBest, number(graph, -Infinity), l]);
  const [top, second] = [highest(l), highest(rest)];
  const others = sum(graph, graph.node("Exp", [graph.node("Sub", [rest, second])]));
  const share = graph.node("Mul", [others, graph.node("Exp", [graph.node("Sub", [second, top])])]);
  const total = graph.node("Add", [number(graph, 1), share]);
  const below = graph.node("Sub", [l, top]);
  const ofBest = graph.node("Sub", [graph.node("Sub", [l, second]), graph.node("Log", [others])]);
  const left = graph.node("Log", [graph.node("Sub", [total, graph.node("Exp", [below])])]);
  return graph.node("Where", [isBest, ofBest, graph.node("Sub", [below, left])]);
}

/**
 * f_k(s_k), with one curve per column. The segments of all curves are found simultaneously by bisection, because a
 * direct search would need memory for rows × points numbers. The points are stored in one block of 2^m per curve. A
 * block is padded with the curve's last point.
 */
function bent(graph: Graph, s: string, curves: readonly Curve[]): string {
  const block = 2 ** Math.ceil(Math.log2(Math.max(...curves.map(({ scores }) => scores.length))));
  const table = (value: (curve: Curve, i: number) => number, hint: string): string => {
    const values = curves.flatMap((curve) =>
      Array.from({ length: block }, (_, i) => value(curve, Math.min(i, curve.scores.length - 1))),
    );
    return graph.constant("float64", values, [values.length], hint);
  };
  const ofEach = (value: (curve: Curve, k: number) => number, type: "float64" | "int64" = "float64"): string =>
    graph.constant(type, curves.map(value), [1, curves.length]);
  const starts = table(({ scores }, i) => scores[i], "scores");
  const first = ofEach(({ scores }) => scores[0]);
  const last = ofEach(({ scores }) => scores.at(-1)!);
  const x = graph.node("Min", [graph.node("Max", [s, first]), last]);
  let at = ofEach((_, k) => k * block, "int64");
  for (let step = block / 2; step >= 1; step /= 2) {
    const next = graph.node("Add", [at, graph.scalar("int64", step)]);
    const isReached = graph.node("GreaterOrEqual", [x, graph.node("Gather", [starts, next])]);
    at = graph.node("Where", [isReached, next, at]);
  }
  const there = (of: string): string => graph.node("Gather", [of, at]);
  const isLast = ({ scores }: Curve, i: number): boolean => i === scores.length - 1;
  // Beyond its last point, the curve is constant.
  const widths = table((curve, i) => (isLast(curve, i) ? 1 : curve.scores[i + 1] - curve.scores[i]), "widths");
  const values = table(({ probabilities }, i) => probabilities[i], "probabilities");
  const highs = table((curve, i) => curve.probabilities[isLast(curve, i) ? i : i + 1], "highs");
  const share = graph.node("Div", [graph.node("Sub", [x, there(starts)]), there(widths)]);
  const rise = graph.node("Mul", [share, graph.node("Sub", [there(highs), there(values)])]);
  const value = graph.node("Min", [there(highs), graph.node("Add", [there(values), rise])]);
  return graph.node("Where", [graph.node("IsNaN", [s]), s, value]);
}
