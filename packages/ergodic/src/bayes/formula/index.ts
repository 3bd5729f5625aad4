/** Exports of regressions written as formulas, as an explicit list. */
export type { FormulaColumns, FormulaData } from "./formula-data.ts";
export type { RegressionPriors } from "./priors.ts";
export { type RegressionModel, type RegressionOptions, regression } from "./regression.ts";
export { type FamilyName, familyNames } from "./response-families.ts";
