/**
 * Latent Dirichlet allocation: topics of documents, by coordinate ascent on all documents or by steps on minibatches.
 *
 * θ_d ~ Dirichlet(α, …, α) over topics, β_k ~ Dirichlet(η, …, η) over words; a word of document d is of topic k ~ θ_d, and then ~ β_k.
 * counts: [document, word], how often. q = Π q(topic of each word) Π Dir(θ_d | γ_d) Π Dir(β_k | λ_k). φ_dwk ∝ exp(E log θ_dk + E log β_kw);
 * γ_d = α + Σ_w n_dw φ_dw; λ_k = η + Σ_d n_dw φ_dwk. φ is never kept: summed out, it makes the ELBO Σ n_dw log Σ_k exp(E log θ_dk + E log β_kw) less the
 * divergences of γ and λ. With one topic q is the posterior, and the ELBO the log evidence (of words in order, without multinomial coefficients).
 * α (`documentConcentration`) and η (`wordConcentration`): 1/`topics`. Topics come in no order; the start decides which maximum.
 * `batch`: so many documents a step, drawn without replacement epoch by epoch; γ of those to rest, then λ ← (1 − ρ_t)λ + ρ_t(η + D/|batch| Σ n φ),
 * ρ_t = (`delay` + t)^−`forgetting`, for `epochs` passes. Streams of `seed`: ("topics", "start"), ("topics", "order") epoch by epoch.
 * Source: Blei, Ng, Jordan 2003 (with a Dirichlet on topics); Hoffman, Blei, Wang, Paisley 2013.
 *
 * @throws DataError, OptionError
 */
import { checkKeys, checkNumber, DataError } from "../../base/errors.ts";
import { exp } from "../../base/exp.ts";
import { log } from "../../base/log.ts";
import { type Stream, stream } from "../../base/stream.ts";
import { coordinateAscent, type FactorParameters } from "./coordinate-ascent.ts";
import { dirichletDivergence, expectedLog } from "./dirichlet.ts";

export interface TopicsOptions {
  topics: number;
  documentConcentration?: number;
  wordConcentration?: number;
  /** Default: 0. */
  seed?: number;
  /** Sweeps: 1000. */
  iterations?: number;
  /** Relative: 1e-6. */
  tolerance?: number;
  /** Documents a step; absent: all, by coordinate ascent. */
  batch?: number;
  /** Passes over the documents in minibatches: 10. */
  epochs?: number;
  /** 1. */
  delay?: number;
  /** In (0.5, 1]: 0.7. */
  forgetting?: number;
}

export interface TopicsResult {
  /** E[β], [topic, word]. */
  readonly topics: Float64Array;
  /** E[θ], [document, topic]. */
  readonly documents: Float64Array;
  /** γ, [document, topic], and λ, [topic, word]. */
  readonly parameters: FactorParameters<"documents" | "topics">;
  /** After each sweep; of minibatches after each epoch, on all documents. */
  readonly elbo: Float64Array;
  readonly iterations: number;
  /** False after minibatches: their steps do not say. */
  readonly converged: boolean;
}

type Name = "documents" | "topics";
type Factors = FactorParameters<Name>;
const LOCAL_SWEEPS = 100;
const LOCAL_TOLERANCE = 1e-5;

const defaults = { seed: 0, iterations: 1000, tolerance: 1e-6, epochs: 10, delay: 1, forgetting: 0.7 };

export function topics(counts: readonly ArrayLike<number>[], given: TopicsOptions): TopicsResult {
  const options = resolve(given);
  const corpus = new Corpus(counts, options);
  if (options.batch !== undefined) return stochastic(corpus, { ...options, batch: options.batch });
  const run = coordinateAscent({
    start: corpus.start(options.seed),
    factors: { documents: (q) => corpus.documents(q), topics: (q) => corpus.topics(q) },
    elbo: (q: Factors) => corpus.elbo(q),
    iterations: options.iterations,
    tolerance: options.tolerance,
  });
  return { ...run, ...corpus.means(run.parameters) };
}

