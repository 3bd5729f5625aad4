/**
 * The thread of an asynchronous predictor (async.ts). It loads a model and answers calls.
 *
 * It runs as a Web Worker of type "module" or as a worker thread of Node. If a bundler does not find the worker
 * automatically, build this module as a separate entry and pass its address as `predictor(file, { script })`.
 */

import { sentError } from "../engine/errors/sent-errors.ts";
import { parentOf } from "../engine/threads/own-thread.ts";
import type { AnyPredictor } from "./any-predictor.ts";
import type { Answer, Facts, Request } from "./async-messages.ts";
import { predictor } from "./load.ts";

type Anything = Record<string, unknown> & { predictInto(rows: unknown, out: Float64Array): number };

let model: (AnyPredictor & Partial<Anything>) | undefined;

async function answer(request: Request): Promise<Answer> {
  if (request.kind === "load") {
    const { bytes, where, options } = request;
    // The file's name appears in errors.
    model = (await predictor(new File([bytes as BlobPart], where), options)) as typeof model;
    return { kind: "loaded", facts: factsOf(model!) };
  }
  if (request.kind === "call") {
    const { method, args } = request;
    const found = (model as Anything)[method];
    return { kind: "done", result: typeof found === "function" ? found.apply(model, args) : found };
  }
  const { rows } = request;
  const { width, inputCount } = factsOf(model!);
  const count = ArrayBuffer.isView(rows) ? Math.ceil(rows.length / Math.max(1, inputCount!)) : (rows as unknown[]).length;
  const out = new Float64Array(count * width!);
  (model as Anything).predictInto(rows, out);
  return { kind: "done", result: out };
}

function factsOf(made: AnyPredictor): Facts {
  const { kind, task } = made;
  if (made.kind === "factorisation")
    return { kind, task, classes: undefined, targetName: undefined, width: undefined, inputCount: undefined };
  const { classes, targetName, width, inputCount } = made;
  return { kind, task, classes, targetName, width, inputCount };
}

const parent = parentOf<Request, Answer>();
parent?.hear((request) => {
  answer(request).then(
    (said) =>
      parent.post(said, said.kind === "done" && said.result instanceof Float64Array ? [said.result.buffer as ArrayBuffer] : []),
    (error: unknown) => parent.post({ kind: "failed", failure: sentError(error) }),
  );
});
