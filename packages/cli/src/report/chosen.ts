/**
 * Summarises a run in one line before it starts. The summary is made from the description that is later stored in the
 * model.
 */

import type { EngineDescription } from "ergodic";
import { TREES } from "../options/trees-word.ts";
import { counted } from "./numbers.ts";

/** The parts of a linear model's description (JSON) that are shown. */
export interface Described {
  loss: { name: string; [option: string]: unknown };
  model: { model?: string; l1?: number; l2?: number; nonNegative?: boolean; features?: { kind: string; count: number } };
  task: string;
  target: { name: string; levels: string[] | null };
  columns: string[];
  outputs: number;
  equation: string;
  pipeline: { kind: string }[];
  algorithm?: AlgorithmJson;
  /** Options of fit.path. If they are present, no algorithm is. */
  path?: PathJson;
  plan?: PlanJson;
  /** Reason for this algorithm, if the choice was left open. */
  why?: string;
  /** Reason why the workers share the updates in this way, if it was measured. */
}

/** A network's description, with the number of its parameters and the shape of a row. */
export interface NetworkDescribed extends Described {
  parameters: number;
  rowShape: number[];
  /** `layers` is null if they include a plain function. */
  model: Described["model"] & { layers: LayerJson | null };
}

export interface LayerJson {
  layer: string;
  options?: Record<string, unknown>;
}

/** The parts of a factorisation's description that are shown. */
export interface FactorsDescribed {
  task: "rating" | "preference";
  rank: number;
  biases: boolean;
  l2: number;
  alpha: number | null;
  weighted: boolean;
  mean: number;
  /** Columns of the file that `ergodic recommend` read. */
  columns?: { user: string; item: string; value?: string };
  algorithm: AlgorithmJson;
  plan: PlanJson;
}

export interface AlgorithmJson {
  algorithm: string;
  rule?: RuleJson;
  variance?: { name: string };
  [option: string]: unknown;
}

export interface PathJson {
  lambdas: number | number[];
  ratio: number;
  l1Ratio: number;
  tolerance: number;
  folds: number;
  select: string;
}

export interface PlanJson {
  workers: number;
  replicas: number | "shared";
  precision: { data: string; model: string };
  schedule: string;
  batch: number | "all";
  deterministic: boolean;
  seed: number;
}

type RuleJson = { rule: string; options?: Record<string, unknown>; parts?: RuleJson[] };

const algorithmNames: Readonly<Record<string, string>> = {
  coordinateDescent: "coordinate descent",
  dualCoordinateDescent: "dual coordinate descent",
  newtonCholesky: "Newton's method",
  alternatingLeastSquares: "alternating least squares",
  factorCoordinateDescent: "coordinate descent",
};

/** Formats an algorithm: "saga, sgd rate 0.1", "coordinate descent pick cyclic, tolerance 1e-9". */
export function algorithmText({ algorithm, rule, variance, ...options }: AlgorithmJson): string {
  if (rule) return `${variance ? `${variance.name}, ` : ""}${ruleText(rule)}`;
  const shown = (["pick", "step", "tolerance"] as const).filter((key) => options[key] !== undefined);
  return `${algorithmNames[algorithm] ?? algorithm}${shown.length > 0 ? " " : ""}${shown.map((key) => `${key} ${plain(options[key])}`).join(", ")}`;
}

/** Formats small numbers as 1e-6. */
function plain(option: unknown): string {
  return typeof option === "number" && option > 0 && option < 1e-3 ? option.toExponential() : String(option);
}

/** Formats a rule: "adam rate 0.01", "clipNorm + sgd rate cosineDecay(…)". */
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

/** Formats a path: "100 λ, l1 ratio 0.5, tolerance 1e-6, 10 folds". */
export function pathText({ lambdas, l1Ratio, tolerance, folds }: PathJson): string {
  const count = typeof lambdas === "number" ? lambdas : lambdas.length;
  return `${count} λ, l1 ratio ${l1Ratio}, tolerance ${plain(tolerance)}${folds > 0 ? `, ${counted(folds, "fold")}` : ""}`;
}

export function chosenLine(description: Described, engine: EngineDescription): string {
  const { loss, model, target, pipeline, algorithm, path, plan, why } = description;
  const classes = target.levels ? ` (${counted(target.levels.length, "class", "classes")})` : "";
  const { parameters } = description as Partial<NetworkDescribed>;
  const kind =
    parameters === undefined
      ? (TREES.find((word) => word === model.model) ?? "linear model")
      : `network of ${counted(parameters, "parameter")}`;
  const parts = [`${kind}, ${loss.name} loss${classes}`];
  const penalties = (["l1", "l2"] as const).filter((name) => model[name]).map((name) => `${name} ${rateText(model[name])}`);
  parts.push(...penalties);
  if (model.nonNegative) parts.push("no negative coefficients");
  if (pipeline.some(({ kind }) => kind === "standardise")) parts.push("columns standardised");
  if (model.features) parts.push(`${model.features.count} ${model.features.kind} features`);
  if (algorithm) parts.push(`${algorithmText(algorithm)}${whyText(why)}`);
  if (path) parts.push(pathText(path));
  if (plan) parts.push(...(algorithm?.rule ? [`batch ${plan.batch}`] : []), ...planParts(plan, engine));
  return parts.join(" · ");
}

/** Formats the reason for the choice. If the user named the algorithm, the reason concerns only the strength. */
const whyText = (why: string | undefined): string =>
  why === undefined ? "" : ` (${/^l[12] is /.test(why) ? "" : "chosen for "}${why})`;

/** Explains why minibatch descent uses one worker although more were offered. */
export const workersLine = ({ algorithm, plan }: Pick<Described, "algorithm" | "plan">, offered = 1): string[] =>
  algorithm?.rule && plan && plan.workers < offered
    ? [`1 worker, because each update needs the one before; --replicas shares updates among ${offered} workers`]
    : [];

export function factorsLine(
  { task, rank, biases, l2, weighted, alpha, algorithm, plan }: FactorsDescribed,
  engine: EngineDescription,
): string {
  const kind = task === "rating" ? `ratings${biases ? ", with biases" : ""}` : `preferences, alpha ${alpha}`;
  const parts = [`factorisation of rank ${rank}, ${kind}`, `l2 ${l2}${weighted ? " per rating" : ""}`, algorithmText(algorithm)];
  return [...parts, ...planParts(plan, engine)].join(" · ");
}

function planParts(plan: PlanJson, engine: EngineDescription): string[] {
  const { data, model: numbers } = plan.precision;
  const build = plan.deterministic ? engine.build.replace("relaxed", "simd") : engine.build;
  return [
    workersText(plan),
    data === numbers ? data : `${data} data, ${numbers} model`,
    `${build} build${plan.deterministic ? ", deterministic" : ""}`,
    `seed ${plan.seed}`,
  ];
}

export function workersText({ workers, replicas }: { workers: number; replicas: number | "shared" }): string {
  const count = counted(workers, "worker");
  if (replicas === "shared") return workers === 1 ? count : `${count} on one model`;
  return replicas === 1 ? count : `${count}, ${replicas} replicas averaged`;
}
