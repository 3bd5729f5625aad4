import type { Plan } from "../contract/index.ts";
import { CapabilityError } from "../errors/errors.ts";

/**
 * Refuses workers and replicas for algorithms that use one thread and one copy of the parameters.
 *
 * @throws CapabilityError [PLAN_MEANING] that names the options which ask for more
 */
export function refuseLanes(where: string, { workers, replicas }: Plan, why: string): void {
  const given: [option: string, value: string][] = [];
  if (workers > 1) given.push(["workers", String(workers)]);
  if (replicas !== 1) given.push(["replicas", JSON.stringify(replicas)]);
  if (given.length === 0) return;
  const values = given.map(([option, value]) => `${option} is ${value}`).join(" and ");
  const options = given.map(([option]) => option).join(" and ");
  throw new CapabilityError(where, `${values}, but ${why}; leave ${options} out`, "PLAN_MEANING");
}