function resolve(given: TopicsOptions) {
  const where = "topics";
  const known = ["topics", "documentConcentration", "wordConcentration", "batch", ...Object.keys(defaults)];
  checkKeys(where, given, known);
  checkNumber(where, "topics", given.topics, { low: 1, high: 1e5, integer: true });
  const share = 1 / given.topics;
  const options = { documentConcentration: share, wordConcentration: share, ...defaults, ...given };
  checkNumber(where, "documentConcentration", options.documentConcentration, { low: 0, open: true });
  checkNumber(where, "wordConcentration", options.wordConcentration, { low: 0, open: true });
  checkNumber(where, "iterations", options.iterations, { low: 0, high: 1e9, integer: true });
  checkNumber(where, "tolerance", options.tolerance, { low: 0 });
  checkNumber(where, "epochs", options.epochs, { low: 1, high: 1e9, integer: true });
  checkNumber(where, "delay", options.delay, { low: 0 });
  checkNumber(where, "forgetting", options.forgetting, { low: 0.5, high: 1, open: true });
  if (options.batch !== undefined) checkNumber(where, "batch", options.batch, { low: 1, integer: true });
  return options;
}

interface Document {
  readonly words: Uint32Array;
  readonly counts: Float64Array;
}

class Corpus {
  readonly size: number;
  private readonly list: readonly Document[];
  private readonly words: number;
  private readonly count: number;
  private readonly alpha: number;
  private readonly eta: number;

  constructor(rows: readonly ArrayLike<number>[], { topics: count, documentConcentration, wordConcentration }: ReturnType<typeof resolve>) {
    if (rows.length === 0) throw new DataError("topics", "there are no documents; give at least one", "DATA_EMPTY");
    this.size = rows.length;
    this.words = rows[0].length;
    this.count = count;
    this.alpha = documentConcentration;
    this.eta = wordConcentration;
    this.list = rows.map((row, d) => this.document(row, d));
  }

  /** λ: each topic its own random share of each word's count; γ: all topics alike. */
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
    for (const [d, document] of this.list.entries()) gamma.set(this.local(document, this.of(q.documents, d), topicLogs), d * this.count);
    return gamma;
  }

  topics(q: Factors): Float64Array {
    const topicLogs = this.topicLogs(q.topics);
    const lambda = new Float64Array(this.count * this.words).fill(this.eta);
    for (let d = 0; d < this.size; d++) this.addWords(d, this.of(q.documents, d), topicLogs, 1, lambda);
    return lambda;
  }

  /** One step on a minibatch: λ, and γ of its documents in place. */
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

  /** γ of all documents at rest, for λ as it stands. */
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
      throw new DataError("topics", `document ${d} must have ${this.words} counts >= 0, one a word, like the first`, "DATA_SHAPE");
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

  /** φ of a word, and the log of what it was divided by. */
  private shares(logs: Float64Array, topicLogs: Float64Array, w: number): { phi: Float64Array; logTotal: number } {
    const phi = logs.map((v, k) => v + topicLogs[k * this.words + w]);
    const largest = phi.reduce((most, v) => Math.max(most, v), -Infinity);
    let total = 0;
    for (let k = 0; k < phi.length; k++) total += phi[k] = exp(phi[k] - largest);
    for (let k = 0; k < phi.length; k++) phi[k] /= total;
    return { phi, logTotal: largest + log(total) };
  }

  /** One update of γ. */
  private local({ words, counts }: Document, gamma: Float64Array, topicLogs: Float64Array): Float64Array {
    const logs = expectedLog(gamma);
    const next = new Float64Array(this.count).fill(this.alpha);
    for (const [i, w] of words.entries()) {
      const { phi } = this.shares(logs, topicLogs, w);
      for (let k = 0; k < phi.length; k++) next[k] += counts[i] * phi[k];
    }
    return next;
  }

  /** γ after as many updates as it takes. */
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

function stochastic(
  corpus: Corpus,
  { seed, batch, epochs, delay, forgetting }: Required<Pick<TopicsOptions, "seed" | "batch" | "epochs" | "delay" | "forgetting">>,
): TopicsResult {
  const orders = stream(seed, "topics", "order");
  let q = corpus.start(seed);
  const elbo: number[] = [];
  let t = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = shuffled(corpus.size, orders, epoch);
    for (let from = 0; from < order.length; from += batch) {
      const rate = Math.min(1, exp(-forgetting * log(delay + ++t)));
      q = corpus.batchStep(q, order.subarray(from, from + batch), rate);
    }
    q = corpus.settled(q);
    elbo.push(corpus.elbo(q));
  }
  return { ...corpus.means(q), parameters: q, elbo: Float64Array.from(elbo), iterations: t, converged: false };
}

function shuffled(count: number, orders: Stream, epoch: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  const draws = orders.at(epoch);
  for (let i = count - 1; i > 0; i--) {
    const j = draws.integer(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
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
