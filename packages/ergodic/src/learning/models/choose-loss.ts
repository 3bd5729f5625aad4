import type { Json } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import { holds, plain, refuse } from "../../engine/errors/checks.ts";
import { CapabilityError, checkKeys, checkNumber, OptionError } from "../../engine/errors/errors.ts";
import { shown } from "../../engine/errors/shown.ts";
import type { Loss } from "./loss.ts";
import { lossFromJson, lossNames } from "./losses/by-name.ts";

/** Names of losses in other libraries by our equivalent, in lower case, without separators and a final "loss". */
const FOREIGN: Readonly<Record<string, string>> = {
  logistic: "log neglog binarycrossentropy bce bcewithlogits binomial bernoulli",
  multinomial: "crossentropy categoricalcrossentropy sparsecategoricalcrossentropy softmax softmaxcrossentropy nll",
  squared: "squarederror meansquarederror mse l2 gaussian",
  quantile: "absoluteerror meanabsoluteerror mae l1 pinball",
};

/** Returns our name of a loss that was given by its name in another library or in another spelling. */
function ownName(given: unknown): string | undefined {
  if (typeof given !== "string") return undefined;
  const written = given.toLowerCase().replace(/[^a-z0-9]|loss$/g, "");
  return (
    lossNames().find((name) => name.toLowerCase() === written) ??
    Object.keys(FOREIGN).find((name) => FOREIGN[name].split(" ").includes(written))
  );
}

/** @throws OptionError for a loss that is not defined */
export function resolveLoss(where: string, loss: string | Loss | Json): Loss {
  if (holds(loss, "expression")) return loss as unknown as Loss;
  if (holds(loss, "name") || lossNames().includes(loss as string)) return lossFromJson(loss as Json);
  const own = ownName(loss);
  const advice = own === undefined ? "" : `; did you mean "${own}"?`;
  throw new OptionError(where, `loss is ${shown(loss)}, but must be one of ${lossNames().join(", ")}${advice}`, "OPTION_UNKNOWN");
}

/**
 * Returns the loss for a target, and the number of outputs that the loss needs. The default loss depends on the target.
 *
 * @throws OptionError for an unknown loss; CapabilityError if the loss does not suit the target
 */
export function chooseLoss(where: string, given: string | Loss | undefined, data: Dataset): { loss: Loss; outputs: number } {
  const { target } = data;
  const classes = target.kind === "category" ? (target.levels?.length ?? 0) : 0;
  const fallback = classes === 0 ? "squared" : classes === 2 ? "logistic" : "multinomial";
  const loss = resolveLoss(where, given ?? fallback);
  const refuse = (message: string): never => {
    throw new CapabilityError(where, message, "MODEL_TARGET");
  };
  if (classes > 0 && (loss.task === "regression" || loss.task === "count")) {
    refuse(
      `loss "${loss.name}" needs numbers, but target "${target.name}" has the classes ${target.levels?.slice(0, 4).join(", ")}; use loss: "${fallback}"`,
    );
  }
  if (classes === 1) refuse(`target "${target.name}" has one class only, ${target.levels?.[0]}; there is nothing to learn`);
  if (classes === 0 && loss.task === "multiclass")
    refuse(`loss "${loss.name}" needs classes, but target "${target.name}" is a number; read it as a category`);
  if (classes === 0 && loss.task === "binary") {
    const values = distinctTarget(data);
    if (values.length !== 2) {
      const many = values.length > 2 ? "3 values or more" : "one value";
      refuse(`loss "${loss.name}" needs two classes, but target "${target.name}" takes ${many}; read it as a category`);
    }
    if (!(values[0] <= 0 && values[1] > 0)) {
      refuse(
        `loss "${loss.name}" takes numbers <= 0 and > 0 as its two classes, but target "${target.name}" is ${values.join(" or ")}; read it as a category`,
      );
    }
  }
  return { loss, outputs: loss.joint || classes > 2 ? classes : 1 };
}

/**
 * Returns the dataset with the target that a model with the loss `given` takes it for. A numeric target becomes classes
 * if it takes two whole numbers and no loss is given, or if it takes whole numbers and the loss is for classes.
 *
 * @throws CapabilityError for a loss for classes and a target with decimals
 */
export function withMeantTarget(where: string, given: string | Loss | undefined, data: Dataset): Dataset {
  const { kind, name, values } = data.target;
  if (kind === "category") return data;
  if (given === undefined) {
    const distinct = distinctTarget(data);
    return distinct.length === 2 && distinct.every(Number.isInteger) ? data.asClasses() : data;
  }
  const loss = resolveLoss(where, given);
  if (loss.task !== "binary" && loss.task !== "multiclass") return data;
  const decimal = values.find((value) => Number.isFinite(value) && !Number.isInteger(value));
  if (decimal === undefined) return data.asClasses();
  const problem = `loss "${loss.name}" needs classes, but target "${name}" holds decimals such as ${decimal}`;
  throw new CapabilityError(where, `${problem}; name a column of classes, or use loss: "squared"`, "MODEL_TARGET");
}

const distinctTargets = new WeakMap<Dataset, number[]>();

/**
 * Returns the distinct values of the target in ascending order, and stops at three of them. Cached, because every fit
 * on the dataset needs them.
 */
function distinctTarget(data: Dataset): number[] {
  const known = distinctTargets.get(data);
  if (known) return known;
  const { values } = data.target;
  const found: number[] = [];
  for (let i = 0; i < values.length && found.length < 3; i++) {
    const y = values[i];
    if (y !== found[0] && y !== found[1]) found.push(y);
  }
  found.sort((a, b) => a - b);
  distinctTargets.set(data, found);
  return found;
}

/** Checks `classWeights` as far as possible before data are seen. */
export function checkClassWeights(where: string, given: unknown): void {
  if (given === undefined || given === "balanced") return;
  const example = "{ yes: 2, no: 1 }";
  if (typeof given !== "object") refuse(where, "classWeights", given, '"balanced" or an object of weights by class', example);
  const weights = plain(`${where}.classWeights`, given as Record<string, unknown>);
  for (const [name, weight] of Object.entries(weights)) checkNumber(`${where}.classWeights`, name, weight, { low: 0 });
}

/** Returns one weight per class: the given weight, or n / (classes × count) for "balanced". */
export function classWeights(where: string, given: "balanced" | Record<string, number>, data: Dataset): Float64Array {
  const { levels, values } = data.target;
  if (!levels)
    throw new CapabilityError(
      where,
      `classWeights need classes, but target "${data.target.name}" is a number; leave them out, or read it as a category (data.asClasses())`,
      "MODEL_TARGET",
    );
  if (given === "balanced") {
    const counts = new Float64Array(levels.length);
    for (const y of values) counts[y]++;
    return counts.map((c) => values.length / (levels.length * Math.max(1, c)));
  }
  checkKeys(`${where}.classWeights`, given, levels);
  for (const [name, weight] of Object.entries(given)) checkNumber(`${where}.classWeights`, name, weight, { low: 0 });
  return Float64Array.from(levels, (level) => given[level] ?? 1);
}

/** Class names of a numeric target with two values. */
export function twoValues(values: Float64Array): string[] {
  return [String(values.find((y) => !(y > 0))), String(values.find((y) => y > 0))];
}
