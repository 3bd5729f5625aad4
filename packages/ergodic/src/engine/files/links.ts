/**
 * Links that are valid for each task. A link converts outputs to predictions. The links are described in
 * contract/model.ts.
 */
import type { Link } from "../contract/index.ts";

export const linksOfTask: Readonly<Record<"binary" | "multiclass" | "regression" | "count", readonly Link[]>> = {
  binary: ["sigmoid", "sign", "share"],
  multiclass: ["softmax", "sigmoidNormalised", "sign", "share"],
  regression: ["identity", "exp"],
  count: ["identity", "exp"],
};
