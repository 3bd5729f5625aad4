/** What a run will do, in one line, from the description that its model will carry. */
import type { EngineDescription } from "ergodic";

/** The parts of a model's description (JSON) that are shown. */
export interface Described {
  loss: { name: string; [option: string]: unknown };
  model: { l1?: number; l2?: number; features?: { kind: string; count: number } };
  task: string;
  target: { name: string; levels: string[] | null };
  columns: string[];
  outputs: number;
  equation: string;
  pipeline: { kind: string }[];
  algorithm?: { rule: RuleJson; variance?: { name: string } };
  plan?: {
    workers: number;
    replicas: number | "shared";
    precision: { data: string; model: string };
    schedule: string;
    batch: number | "all";
    deterministic: boolean;
    seed: number;
  };
}

type RuleJson = { rule: string; options?: Record<string, unknown>; parts?: RuleJson[] };

/** "adam rate 0.01", "clipNorm + sgd rate cosineDecay(…)". */
export function ruleText({ rule, options = {}, parts }: RuleJson): string {
  if (parts) return parts.map(ruleText).join(" + ");
  const { rate } = options;
  return rate === undefined ? rule : `${rule} rate ${rateText(rate)}`;
}

export function rateText(rate: unknown): string {
  if (typeof rate === "number") return String(Number(rate.toPrecision(4)));
  const { schedule, options } = rate as { schedule: string; options: Record<string, unknown> };
  return `${schedule}(${Object.entries(options)
    .map(([key, value]) => `${key} ${typeof value === "object" ? rateText(value) : String(value)}`)
    .join(", ")})`;
}

export function chosenLine(description: Described, engine: EngineDescription): string {
  const { loss, model, target, pipeline, algorithm, plan } = description;
  const classes = target.levels ? ` (${target.levels.length} classes)` : "";
  const parts = [`linear model, ${loss.name} loss${classes}`];
  const penalties = (["l1", "l2"] as const).filter((name) => model[name]).map((name) => `${name} ${model[name]}`);
  parts.push(...penalties);
  if (pipeline.some(({ kind }) => kind === "standardise")) parts.push("columns standardised");
  if (model.features) parts.push(`${model.features.count} ${model.features.kind} features`);
  if (algorithm) parts.push(`${algorithm.variance ? `${algorithm.variance.name}, ` : ""}${ruleText(algorithm.rule)}`);
  if (plan) {
    const { data, model: numbers } = plan.precision;
    parts.push(`batch ${plan.batch}`, workersText(plan), data === numbers ? data : `${data} data, ${numbers} model`);
    const build = plan.deterministic ? engine.build.replace("relaxed", "simd") : engine.build;
    parts.push(`${build} build${plan.deterministic ? ", deterministic" : ""}`, `seed ${plan.seed}`);
  }
  return parts.join(" · ");
}

export function workersText({ workers, replicas }: { workers: number; replicas: number | "shared" }): string {
  const count = workers === 1 ? "1 worker" : `${workers} workers`;
  if (replicas === "shared") return workers === 1 ? count : `${count} on one model`;
  return replicas === 1 ? count : `${count}, ${replicas} replicas averaged`;
}
