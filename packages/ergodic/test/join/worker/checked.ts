import { expect } from "vitest";

export interface Gave {
  found: Record<string, [here: unknown, there: unknown]>;
  /**
   * For each call: number of result names that the run refuses locally, and those of them that the worker's run does
   * not refuse.
   */
  unawaited: Record<string, { count: number; missing: string[] }>;
  errors: Record<string, string>;
  reason: string;
  ticks: number;
}

/** Results of the calls of verbs-task.ts: equal locally and in the worker, with the same errors. */
export function expectTheSame({ found, unawaited, errors, reason, ticks }: Gave): void {
  expect(Object.keys(found)).toEqual([
    ...[
      "linear",
      "a rule on the whole objective",
      "quantised and validated",
      "sparse",
      "network",
      "predictions",
      "ratings",
      "path",
      "resumed",
      "from a trained model",
      "from a checkpoint",
    ],
    ...[
      "sampled",
      "sampling resumed",
      "new rows",
      "a function that is exported",
      "minimised",
      "tuned",
      "calibrated",
      "mode",
      "mode by a rule, from one start",
      "mode that there is not",
      "mode of a model that is exported",
      "inferred: marginals",
      "inferred: partition",
      "inferred: map",
      "inferred by an algorithm, of tables",
      "inferred in columns",
      "inferred from an answer",
      "columns resumed",
      "inference resumed",
      "inference resumed, as it was",
      "learnt",
      "learnt weights",
      "learnt otherwise",
      "learnt by pseudoLikelihood",
      "learnt by exactLikelihood",
      "learnt by default",
      "learnt from a result",
      "evidence that came later",
      "learning resumed",
      "calibration of what was learnt",
      "weights of an answer",
      "a rule of one's own",
      "in a chain, with other options",
      "a loss of one's own",
      "what solves",
      "a loss of one's own by coordinates",
      "resumed, elsewhere",
      "after refusals",
      "after what was not sent",
      "aborted",
    ],
  ]);
  for (const [name, [here, there]] of Object.entries(found)) {
    expect(String(here).length, name).toBeGreaterThan(5);
    expect(there, name).toEqual(here);
  }
  expect(Object.keys(unawaited).length).toBeGreaterThan(25);
  for (const [name, { count, missing }] of Object.entries(unawaited)) {
    expect(count, name).toBeGreaterThan(4);
    expect(missing, name).toEqual([]);
  }
  expect(ticks).toBeGreaterThan(0);
  expect(reason).toBe("enough");
  expect(errors["new rows without the model"]).toMatch(/^predictor: these draws come from a file .* \[DRAWS_MODEL\]$/);
  expect(errors["a run for its result"]).toMatch(/^ErgodicError RUN_UNAWAITED run: "toBytes" was asked of a run/);
  expect(errors.null).toMatch(/^OptionError OPTION_TYPE fit: options is null, but must be an object/);
  expect(errors.symbol).toMatch(
    /^OptionError WORKER_ARGUMENT worker: options\.seed is Symbol\(s\), which cannot be sent to a worker/,
  );
  expect(errors["inner function"]).toMatch(/^OptionError WORKER_ARGUMENT worker: options\.until\.loss is a function/);
  expect(errors["kept though refused"]).toMatch(/^ErgodicError RUN_FAILED checkpoint: the run could not begin/);
  expect(errors["kept though not sent"]).toMatch(/^ErgodicError RUN_FAILED checkpoint: the run could not begin/);
  expect(errors["kept though disposed"]).toMatch(/^WorkerError WORKER_DIED worker: the thread ended: it was disposed of/);
  expect(errors.infer).toMatch(/^OptionError OPTION_RANGE infer: task is "all", but must be one of/);
  expect(errors["no graph"]).toMatch(/^OptionError OPTION_TYPE infer: the first argument is .*, but must be a factor graph/);
  expect(errors["unknown evidence"]).toMatch(/^OptionError OPTION_UNKNOWN evidence: there is no variable "v111"; did you mean/);
  expect(errors["no checkpoint"]).toMatch(/^DataError SAFETENSORS checkpoint: is not a safetensors file/);
  expect(errors["aborted before"]).toBe("Error  at once");
  expect(errors.inherited).toMatch(
    /^OptionError WORKER_ARGUMENT worker: exported\("toString"\) was given, but the module exports nothing/,
  );
  expect(errors.controller).toMatch(/^OptionError \w+ fit: signal is /);
  expect(errors["unknown rule"]).toMatch(/^OptionError RULE_UNKNOWN rule: "mine" is neither a rule of this version/);
  expect(errors.procedure).toMatch(
    /^OptionError WORKER_ARGUMENT worker: the rule "stepwise" is a procedure in JavaScript, which cannot be sent to a worker; define it in a module/,
  );
  expect(errors.function).toMatch(
    /^OptionError WORKER_ARGUMENT worker: argument 1 is a function, which cannot be sent to a worker; export it/,
  );
  expect(errors.option).toBe("OptionError OPTION_RANGE fit: epochs is -1, but must be a number > 0 [OPTION_RANGE]");
  expect(errors.mode).toMatch(/^OptionError OPTION_RANGE fit: starts is 0/);
  expect(errors["mode without data"]).toMatch(/^DataError DATA_MISSING data: the model asks for "sigma"/);
  expect(errors["mode of what is discrete"]).toMatch(/^CapabilityError SAMPLE_DISCRETE fit: "k" is discrete/);
  expect(errors.rows).toMatch(/^OptionError WORKER_ARGUMENT worker: rows is given/);
  expect(errors.missing).toMatch(
    /^OptionError WORKER_ARGUMENT worker: exported\("nothing"\) was given, but the module exports f, plain, simple, trial;/,
  );
  expect(errors.abort).toMatch(/^AbortError/);
  expect(errors.disposed).toMatch(/^WorkerError WORKER_DIED worker: the thread ended: it was disposed of; start another/);
}
