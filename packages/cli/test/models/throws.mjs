import { model, normal } from "ergodic";

export default model(({ param }) => {
  param("mu", normal(0, 1));
  JSON.parse("null").boom;
});
