/** The options of Stein variational gradient descent (svgd.ts), as given and with every default filled in. */

export interface SvgdOptions {
  /** 100. */
  particles?: number;
  /** Of AdaGrad, in units of the coordinates: 0.5. */
  rate?: number;
  /** h; absent: by the median. */
  bandwidth?: number;
  /** At most: 1000. */
  iterations?: number;
  /** Of the root mean square of φ: 0.001. */
  tolerance?: number;
  /** Rows of a batch, of a model conditioned with `rows`, that each gradient of a particle reads; default: all. */
  batch?: number;
  /** "pathfinder". */
  start?: "pathfinder" | "random";
}

export type ResolvedSvgd = Required<Omit<SvgdOptions, "bandwidth" | "batch">> & Pick<SvgdOptions, "bandwidth" | "batch">;
