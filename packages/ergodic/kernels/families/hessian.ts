// Kernels of the family "hessian": gradients and Hessians of linear models, for Newton's method.
export * from "../learning/hessian";
