/**
 * The reference posteriors as models of this library, with their data and known answers. Source: posteriordb (Magnusson
 * et al. 2025).
 */
import { existsSync, readFileSync } from "node:fs";
import type { ModelData, StatisticalModel } from "../../../src/bayes/model/index.ts";
import { groups } from "./groups.ts";
import { regressions } from "./regressions.ts";
import { sequences } from "./sequences.ts";

export const MODELS: Readonly<Record<string, StatisticalModel>> = { ...regressions, ...groups, ...sequences };

const FOLDER = new URL("../../../../../../shared/data/posteriordb/", import.meta.url);

/** Whether the reference values are available. */
export const haveReferences = existsSync(FOLDER);

export interface ReferenceParameter {
  readonly name: string;
  readonly mean: number;
  readonly sd: number;
  readonly mean_sq: number;
  readonly mcse_mean?: number;
  readonly mcse_mean_sq?: number;
  /** Exact values, without Monte Carlo error. */
  readonly exact?: { readonly mean: number; readonly sd: number };
}

export interface Reference {
  readonly name: string;
  readonly dimensions: Readonly<Record<string, number>>;
  readonly data_file: string;
  readonly parameters: readonly ReferenceParameter[];
  readonly log_density_checks: readonly { point: Record<string, number | number[]>; log_density: number }[];
}

export const referenceOf = (name: string): Reference => JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8"));
export const dataOf = ({ data_file }: Reference): ModelData => JSON.parse(readFileSync(new URL(data_file, FOLDER), "utf8"));
