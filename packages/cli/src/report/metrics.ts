/** Metrics, and a confusion matrix, as text. */
import type { Paint } from "../terminal.ts";
import { decimal, grouped, percent } from "./numbers.ts";
import { pairs, table } from "./table.ts";

export type AnyMetrics = Record<string, number | number[][]>;

const names: Readonly<Record<string, string>> = {
  accuracy: "accuracy",
  logLoss: "log loss",
  auc: "AUC",
  f1: "F1",
  calibrationError: "calibration error",
  rmse: "RMSE",
  mae: "MAE",
  r2: "R²",
  deviance: "deviance",
};
const MOST_CLASSES = 12;

export function metricsText(metrics: AnyMetrics, paint: Paint): string {
  const shown = Object.entries(names).filter(([key]) => typeof metrics[key] === "number" && !Number.isNaN(metrics[key]));
  const value = (key: string): string => {
    const number = metrics[key] as number;
    return key === "accuracy" || key === "calibrationError" ? percent(number) : decimal(number);
  };
  return pairs(
    shown.map(([key, name]): [string, string] => [name, value(key)]),
    paint,
  );
}

/** Rows: the truth; columns: what was predicted. Only where it fits a screen. */
export function confusionText(confusion: number[][], classes: readonly string[], paint: Paint): string {
  if (classes.length > MOST_CLASSES) return "";
  const cell = (count: number): string => (count === 0 ? "·" : Number.isInteger(count) ? grouped(count) : decimal(count));
  return table(
    ["truth ↓ predicted →", ...classes],
    classes.map((name, k) => [name, ...confusion[k].map(cell)]),
    { paint },
  );
}
