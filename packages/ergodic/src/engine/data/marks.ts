/**
 * Marks that identify datasets and ratings, as getters of their prototypes. With these marks, a program can test for
 * datasets and ratings without loading their classes.
 */
export const datasetMark: unique symbol = Symbol("Dataset");
export const ratingsMark: unique symbol = Symbol("Ratings");

export const isMarked = (value: unknown, mark: symbol): boolean => typeof value === "object" && value !== null && mark in value;
