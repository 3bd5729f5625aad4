/**
 * Marks that identify datasets and ratings, as getters of their prototypes. Programs that use neither need not load the
 * classes to test for them.
 */
export const datasetMark: unique symbol = Symbol("Dataset");
export const ratingsMark: unique symbol = Symbol("Ratings");

export const isMarked = (value: unknown, mark: symbol): boolean => typeof value === "object" && value !== null && mark in value;
