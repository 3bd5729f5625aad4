/** Plain versions of the rules of `measure`: sums, sorting, and a queue simulated query by query. */
import { stream } from "../../../src/engine/random/stream.ts";

/** P(X ≤ over) for X ~ Binomial(n, 1 − p), summed term by term from logarithms. */
export function tail(n: number, over: number, p: number): number {
  let log = n * Math.log(p);
  let sum = Math.exp(log);
  for (let k = 1; k <= over; k++) {
    log += Math.log((n - k + 1) / k) + Math.log((1 - p) / p);
    sum += Math.exp(log);
  }
  return sum;
}

export function allowedPlainly(n: number, p: number): number {
  let over = -1;
  while (tail(n, over + 1, p) <= 0.01) over++;
  return over;
}

/**
 * Smallest latency that a share p of the queries does not exceed. Null if there are too few queries for any to lie
 * above it.
 */
export function quantilePlainly(latencies: readonly number[], p: number): number | null {
  const n = latencies.length;
  if (n * (1 - p) < 1 - 1e-9) return null;
  const sorted = [...latencies].sort((a, b) => a - b);
  return sorted.find((x) => sorted.filter((y) => y <= x).length >= p * n - 1e-9)!;
}

/** Arrival times in seconds at a rate of one per second. */
export function arrivalsPlainly(count: number, seed: number): number[] {
  const draws = stream(seed, "measure", "arrivals").at(0);
  let at = 0;
  return Array.from({ length: count }, () => (at += draws.exponential()));
}

/** Latencies in ms of a queue with several servers, in order of arrival, with the same service time for each query. */
export function queuePlainly(
  rate: number,
  count: number,
  { service, servers, seed }: { service: number; servers: number; seed: number },
): number[] {
  const free = new Array<number>(servers).fill(0);
  return arrivalsPlainly(count, seed).map((arrival) => {
    const due = (1000 * arrival) / rate;
    const which = free.indexOf(Math.min(...free));
    free[which] = Math.max(due, free[which]) + service;
    return free[which] - due;
  });
}
