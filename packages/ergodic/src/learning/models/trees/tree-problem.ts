import type { Plan, Problem, TreeGrowth, TreeState } from "../../../engine/contract/index.ts";
import type { Dataset } from "../../../engine/data/dataset.ts";
import type { Engine } from "../../../engine/memory/engine.ts";

/** Rows bound to a model of trees. `P`: the parts of the model; `start`: trees of an earlier model, to which a run adds. */
export abstract class TreeProblem<P extends { readonly start: Float64Array | undefined }> implements Problem, TreeGrowth {
  readonly name: string;
  readonly rowCount: number;
  readonly parameterCount: number;
  readonly start: Float64Array;
  protected readonly data: Dataset;
  protected readonly engine: Engine;
  protected readonly given: P;

  constructor(name: string, data: Dataset, engine: Engine, given: P) {
    this.name = name;
    this.data = data;
    this.engine = engine;
    this.given = given;
    this.rowCount = data.rowCount;
    this.start = given.start ?? new Float64Array(0);
    this.parameterCount = this.start.length;
  }

  abstract open(plan: Plan): TreeState;

  dispose(): void {}
}
