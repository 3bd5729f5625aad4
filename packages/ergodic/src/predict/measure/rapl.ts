/**
 * RAPL, the processor's own energy counters, as Linux shows them: /sys/class/powercap/<zone>/{name, energy_uj, max_energy_range_uj}, in µJ.
 *
 * Packages are summed, each once (it may be there as intel-rapl:0 and as intel-rapl-mmio:0); the zones within them (core, uncore, dram) are parts of
 * what a package reports, and psys contains the packages: it is read alone, where there is no package. Counters wrap at max_energy_range_uj.
 */

import { reason } from "../../engine/errors/system-reason.ts";
import { builtin, inNode } from "../../engine/files/node.ts";

export interface EnergyMeter {
  /** Names of the zones: "package-0". */
  readonly zones: readonly string[];
  /** Joules since it was opened. To be called more often than a counter wraps, which takes minutes at least. */
  joules(): number;
}

/** Or why there is none. */
export function openRapl(folder: string): EnergyMeter | string {
  if (!inNode()) return "a browser shows no energy counters";
  const { readdirSync, readFileSync } = builtin("node:fs");
  const text = (zone: string, file: string): string => readFileSync(`${folder}/${zone}/${file}`, "utf8").trim();
  const number = (zone: string, file: string): number => {
    const value = Number(text(zone, file) || NaN);
    if (!(value >= 0)) throw new Error(`${zone}/${file} holds no number`);
    return value;
  };
  try {
    const byName = new Map<string, string>();
    // Zones are [type]:[package]; with another number they lie within one.
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
