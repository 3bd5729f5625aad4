// The file exports the same functions as the library, so its types are those of the package "ergodic".
export * from "ergodic";
