import { DataError } from "../../engine/errors/errors.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { stream } from "../../engine/random/stream.ts";
import type { FactorParameters } from "./coordinate-ascent.ts";
import { dirichletDivergence, expectedLog } from "./dirichlet.ts";

/** Parameters γ, [document, topic], and λ, [topic, word]. */
export type Factors = FactorParameters<"documents" | "topics">;

export interface CorpusOptions {
  topics: number;
  documentConcentration: number;
  wordConcentration: number;
}

/**
 * Limits of the updates of a document's γ: the maximum number, and the mean change per topic below which the updates
 * end.
 */
const LOCAL_SWEEPS = 100;
const LOCAL_TOLERANCE = 1e-5;

interface Document {
  readonly words: Uint32Array;
  readonly counts: Float64Array;
}

/**
 * Documents of latent Dirichlet allocation, with the operations for topics.ts: starts, updates of both factors, and the
 * ELBO.
 */
export class Corpus {
  readonly size: number;
  private readonly list: readonly Document[];
  private readonly words: number;
  private readonly count: number;
  private readonly alpha: number;
  private readonly eta: number;

  constructor(rows: readonly ArrayLike<number>[], { topics: count, documentConcentration, wordConcentration }: CorpusOptions) {
    if (rows.length === 0) throw new DataError("topics", "there are no documents; give at least one", "DATA_EMPTY");
    this.size = rows.length;
    this.words = rows[0].length;
    this.count = count;
    this.alpha = documentConcentration;
    this.eta = wordConcentration;
    this.list = rows.map((row, d) => this.document(row, d));
  }

  /** Initial λ: each topic gets a random share of each word's count; initial γ: all topics equal. */
  start(seed: number): Factors {
    const draws = stream(seed, "topics", "start").at(0);
    const lambda = new Float64Array(this.count * this.words);
    const totals = new Float64Array(this.words);
    for (const { words, counts } of this.list) for (const [i, w] of words.entries()) totals[w] += counts[i];
    for (let w = 0; w < this.words; w++) {
      const shares = Float64Array.from({ length: this.count }, () => 0.5 + draws.exponential());
      const all = shares.reduce((sum, v) => sum + v, 0);
      for (let k = 0; k < this.count; k++) lambda[k * this.words + w] = this.eta + (totals[w] * shares[k]) / all;
    }
    const gamma = Float64Array.from(this.list.flatMap((document) => [...this.evenly(document)]));
    return { documents: gamma, topics: lambda };
  }

  documents(q: Factors): Float64Array {
    const gamma = new Float64Array(this.size * this.count);
    const topicLogs = this.topicLogs(q.topics);
    for (const [d, document] of this.list.entries())
      gamma.set(this.local(document, this.of(q.documents, d), topicLogs), d * this.count);
    return gamma;
  }

  topics(q: Factors): Float64Array {
    const topicLogs = this.topicLogs(q.topics);
    const lambda = new Float64Array(this.count * this.words).fill(this.eta);
    for (let d = 0; d < this.size; d++) this.addWords(d, this.of(q.documents, d), topicLogs, 1, lambda);
    return lambda;
  }

  /** Performs one minibatch step: returns the new λ, and updates γ in place for the documents of the minibatch. */
  batchStep(q: Factors, batch: Uint32Array, rate: number): Factors {
    const topicLogs = this.topicLogs(q.topics);
    const seen = new Float64Array(q.topics.length).fill(this.eta);
    for (const d of batch) {
      const gamma = this.rest(d, topicLogs);
      q.documents.set(gamma, d * this.count);
      this.addWords(d, gamma, topicLogs, this.size / batch.length, seen);
    }
    return { documents: q.documents, topics: q.topics.map((v, at) => (1 - rate) * v + rate * seen[at]) };
  }

  /** Returns converged γ of all documents for the given λ. */
  settled({ topics: lambda }: Factors): Factors {
    const topicLogs = this.topicLogs(lambda);
    const documents = Float64Array.from(this.list.flatMap((_, d) => [...this.rest(d, topicLogs)]));
    return { documents, topics: lambda };
  }

