import { Counter, collectDefaultMetrics, Gauge, type MetricObjectWithValues, Registry } from "prom-client";
import type { Histogram } from "../../histogram.ts";
import type { LearnerStats } from "../../learn/index.ts";
import { LearningModel } from "../../models/learning-model.ts";
import type { ModelVersion } from "../../repository/model-version.ts";
import type { Repository } from "../../repository/repository.ts";
import type { Routes, Server } from "../context.ts";
import { textAnswer } from "./schemas.ts";

/** Default metrics of prom-client whose names Prometheus's own check refuses. */
const MISNAMED = ["nodejs_active_resources_total", "nodejs_active_handles_total", "nodejs_active_requests_total"];

/** Route for all counters, for Prometheus. */
export const addMetrics: Routes = (app, { repository, answers }) => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const metrics = labelledMetrics(registry, repository);
  addRequestMetrics(metrics, repository);
  addLearningMetrics(metrics);
  addAnswerMetrics(registry, answers);
  addHistograms(registry, repository);
  app.get("/metrics", { schema: { summary: "Metrics for Prometheus", response: textAnswer } }, async (_, reply) => {
    reply.header("content-type", registry.contentType);
    return reply.send(await registry.metrics());
  });
};

type Collect<M> = (metric: M, version: ModelVersion, labels: { model: string; version: string }) => void;

/** Common parts of metrics that have one value per version of a model. */
interface LabelledMetrics {
  readonly labelled: { labelNames: string[]; registers: Registry[] };
  /** Returns the `collect` method for such a metric. The method sets the value for each version. */
  eachModel<M extends { reset(): void }>(collect: Collect<M>): (this: M) => void;
}

function labelledMetrics(registry: Registry, repository: Repository): LabelledMetrics {
  return {
    labelled: { labelNames: ["model", "version"], registers: [registry] },
    eachModel: <M extends { reset(): void }>(collect: Collect<M>) =>
      function (this: M): void {
        this.reset();
        for (const version of repository) collect(this, version, { model: version.name, version: version.version });
      },
  };
}

/** Adds requests and rows of each model. */
function addRequestMetrics({ labelled, eachModel }: LabelledMetrics, repository: Repository): void {
  new Counter({
    ...labelled,
    name: "ergodic_requests_total",
    help: "Requests of a model by outcome",
    labelNames: ["model", "version", "outcome"],
    collect: eachModel<Counter>((metric, { batches, invalid }, labels) => {
      const { answered, cancelled, refused, failed } = batches.stats();
      const outcomes = { answered, invalid, failed, cancelled, full: refused.full, deadline: refused.deadline };
      for (const [outcome, count] of Object.entries(outcomes)) metric.inc({ ...labels, outcome }, count);
    }),
  });
  new Counter({
    ...labelled,
    name: "ergodic_rows_total",
    help: "Rows computed",
    collect: eachModel<Counter>((metric, { batches }, labels) => metric.inc(labels, batches.stats().rows)),
  });
  new Counter({
    ...labelled,
    name: "ergodic_unknown_levels_total",
    help: "Cells with a category level that the model does not know",
    labelNames: ["model", "version", "column"],
    collect: eachModel<Counter>((metric, { unknownLevels }, labels) => {
      for (const [column, count] of unknownLevels) metric.inc({ ...labels, column }, count);
    }),
  });
  new Gauge({
    ...labelled,
    name: "ergodic_waiting_rows",
    help: "Rows that wait for a batch",
    collect: eachModel<Gauge>((metric, { batches }, labels) => metric.set(labels, batches.stats().waiting.rows)),
  });
  new Gauge({
    ...labelled,
    name: "ergodic_model_ready",
    help: "1 if the version is served, 0 if it could not be",
    collect() {
      this.reset();
      for (const { name, version, state } of repository.index()) this.set({ model: name, version }, Number(state === "READY"));
    },
  });
}

