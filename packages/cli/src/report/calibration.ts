/** Formats a model's calibration as lines of its description. */
import { counted, percent, significant } from "./numbers.ts";

export interface CalibrationDescribed {
  probabilities?: { method: string; temperature?: number; curves?: { scores: number[] }[]; rows: number };
  conformal?: { score: string; alpha: number; quantile: number; rows: number };
}

export function calibrationText({ probabilities, conformal }: CalibrationDescribed): [string, string][] {
  const lines: [string, string][] = [];
  if (probabilities) {
    const { method, temperature, curves = [], rows } = probabilities;
    const points = curves.reduce((sum, { scores }) => sum + scores.length, 0);
    const how =
      temperature === undefined ? `${counted(curves.length, "curve")} of ${counted(points, "point")}` : significant(temperature);
    lines.push(["probabilities", `${method}, ${how}, from ${counted(rows, "row")}`]);
  }
  if (conformal) {
    const { score, alpha, quantile, rows } = conformal;
    const isSet = score === "lac" || score === "aps";
    const what = isSet ? "sets" : "intervals";
    lines.push([
      what,
      `cover ${percent(1 - alpha)} of rows: score ${score} up to ${significant(quantile)}, from ${counted(rows, "row")}`,
    ]);
  }
  return lines;
}
