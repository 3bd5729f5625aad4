/** Regressions written as formulas: an explicit list. */
export type { FormulaColumns, FormulaData } from "./columns.ts";
export { type FamilyName, familyNames } from "./families.ts";
export type { RegressionPriors } from "./priors.ts";
export { type RegressionOptions, regression } from "./regression.ts";
