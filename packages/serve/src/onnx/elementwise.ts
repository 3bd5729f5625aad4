/**
 * Element-wise functions of the compiler as ONNX operations. Conditions are numbers in the compiler and Booleans in
 * ONNX, so they are cast as needed.
 */
import { CapabilityError } from "ergodic";
import { type Expr, nodesOf } from "ergodic/compiler";
import type { Graph } from "./graph.ts";

interface Value {
  readonly name: string;
  readonly isTruth: boolean;
}

/** Operations that have the same meaning in ONNX. */
const SAME: Readonly<Record<string, string>> = {
  add: "Add",
  sub: "Sub",
  mul: "Mul",
  div: "Div",
  neg: "Neg",
  sqrt: "Sqrt",
  exp: "Exp",
  log: "Log",
  tanh: "Tanh",
  sigmoid: "Sigmoid",
  softplus: "Softplus",
  pow: "Pow",
  min: "Min",
  max: "Max",
  abs: "Abs",
  sign: "Sign",
  floor: "Floor",
  round: "Round",
  cos: "Cos",
  sin: "Sin",
  atan: "Atan",
  erf: "Erf",
};
const COMPARISONS: Readonly<Record<string, string>> = { less: "Less", lessEqual: "LessOrEqual", equal: "Equal" };
const LOGIC: Readonly<Record<string, string>> = { and: "And", or: "Or" };

/**
 * Writes an expression of float32 values. Its scalars are given by name. Returns the name of a float32 value.
 * @throws CapabilityError for functions that ONNX does not have
 */
export function elementwise(graph: Graph, expression: Expr, scalars: readonly string[]): string {
  const made = new Map<Expr, Value>();
  const number = ({ name, isTruth }: Value): string => (isTruth ? graph.node("Cast", [name], { to: 1 }) : name);
  const truth = ({ name, isTruth }: Value): string => (isTruth ? name : graph.node("Cast", [name], { to: 9 }));
  const one = (): string => graph.scalar("float32", 1);
  const written = (node: Expr): Value => {
    const args = node.args.map((arg) => made.get(arg)!);
    const numbers = (): string[] => args.map(number);
    const gives = (op: string, inputs: readonly string[], isTruth = false): Value => ({ name: graph.node(op, inputs), isTruth });
    const { op } = node;
    if (op === "constant") return { name: graph.scalar("float32", node.value), isTruth: false };
    if (op === "scalar") return { name: scalars[Number(node.name)], isTruth: false };
    if (op === "max" && node.args[0].op === "constant" && node.args[0].value === 0) return gives("Relu", [number(args[1])]);
    if (op === "max" && node.args[1].op === "constant" && node.args[1].value === 0) return gives("Relu", [number(args[0])]);
    if (Object.hasOwn(SAME, op)) return gives(SAME[op], numbers());
    if (Object.hasOwn(COMPARISONS, op)) return gives(COMPARISONS[op], numbers(), true);
    if (Object.hasOwn(LOGIC, op)) return gives(LOGIC[op], args.map(truth), true);
    if (op === "not") return gives("Not", [truth(args[0])], true);
    if (op === "where") return gives("Where", [truth(args[0]), number(args[1]), number(args[2])]);
    if (op === "square") return gives("Mul", [number(args[0]), number(args[0])]);
    if (op === "stopGradient") return args[0];
    if (op === "log1p") return gives("Log", [graph.node("Add", [one(), number(args[0])])]);
    if (op === "expm1") return gives("Sub", [graph.node("Exp", numbers()), one()]);
    if (op === "erfc") return gives("Sub", [one(), graph.node("Erf", numbers())]);
    throw new CapabilityError(
      "toOnnx",
      `the network computes ${op}(x), which ONNX does not have; do without it`,
      "ONNX_OPERATION",
    );
  };
  for (const node of nodesOf([expression])) made.set(node, written(node));
  return number(made.get(expression)!);
}
