/** The options of coordinate descent (coordinate-descent.ts), as given and with every default filled in. */
import type { Schedule } from "../gradient/schedule.ts";
import type { PickName } from "./picks.ts";

export interface CoordinateDescentOptions {
  pick?: "auto" | "workingSets" | PickName;
  step?: "exact" | "lipschitz";
  block?: number;
  estimate?: { rows: number; rate: number | Schedule };
  acceleration?: "none" | "anderson" | "nesterov";
  tolerance?: number;
  checkEvery?: number;
}

export type ResolvedOptions = Required<Omit<CoordinateDescentOptions, "estimate">> & Pick<CoordinateDescentOptions, "estimate">;
