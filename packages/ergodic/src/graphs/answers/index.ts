/** Exports of the answers of `infer`. */
export { Answer, type AnswerContent, type BestState, refuseImpossible, type VariableMarginal } from "./answer.ts";
export { type Certified, certificateText, certifiedSum, weakest } from "./certificate.ts";
