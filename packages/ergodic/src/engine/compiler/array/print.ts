/**
 * Prints array programs as readable text, with one line per node or step.
 *
 *   x0 = input "x" [100, 10]
 *   x3 = matmul x0 x1                        [100]
 */
import { nodesOf, scalar } from "../expression.ts";
import { print as printExpression } from "../print.ts";
import { substitute } from "../rebuild.ts";
import type { Access, KernelStep, LoopStep, Lowered, Step, Value } from "./lowered.ts";
import type { BlockPlan } from "./memory.ts";
import { expressionOf } from "./operations/map-reduce.ts";
import { arrayPrimitiveOf } from "./primitive.ts";
import { arraysBelow, type SymbolicArray, shapeText } from "./symbolic.ts";

/** Prints the nodes below the roots, arguments before their users, numbered from 0. */
export function printArrays(roots: Readonly<Record<string, SymbolicArray>>): string {
  const nodes = arraysBelow(Object.values(roots));
  const number = new Map(nodes.map((node, i) => [node, `x${i}`]));
  const lines = nodes.map((node) => `${number.get(node)} = ${described(node, number)}`);
  const results = Object.entries(roots).map(([name, root]) => `${name}: ${number.get(root)}`);
  return [...lines, ...results].join("\n");
}

function described(node: SymbolicArray, number: ReadonlyMap<SymbolicArray, string>): string {
  const shape = shapeText(node.shape);
  if (node.op === "input") return `input "${String(node.attributes)}" ${shape}`;
  const args = node.args.map((arg) => number.get(arg)!);
  if (node.op === "map") {
    const named = Object.fromEntries(args.map((name, i) => [String(i), scalar(name)]));
    return `${printExpression(substitute(expressionOf(node), named))} ${shape}`;
  }
  const detail = arrayPrimitiveOf(node).describe?.(node);
  return `${[node.op, ...args].join(" ")}${detail ? ` (${detail})` : ""} ${shape}`;
}

/** Prints steps in order. If `plan` is given, the addresses of values are included. */
export function printLowered({ values, steps }: Lowered, plan?: BlockPlan, indent = ""): string {
  const named = (value: number): string => `${nameOf(values[value], value)}${placed(plan, value)}`;
  return steps.map((step) => `${indent}${stepText(step, named, plan, indent)}`).join("\n");
}

function nameOf({ home }: Value, value: number): string {
  if (home.kind === "buffer") return home.offset === 0 ? `"${home.name}"` : `"${home.name}"+${home.offset}`;
  return home.kind === "constant" ? `c${value}` : `v${value}`;
}

const placed = (plan: BlockPlan | undefined, value: number): string => {
  const at = plan?.places[value];
  return at === undefined ? "" : `@${at}`;
};

function stepText(step: Step, named: (value: number) => string, plan: BlockPlan | undefined, indent: string): string {
  if (step.kind === "loop") return loopText(step, named);
  if (step.kind === "kernel") return kernelText(step, named);
  if (step.kind === "zero") return `zero ${named(step.value)}`;
  const { carries, over, constants, current, length, reverse, body } = step;
  const list = (values: readonly number[]): string => values.map(named).join(", ") || "nothing";
  const head = `scan ${length}${reverse ? " backwards" : ""} from ${list(carries)} over ${list(over)} with ${list(constants)} to ${list(current)}:`;
  return `${head}\n${printLowered(body, plan?.bodies.get(step)?.plan, `${indent}  `)}`;
}

function loopText({ shape, reduced, loads, stores, reductions }: LoopStep, named: (value: number) => string): string {
  const read = ({ value, offset, strides }: Access): string =>
    `${named(value)}[${strides.join(" ")}${offset === 0 ? "" : `; ${offset}`}]`;
  const scalars = new Set(
    [...stores, ...reductions].flatMap((s) =>
      nodesOf([s.expr])
        .filter((n) => n.op === "scalar")
        .map((n) => n.name),
    ),
  );
  const names = Object.fromEntries([...scalars].map((name) => [name, scalar(read(loads[Number(name)]))]));
  const text = (s: { readonly expr: LoopStep["stores"][number]["expr"] }): string => printExpression(substitute(s.expr, names));
  const over = reductions.length > 0 ? ` reduced over axes ${reduced[0]} to ${reduced[1] - 1}` : "";
  const lines = [
    ...stores.map((s) => `${read(s.to)} = ${text(s)}`),
    ...reductions.map((r) => `${read(r.to)} = ${r.reduction} ${text(r)}`),
  ];
  return `loop ${shapeText(shape)}${over}: ${lines.join("; ")}`;
}

function kernelText({ name, calls, args, result }: KernelStep, named: (value: number) => string): string {
  const kernels = [...new Set(calls.map((call) => call.kernel))].join(", ");
  return `${named(result)} = ${name} ${args.map((a) => named(a.value)).join(" ")} by ${kernels || "nothing"}`;
}
