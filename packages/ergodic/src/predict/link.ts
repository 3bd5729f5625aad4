/** From a model's outputs z to predictions, one row at a time. The links are described in contract.ts. */
import { exp } from "../base/exp.ts";
import type { Link } from "../contract.ts";

/** 1/(1+e⁻ᶻ) without overflow. */
export function sigmoid(z: number): number {
  if (z >= 0) return 1 / (1 + exp(-z));
  const e = exp(z);
  return e / (1 + e);
}

export function applyLink(link: Link, outputs: Float64Array): Float64Array {
  switch (link) {
    case "identity":
    case "sign":
      return outputs;
    case "exp":
      return outputs.map(exp);
    case "sigmoid":
      return outputs.map(sigmoid);
    case "softmax": {
      const top = outputs.reduce((a, b) => Math.max(a, b), -Infinity);
      return normalise(outputs.map((z) => exp(z - top)));
    }
    case "sigmoidNormalised":
      return normalise(outputs.map(sigmoid));
  }
}

function normalise(values: Float64Array): Float64Array {
  const total = values.reduce((a, b) => a + b, 0);
  return total > 0 ? values.map((v) => v / total) : values.fill(1 / values.length);
}
