import { BlockDraws, type Stream } from "./stream.ts";

/** The draws of one update of a stream, which can be repeated. Bits and normal draws are computed once. */
export class RepeatedDraws extends BlockDraws {
  readonly #words: number[] = [];
  /** Normal draws, indexed by the position of the first word that they use. */
  readonly #normals: (number | undefined)[] = [];
  #next = 0;

  constructor({ key }: Stream, counter: number) {
    super(key, counter);
  }

  override bits(): number {
    if (this.#next === this.#words.length) this.#words.push(super.bits());
    return this.#words[this.#next++];
  }

  override normal(): number {
    const at = this.#next;
    const known = this.#normals[at];
    if (known === undefined) return (this.#normals[at] = super.normal());
    this.#next = at + WORDS_OF_NORMAL;
    return known;
  }

  /** Restarts the draws, so that they give the same numbers again. */
  restart(): void {
    this.#next = 0;
  }
}

const WORDS_OF_NORMAL = 2;
