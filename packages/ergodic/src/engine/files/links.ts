/** Valid links from outputs to predictions, for each task. The links are described in contract/model.ts. */
import type { Link } from "../contract/index.ts";

export const linksOfTask: Readonly<Record<"binary" | "multiclass" | "regression" | "count", readonly Link[]>> = {
  binary: ["sigmoid", "sign"],
  multiclass: ["softmax", "sigmoidNormalised", "sign"],
  regression: ["identity", "exp"],
  count: ["identity", "exp"],
};