  elbo(q: Factors): number {
    const topicLogs = this.topicLogs(q.topics);
    let value = 0;
    for (const [d, document] of this.list.entries()) {
      const gamma = this.of(q.documents, d);
      const logs = expectedLog(gamma);
      for (const [i, w] of document.words.entries()) value += document.counts[i] * this.shares(logs, topicLogs, w).logTotal;
      value -= dirichletDivergence(gamma, this.alpha);
    }
    for (let k = 0; k < this.count; k++)
      value -= dirichletDivergence(q.topics.subarray(k * this.words, (k + 1) * this.words), this.eta);
    return value;
  }

  means({ documents, topics: lambda }: Factors) {
    return { documents: normalised(documents, this.count), topics: normalised(lambda, this.words) };
  }

  private document(row: ArrayLike<number>, d: number): Document {
    const usable = row.length === this.words && Array.from(row).every((count) => count >= 0 && Number.isFinite(count));
    if (!usable)
      throw new DataError(
        "topics",
        `document ${d} must have ${this.words} counts >= 0, one per word, like the first document`,
        "DATA_SHAPE",
      );
    const words = Uint32Array.from(Array.from(row).keys()).filter((w) => row[w] > 0);
    return { words, counts: Float64Array.from(words, (w) => row[w]) };
  }

  private evenly({ counts }: Document): Float64Array {
    const each = counts.reduce((sum, v) => sum + v, 0) / this.count;
    return new Float64Array(this.count).fill(this.alpha + each);
  }

  private of(gamma: Float64Array, d: number): Float64Array {
    return gamma.subarray(d * this.count, (d + 1) * this.count);
  }

  /** E log β, [topic, word]. */
  private topicLogs(lambda: Float64Array): Float64Array {
    const logs = new Float64Array(lambda.length);
    for (let from = 0; from < lambda.length; from += this.words)
      logs.set(expectedLog(lambda.subarray(from, from + this.words)), from);
    return logs;
  }

  /** Returns φ of a word, and the log of its normaliser. */
  private shares(logs: Float64Array, topicLogs: Float64Array, w: number): { phi: Float64Array; logTotal: number } {
    const phi = logs.map((v, k) => v + topicLogs[k * this.words + w]);
    const largest = phi.reduce((most, v) => Math.max(most, v), -Infinity);
    let total = 0;
    for (let k = 0; k < phi.length; k++) total += phi[k] = exp(phi[k] - largest);
    for (let k = 0; k < phi.length; k++) phi[k] /= total;
    return { phi, logTotal: largest + log(total) };
  }

  /** Makes one update of γ. */
  private local({ words, counts }: Document, gamma: Float64Array, topicLogs: Float64Array): Float64Array {
    const logs = expectedLog(gamma);
    const next = new Float64Array(this.count).fill(this.alpha);
    for (const [i, w] of words.entries()) {
      const { phi } = this.shares(logs, topicLogs, w);
      for (let k = 0; k < phi.length; k++) next[k] += counts[i] * phi[k];
    }
    return next;
  }

  /** Returns γ after updates until convergence. */
  private rest(d: number, topicLogs: Float64Array): Float64Array {
    let gamma = this.evenly(this.list[d]);
    for (let i = 0; i < LOCAL_SWEEPS; i++) {
      const next = this.local(this.list[d], gamma, topicLogs);
      const change = next.reduce((sum, v, k) => sum + Math.abs(v - gamma[k]), 0) / this.count;
      gamma = next;
      if (change < LOCAL_TOLERANCE) break;
    }
    return gamma;
  }

  private addWords(d: number, gamma: Float64Array, topicLogs: Float64Array, times: number, into: Float64Array): void {
    const logs = expectedLog(gamma);
    const { words, counts } = this.list[d];
    for (const [i, w] of words.entries()) {
      const { phi } = this.shares(logs, topicLogs, w);
      for (let k = 0; k < phi.length; k++) into[k * this.words + w] += times * counts[i] * phi[k];
    }
  }
}

function normalised(rows: Float64Array, width: number): Float64Array {
  const out = rows.slice();
  for (let from = 0; from < out.length; from += width) {
    const row = out.subarray(from, from + width);
    const total = row.reduce((sum, v) => sum + v, 0);
    for (let i = 0; i < width; i++) row[i] /= total;
  }
  return out;
}
