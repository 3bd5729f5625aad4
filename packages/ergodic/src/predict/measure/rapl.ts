/**
 * RAPL: the processor's energy counters, which Linux shows as /sys/class/powercap/<zone>/{name, energy_uj,
 * max_energy_range_uj}, in µJ.
 *
 * The energy of all packages is added up. A package that appears twice, as intel-rapl:0 and as intel-rapl-mmio:0, is
 * counted once. The zones within a package (core, uncore, dram) are already part of its count. psys contains the
 * packages, so it is read only if there is no package. Counters wrap at max_energy_range_uj.
 */

import { reason } from "../../engine/errors/system-reason.ts";
import { builtin, inNode } from "../../engine/files/node.ts";

export interface EnergyMeter {
  /** Names of the zones, such as "package-0". */
  readonly zones: readonly string[];
  /**
   * Returns the joules used since the meter was opened. This must be called before any counter can wrap twice. Counters
   * take minutes or longer to wrap.
   */
  joules(): number;
}

/** Opens the energy meter, or returns the reason why there is none. */
export function openRapl(folder: string): EnergyMeter | string {
  if (!inNode()) return "a browser shows no energy counters";
  const { readdirSync, readFileSync } = builtin("node:fs");
  const text = (zone: string, file: string): string => readFileSync(`${folder}/${zone}/${file}`, "utf8").trim();
  const number = (zone: string, file: string): number => {
    const value = Number(text(zone, file) || NaN);
    if (!(value >= 0)) throw new Error(`${zone}/${file} does not hold a number`);
    return value;
  };
  try {
    const byName = new Map<string, string>();
    // Top-level zones are named [type]:[package]. Zones within a package have a further number.
    for (const zone of readdirSync(folder).sort()) {
      if (!/^[\w-]+:\d+$/.test(zone)) continue;
      const name = text(zone, "name");
      if (!byName.has(name)) byName.set(name, zone);
    }
    const packages = [...byName].filter(([name]) => /^package-\d+(-die-\d+)?$/.test(name));
    const chosen = packages.length > 0 ? packages : [...byName].filter(([name]) => name === "psys");
    if (chosen.length === 0) return `${folder} has neither a package nor psys`;
    const counters = chosen.map(([, zone]) => ({
      zone,
      range: number(zone, "max_energy_range_uj"),
      last: number(zone, "energy_uj"),
    }));
    let total = 0;
    return {
      zones: chosen.map(([name]) => name),
      joules() {
        for (const counter of counters) {
          const now = number(counter.zone, "energy_uj");
          total += now - counter.last + (now < counter.last ? counter.range : 0);
          counter.last = now;
        }
        return total / 1e6;
      },
    };
  } catch (error) {
    return `${folder} cannot be read: ${reason(error)}`;
  }
}
