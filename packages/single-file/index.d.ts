// What the file exports is what the library does: its types are those of the package "ergodic".
export * from "ergodic";
