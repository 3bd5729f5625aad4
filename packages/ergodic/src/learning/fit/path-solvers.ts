/** Builds the solvers of `fit.path`, one for all rows and one per fold. Solvers work on columns or on groups. */

import type { Plan } from "../../engine/contract/index.ts";
import type { Dataset } from "../../engine/data/dataset.ts";
import type { Engine } from "../../engine/memory/engine.ts";
import { GroupSolver } from "../coordinates/group-solver.ts";
import { columnSolvers, PathProgression, type PathSolvers } from "../coordinates/path.ts";
import { type LinearModel, linearModel } from "../models/linear/linear.ts";
import type { LinearProblem } from "../models/linear/problem.ts";

export interface PathParts {
  model: LinearModel;
  prepared: Dataset;
  problem: LinearProblem;
  folds: { of: Uint32Array; count: number } | undefined;
  plan: Plan;
  engine: Engine;
}

/** Starts a run along a path. When the run is disposed of, its solvers are freed too. */
export function startPath(parts: PathParts, options: ConstructorParameters<typeof PathProgression>[1]): PathProgression {
  const solvers = pathSolvers(parts);
  const progression = new PathProgression(solvers, options, parts.plan, parts.engine);
  const release = progression.dispose.bind(progression);
  progression.dispose = () => {
    release();
    solvers.dispose();
  };
  return progression;
}

/** Returns the solvers. `dispose` frees the datasets that were made for these solvers. */
function pathSolvers(parts: PathParts): PathSolvers & { dispose(): void } {
  const { problem, engine, folds } = parts;
  if (parts.model.options.group) return groupSolvers(parts);
  return { ...columnSolvers(problem.byColumns, engine, folds), dispose: () => {} };
}

/** Solvers for groups. These solvers build a separate model for each strength, and a separate dataset for each fold. */
function groupSolvers({ model, prepared, problem, folds, plan, engine }: PathParts): PathSolvers & { dispose(): void } {
  const made: Dataset[] = [];
  const rowsOf = (keep: (fold: number) => boolean): Dataset => {
    const rows = Array.from(folds!.of.keys()).filter((i) => keep(folds!.of[i]));
    made.push(prepared.select(rows));
    return made[made.length - 1];
  };
  const groups = model.options.group!.groups;
  const binder = (dataset: Dataset) => (strength: number) =>
    linearModel({ ...model.options, group: { strength, groups } }).bind(dataset, plan, engine);
  const { rowWeights } = problem.byColumns;
  return {
    all: new GroupSolver({ bind: binder(prepared), plan, engine }),
    folds: Array.from({ length: folds?.count ?? 0 }, (_, f) => {
      const bind = binder(rowsOf((fold) => fold !== f));
      const held = binder(rowsOf((fold) => fold === f));
      const weight = rowWeights.reduce((sum, w, i) => sum + (folds!.of[i] === f ? w : 0), 0);
      return { solver: new GroupSolver({ bind, held, plan, engine }), weight };
    }),
    rowCount: prepared.rowCount,
    parameterCount: problem.parameterCount,
    dispose: () => {
      for (const dataset of made) dataset.dispose();
    },
  };
}