/** Adds metrics of models that learn from requests. */
function addLearningMetrics({ labelled, eachModel }: LabelledMetrics): void {
  // Values that do not exist yet are not reported.
  const learning = (Metric: typeof Counter | typeof Gauge, name: string, help: string, of: (stats: LearnerStats) => number) =>
    new Metric({
      ...labelled,
      name,
      help,
      collect: eachModel<Counter | Gauge>((metric, { served }, labels) => {
        const value = served instanceof LearningModel ? of(served.learner.stats()) : Number.NaN;
        if (!Number.isNaN(value)) metric.inc(labels, value);
      }),
    });
  learning(Counter, "ergodic_learnt_rows_total", "Rows learnt since the learner's folder was made", ({ all }) => all.rows);
  learning(
    Gauge,
    "ergodic_progressive_loss",
    "Mean loss of the latest rows before they were learnt",
    ({ recent }) => recent.loss,
  );
  learning(Gauge, "ergodic_learning_waiting_rows", "Rows that wait to be learnt", ({ queuedRows }) => queuedRows);
  learning(
    Gauge,
    "ergodic_learner_degraded",
    "1 if learning has stopped until the learner's folder is opened again, else 0",
    ({ failure }) => Number(failure !== undefined),
  );
  learning(Gauge, "ergodic_journal_bytes", "Size of the journal in bytes", ({ journalBytes }) => journalBytes);
}

/** Adds answers over HTTP. */
function addAnswerMetrics(registry: Registry, answers: Server["answers"]): void {
  new Counter({
    name: "ergodic_http_answers_total",
    help: "Responses by route and status",
    labelNames: ["route", "status"],
    registers: [registry],
    collect() {
      this.reset();
      for (const [route, counts] of answers)
        for (const [status, count] of counts) this.inc({ route, status: String(status) }, count);
    },
  });
}

/** Adds the distributions of batch sizes and times, by model. */
function addHistograms(registry: Registry, repository: Repository): void {
  const histogram = (name: string, help: string, unit: number, of: (version: ModelVersion) => Histogram): void => {
    const metric = {
      name,
      get: () => {
        const values = [...repository].flatMap((version) => {
          const labels = { model: version.name, version: version.version };
          return pointsOf(name, of(version), labels, unit);
        });
        return Promise.resolve({
          name,
          help,
          type: "histogram",
          values,
          aggregator: "sum",
        } as unknown as MetricObjectWithValues<never>);
      },
      reset: () => {},
    };
    registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0]);
  };
  const micro = 1e-6;
  histogram("ergodic_batch_rows", "Rows per batch", 1, ({ batches }) => batches.histograms.batchRows);
  histogram(
    "ergodic_queue_seconds",
    "Time that requests waited for their batch",
    micro,
    ({ batches }) => batches.histograms.queueUs,
  );
  histogram("ergodic_compute_seconds", "Compute time of batches", micro, ({ batches }) => batches.histograms.computeUs);
  histogram("ergodic_latency_seconds", "Time from a request to its answer", micro, ({ batches }) => batches.histograms.latencyUs);
}

interface Point {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/** Returns the points of a histogram. `unit`: unit of a value, in units of the metric. */
function pointsOf(name: string, histogram: Histogram, labels: Record<string, string>, unit: number): Point[] {
  // The bound is rounded to decimal digits, so that 2·10⁻⁵ is not 0.000020000000000000001.
  const bound = (value: number): number => Number((value * unit).toPrecision(6));
  const points: Point[] = histogram
    .cumulative()
    .map(([le, value]) => ({ metricName: `${name}_bucket`, labels: { le: bound(le), ...labels }, value }));
  points.push({ metricName: `${name}_bucket`, labels: { le: "+Inf", ...labels }, value: histogram.count });
  points.push({ metricName: `${name}_sum`, labels, value: histogram.sum * unit });
  points.push({ metricName: `${name}_count`, labels, value: histogram.count });
  return points;
}
