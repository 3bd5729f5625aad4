// Kernels of the family "trees": bins, histograms and divisions.
export * from "../learning/trees";
export * from "../learning/forests";
