export { compileRego } from "./load.ts";
export { formatEvaluationError, type RegoProgram } from "./program.ts";
export { toJson } from "./values/json.ts";
export { fromJson, RegoObject, RegoSet, type Value } from "./values/value.ts";
