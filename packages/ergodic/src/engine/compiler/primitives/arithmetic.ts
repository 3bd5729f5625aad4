/** + − · / and the square: sums and products of float64 or float32, rounded once each (no fused multiply-add). */
import { constant, isConstant } from "../expression.ts";
import { type Binary, type Chain, primitive, type Unary } from "../primitive.ts";

const [SUM, QUOTIENT, PRODUCT, POWER] = [4, 5, 6, 7];

/** a + b + …, element by element; from left to right. */
export const add: Chain = /* @__PURE__ */ primitive({
  name: "add",
  chains: true,
  reference: (a, b) => a + b,
  simplify(a, b) {
    if (isConstant(a, 0)) return b;
    if (isConstant(b, 0)) return a;
    if (b.op === "neg") return sub(a, b.args[0]);
    if (a.op === "neg") return sub(b, a.args[0]);
    if (a === b) return mul(2, a);
    return null;
  },
  derivative: (adjoint) => adjoint,
  print: { strength: SUM, needs: [SUM, SUM], write: (a, b) => `${a} + ${b}` },
  cost: 1,
  code: (m, a, b) => m.add(a, b),
});

/** a − b, element by element. */
export const sub: Binary = /* @__PURE__ */ primitive({
  name: "sub",
  reference: (a, b) => a - b,
  simplify(a, b) {
    if (isConstant(b, 0)) return a;
    if (isConstant(a, 0)) return neg(b);
    if (a === b) return constant(0);
    if (b.op === "neg") return add(a, b.args[0]);
    return null;
  },
  derivative: (adjoint, _, i) => (i === 0 ? adjoint : neg(adjoint)),
  print: { strength: SUM, needs: [SUM, QUOTIENT], write: (a, b) => `${a} − ${b}` },
  cost: 1,
  code: (m, a, b) => m.sub(a, b),
});

/** a · b · …, element by element; from left to right. */
export const mul: Chain = /* @__PURE__ */ primitive({
  name: "mul",
  chains: true,
  reference: (a, b) => a * b,
  simplify(a, b) {
    if (b.op === "constant") return mul(b, a);
    if (isConstant(a, 0)) return a;
    if (isConstant(a, 1)) return b;
    if (isConstant(a, -1)) return neg(b);
    if (a.op === "constant" && b.op === "mul" && b.args[0].op === "constant") return mul(mul(a, b.args[0]), b.args[1]);
    if (a.op === "constant" && b.op === "neg") return mul(-a.value, b.args[0]);
    if (a.op === "neg" && b.op === "neg") return mul(a.args[0], b.args[0]);
    if (a.op === "neg") return neg(mul(a.args[0], b));
    if (b.op === "neg") return neg(mul(a, b.args[0]));
    if (a === b) return square(a);
    return null;
  },
  derivative: (adjoint, { args: [a, b] }, i) => mul(adjoint, i === 0 ? b : a),
  print: { strength: PRODUCT, needs: [PRODUCT, PRODUCT], write: (a, b) => `${a}·${b}` },
  cost: 1,
  code: (m, a, b) => m.mul(a, b),
});

/** a / b, element by element. */
export const div: Binary = /* @__PURE__ */ primitive({
  name: "div",
  reference: (a, b) => a / b,
  simplify(a, b) {
    if (isConstant(b, 1)) return a;
    if (isConstant(b, -1)) return neg(a);
    if (isConstant(a, 0)) return a;
    if (a === b) return constant(1);
    if (a.op === "neg" && b.op === "neg") return div(a.args[0], b.args[0]);
    if (a.op === "neg") return neg(div(a.args[0], b));
    if (b.op === "neg") return neg(div(a, b.args[0]));
    return null;
  },
  derivative: (adjoint, node, i) => (i === 0 ? div(adjoint, node.args[1]) : neg(div(mul(adjoint, node), node.args[1]))),
  print: { strength: QUOTIENT, needs: [PRODUCT, POWER], write: (a, b) => `${a} / ${b}` },
  cost: 1,
  code: (m, a, b) => m.div(a, b),
});

/** −x, element by element. */
export const neg: Unary = /* @__PURE__ */ primitive({
  name: "neg",
  reference: (x) => -x,
  simplify(x) {
    if (x.op === "neg") return x.args[0];
    if (x.op === "sub") return sub(x.args[1], x.args[0]);
    if (x.op === "mul" && x.args[0].op === "constant") return mul(-x.args[0].value, x.args[1]);
    return null;
  },
  derivative: (adjoint) => neg(adjoint),
  print: { strength: SUM, needs: [QUOTIENT], write: (x) => `−${x}` },
  cost: 1,
  code: (m, x) => m.neg(x),
});

/** x², element by element. */
export const square: Unary = /* @__PURE__ */ primitive({
  name: "square",
  reference: (x) => x * x,
  simplify(x) {
    if (x.op === "neg" || x.op === "abs") return square(x.args[0]);
    return null;
  },
  derivative: (adjoint, { args: [x] }) => mul(2, mul(adjoint, x)),
  print: { strength: POWER, needs: [POWER + 1], write: (x) => `${x}²` },
  cost: 1,
  code: (m, x) => m.mul(x, x),
});
