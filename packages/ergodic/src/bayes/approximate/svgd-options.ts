/** Options of Stein variational gradient descent (svgd.ts): as the user gives them, and with defaults filled in. */

export interface SvgdOptions {
  /** Number of particles. Default 100. */
  particles?: number;
  /** Step size of AdaGrad, in units of the coordinates. Default 0.5. */
  rate?: number;
  /** Kernel bandwidth h. Default: computed from the median distance. */
  bandwidth?: number;
  /** Maximum number of iterations. Default 1000. */
  iterations?: number;
  /** Root mean square of φ below which the run ends. Default 0.001. */
  tolerance?: number;
  /** Number of rows per gradient of a particle, for a model conditioned with `rows`. Default: all. */
  batch?: number;
  /** Initial particles: "pathfinder" (default) or "random". */
  start?: "pathfinder" | "random";
}

export type ResolvedSvgd = Required<Omit<SvgdOptions, "bandwidth" | "batch">> & Pick<SvgdOptions, "bandwidth" | "batch">;
