/** Words of `--model` for models of trees. */
export const TREES = ["trees", "forest", "extraTrees", "tree"] as const;

export type TreesWord = (typeof TREES)[number];

/** Returns the word by which `--model` names trees, if it does. The readers of data and of options both ask. */
export function treesWord({ model }: { model?: string }): TreesWord | undefined {
  return TREES.find((word) => model === word || model?.startsWith(`${word}:`));
}
