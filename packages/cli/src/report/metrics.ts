/** Formats metrics and a confusion matrix as text. */

import type { Coverage } from "ergodic/calibration";
import type { AnyMetrics, FactorMetrics } from "ergodic/predict";
import type { Paint } from "../terminal.ts";
import { decimal, grouped, percent } from "./numbers.ts";
import { pairs, table } from "./text-table.ts";

type Known = AnyMetrics & FactorMetrics & Pick<Coverage, "coverage" | "size">;

const names: Readonly<Record<Exclude<keyof Known, "confusion" | "users" | "warning">, string>> = {
  accuracy: "accuracy",
  logLoss: "log loss",
  auc: "AUC",
  averagePrecision: "average precision",
  f1: "F1",
  calibrationError: "calibration error",
  rmse: "RMSE",
  mae: "MAE",
  r2: "R²",
  deviance: "deviance",
  coverage: "truth in set or interval",
  size: "mean set or interval size",
  precision: "precision",
  recall: "recall",
  ndcg: "NDCG",
};
/** With two classes, these metrics refer to the second class. */
const ofPositive: readonly string[] = ["averagePrecision", "f1"];
/** Metrics that are undefined if all rows have the same class or value. */
const mayBeUndefined: readonly string[] = ["auc", "averagePrecision", "r2"];
const shares: readonly string[] = ["accuracy", "calibrationError", "coverage"];
const MOST_CLASSES = 12;

/** Selects the metrics to show from the given metrics, in display order. */
export function metricNames(metrics: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(names).filter((name) => name in metrics);
}

/**
 * Returns the positive class, to which F1 and average precision refer. It is the second level of a binary target, and
 * null for other tasks.
 */
export function positiveClass({ task, classes }: { task: string; classes?: readonly string[] | undefined }): string | null {
  return task === "binary" ? (classes?.[1] ?? null) : null;
}

/** Returns a metric's display name and formatted value. */
export function metricText(name: string, value: number, positive: string | null): [string, string] {
  const label = names[name as keyof typeof names];
  return [
    positive !== null && ofPositive.includes(name) ? `${label} of class ${oneLine(positive)}` : label,
    Number.isNaN(value) ? "–" : shares.includes(name) ? percent(value) : decimal(value),
  ];
}

const oneLine = (name: string): string => (name.length > 30 ? `${name.slice(0, 29)}…` : name).replaceAll(/\s/g, " ");

export function metricsText(metrics: Partial<Known>, paint: Paint, positive: string | null): string {
  const rows = (Object.keys(names) as (keyof typeof names)[]).flatMap((key): [string, string][] => {
    const value = metrics[key];
    if (value === undefined) return [];
    const [label, text] = metricText(key, value, positive);
    if (!Number.isNaN(value)) return [[label, text]];
    return mayBeUndefined.includes(key) ? [[label, "not defined"]] : [];
  });
  return pairs(rows, paint) + (metrics.warning === undefined ? "" : `  ${paint.bold(paint.yellow(metrics.warning))}\n`);
}

/** Warns if the mean of the held-out rows, used as a prediction, has a smaller error than the validated model. */
export function validationWarning({ rmse = Number.NaN, r2 = Number.NaN }: Record<string, number>, paint: Paint): string {
  if (!(r2 < 0)) return "";
  const mean = decimal(rmse / Math.sqrt(1 - r2));
  return `  ${paint.bold(paint.yellow(`worse than predicting the mean: validation RMSE ${decimal(rmse)}, where the mean of these rows gives ${mean}`))}\n`;
}

/**
 * Formats a confusion matrix. The rows are true classes, and the columns are predictions. Shown only if it fits on a
 * screen.
 */
export function confusionText(confusion: number[][], classes: readonly string[], paint: Paint): string {
  if (classes.length > MOST_CLASSES) return "";
  const cell = (count: number): string => (count === 0 ? "·" : Number.isInteger(count) ? grouped(count) : decimal(count));
  return table(
    ["truth ↓ predicted →", ...classes],
    classes.map((name, k) => [name, ...confusion[k].map(cell)]),
    { paint },
  );
}
