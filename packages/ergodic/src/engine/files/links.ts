/** From outputs to predictions: the links that have a meaning for each task. The links are described in contract.ts. */
import type { Link } from "../contract/index.ts";

export const linksOfTask: Readonly<Record<"binary" | "multiclass" | "regression" | "count", readonly Link[]>> = {
  binary: ["sigmoid", "sign"],
  multiclass: ["softmax", "sigmoidNormalised", "sign"],
  regression: ["identity", "exp"],
  count: ["identity", "exp"],
};
