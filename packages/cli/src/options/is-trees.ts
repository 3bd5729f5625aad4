/** Whether `--model` names trees. The readers of data and of options both ask. */
export function isTrees({ model }: { model?: string }): boolean {
  return model === "trees" || model?.startsWith("trees:") === true;
}
