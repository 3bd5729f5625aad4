/** Draws by name: what they say, whether they can be trusted. */
export {
  Draws,
  type DrawsContent,
  type DrawsQuantity,
  type DrawsSource,
  type DrawsSummaryOptions,
  scalarName,
} from "./draws.ts";
export { summaryTable } from "./table.ts";
export type { EnergyReport, TreeReport } from "./trajectories.ts";
export type { Finding, Verdict } from "./verdict.ts";
