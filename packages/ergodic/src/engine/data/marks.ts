/**
 * Marks that identify datasets and ratings. The marks are getters of the prototypes. The marks let a program recognise
 * datasets and ratings without loading their classes.
 */
export const datasetMark: unique symbol = Symbol("Dataset");
export const ratingsMark: unique symbol = Symbol("Ratings");

export const isMarked = (value: unknown, mark: symbol): boolean => typeof value === "object" && value !== null && mark in value;
