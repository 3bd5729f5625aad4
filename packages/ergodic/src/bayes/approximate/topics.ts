import { checkKeys, checkNumber } from "../../engine/errors/errors.ts";
import { printable } from "../../engine/errors/printable.ts";
import { exp } from "../../engine/numbers/exp.ts";
import { log } from "../../engine/numbers/log.ts";
import { type Stream, stream } from "../../engine/random/stream.ts";
import { coordinateAscent } from "./coordinate-ascent.ts";
import { Corpus, type Factors } from "./corpus.ts";

/** Options of `topics`. */
export interface TopicsOptions {
  /** Number of topics, a whole number, 1 to 100,000. */
  topics: number;
  /** α of the Dirichlet prior on each document's topics, > 0. Default 1/topics. */
  documentConcentration?: number;
  /** η of the Dirichlet prior on each topic's words, > 0. Default 1/topics. */
  wordConcentration?: number;
  /** Seed for the initial values and the order of documents. Default 0; a whole number >= 0. */
  seed?: number;
  /** Maximum number of sweeps over all documents. Default 1000; a whole number >= 0. */
  iterations?: number;
  /** Relative increase of the ELBO per sweep below which the ascent ends. Default 1e-6; >= 0. */
  tolerance?: number;
  /** Number of documents per step. Default: all documents, with coordinate ascent. */
  batch?: number;
  /** Number of passes over the documents in minibatches. Default 10; a whole number >= 1. */
  epochs?: number;
  /**
   * Delay of the minibatch steps: ρ_t = (delay + t)^−forgetting, so that a larger delay makes early steps smaller.
   * Default 1; >= 0.
   */
  delay?: number;
  /** Exponent of the minibatch steps, in (0.5, 1]: a larger value makes later steps smaller. Default 0.7. */
  forgetting?: number;
}

/** Result of `topics`. Arrays are row-major. */
export interface TopicsResult {
  /** Expected words of each topic, E[β], [topic, word]. */
  readonly topics: Float64Array;
  /** Expected topics of each document, E[θ], [document, topic]. */
  readonly documents: Float64Array;
  /** Parameters γ, [document, topic], and λ, [topic, word]. */
  readonly parameters: Factors;
  /** ELBO after each sweep. With minibatches, this is the ELBO on all documents after each epoch. */
  readonly elbo: Float64Array;
  /** Number of sweeps, or of minibatch steps. */
  readonly iterations: number;
  /** Whether the ELBO stopped rising. Always false with minibatches, because their steps cannot show convergence. */
  readonly converged: boolean;
}

const defaults = { seed: 0, iterations: 1000, tolerance: 1e-6, epochs: 10, delay: 1, forgetting: 0.7 };

/**
 * Latent Dirichlet allocation: topics of documents, by coordinate ascent on all documents or by minibatch steps.
 *
 * θ_d ~ Dirichlet(α, …, α) over topics, β_k ~ Dirichlet(η, …, η) over words; a word of document d has topic k ~ θ_d,
 * and is then drawn from β_k. counts: [document, word], the number of occurrences. q = Π q(topic of each word) Π
 * Dir(θ_d | γ_d) Π Dir(β_k | λ_k). φ_dwk ∝ exp(E log θ_dk + E log β_kw); γ_d = α + Σ_w n_dw φ_dw; λ_k = η + Σ_d n_dw
 * φ_dwk.
 *
 * φ is never stored: summing it out gives the ELBO Σ n_dw log Σ_k exp(E log θ_dk + E log β_kw) minus the divergences of
 * γ and λ. With one topic, q is the posterior and the ELBO is the log evidence (of the words in order, without
 * multinomial coefficients).
 *
 * α (`documentConcentration`) and η (`wordConcentration`): 1/`topics`. Topics have no particular order. The initial
 * values decide which maximum is found. The ascent ends when `tolerance` or `iterations` is reached.
 *
 * `batch`: number of documents per step, drawn without replacement in each epoch. First, γ of these documents is
 * updated until convergence. Then λ ← (1 − ρ_t)λ + ρ_t(η + D/|batch| Σ n φ), ρ_t = (`delay` + t)^−`forgetting`. There
 * are `epochs` passes over the documents. Streams of `seed`: ("topics", "start"), ("topics", "order") per epoch.
 *
 * Source: Blei, Ng, Jordan 2003 (with a Dirichlet on topics); Hoffman, Blei, Wang, Paisley 2013.
 *
 * @throws DataError, OptionError
 */
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
  return printable({ ...run, ...corpus.means(run.parameters) });
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
  checkNumber(where, "seed", options.seed, { low: 0, high: Number.MAX_SAFE_INTEGER, integer: true });
  checkNumber(where, "iterations", options.iterations, { low: 0, high: 1e9, integer: true });
  checkNumber(where, "tolerance", options.tolerance, { low: 0 });
  checkNumber(where, "epochs", options.epochs, { low: 1, high: 1e9, integer: true });
  checkNumber(where, "delay", options.delay, { low: 0 });
  checkNumber(where, "forgetting", options.forgetting, { low: 0.5, high: 1, open: true });
  if (options.batch !== undefined) checkNumber(where, "batch", options.batch, { low: 1, integer: true });
  return options;
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
  return printable({ ...corpus.means(q), parameters: q, elbo: Float64Array.from(elbo), iterations: t, converged: false });
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
