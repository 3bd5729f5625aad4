/**
 * Names and units of the losses that are shown during training. Validation measures the log loss, the deviance, the RMSE
 * or the share of wrong classes. A squared loss is half the squared error, so it is shown as an RMSE too.
 */
export interface LossScale {
  /** Name of the training loss. */
  readonly loss: string;
  /** Name of the validation loss. Only "validation" if both are on one scale. */
  readonly validation: string;
  /** Converts the mean training loss to this scale. */
  readonly of: (loss: number) => number;
}

const same = { loss: "loss", validation: "validation", of: (loss: number) => loss };
const measured: Readonly<Record<string, string>> = {
  binary: "validation error",
  multiclass: "validation error",
  regression: "validation RMSE",
  count: "validation deviance",
};

export function lossScale({ name }: { readonly name: string }, task: string): LossScale {
  if (name === "squared") return { ...same, loss: "RMSE", of: (loss) => Math.sqrt(2 * loss) };
  return name === "logistic" || name === "multinomial" ? same : { ...same, validation: measured[task] };
}
