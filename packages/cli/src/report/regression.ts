/** A regression table as text: estimates, standard errors, intervals and tests. */
import type { RegressionTable } from "ergodic/learning";
import type { Paint } from "../terminal.ts";
import { counted, decimal, significant } from "./numbers.ts";
import { table } from "./text-table.ts";

/** Smallest probability to show as a number. */
const LEAST = 1e-16;

const probability = (p: number): string => (p < LEAST ? `< ${LEAST.toExponential()}` : significant(p, 3));

export function regressionText(given: RegressionTable, paint: Paint): string {
  const { family, statistic, level, rows, degreesOfFreedom, dispersion, deviance, coefficients, aliased } = given;
  const share = `${significant(100 * level)} %`;
  const lines = coefficients.map((c) => [
    c.name,
    ...[c.estimate, c.standardError].map((value) => significant(value)),
    significant(c.statistic, 3),
    probability(c.pValue),
    significant(c.low),
    significant(c.high),
  ]);
  const header = ["coefficient", "estimate", "standard error", statistic, "p", `${share} from`, "to"];
  const noise =
    family === "gaussian" ? `residual standard error ${significant(Math.sqrt(dispersion))}` : `deviance ${decimal(deviance)}`;
  const left = aliased.length > 0 ? `  dropped as linearly dependent, including reference levels: ${aliased.join(", ")}\n` : "";
  return `${table(header, lines, { paint })}  ${family}, ${counted(rows, "row")}, ${counted(degreesOfFreedom, "degree")} of freedom, ${noise}\n${left}`;
}
