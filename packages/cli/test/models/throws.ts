import { type ModelContext, normal } from "ergodic";

interface Nothing {
  boom: number;
}

export default ({ param }: ModelContext): void => {
  param("mu", normal(0, 1));
  (null as unknown as Nothing).boom;
};
