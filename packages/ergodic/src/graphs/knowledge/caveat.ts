import type { Certificate } from "../../engine/contract/index.ts";

/** Collects the certificates of probabilities, and says how many of them have no guarantee. */
export class Caveat {
  #count = 0;
  #unsure = 0;
  #reason = "";

  add(certificate: Certificate): void {
    this.#count++;
    if (!("none" in certificate)) return;
    this.#unsure++;
    this.#reason ||= certificate.none;
  }

  /** Sentence about the probabilities without a guarantee. Undefined if there are none. */
  get text(): string | undefined {
    if (this.#unsure === 0) return undefined;
    return `${this.#unsure} of ${this.#count} probabilities have no guarantee (${this.#reason}), so this can be wrong`;
  }
}
