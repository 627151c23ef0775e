export type { Decision, PolicyResult } from "./decision.ts";
export {
  type EvaluateOptions,
  type Evaluation,
  type Excuse,
  evaluate,
  type PolicyRule,
  rulesForOthers,
} from "./evaluate.ts";
export { plainFinding, policyName, toFinding } from "./findings.ts";
export { type Candidate, type Candidates, PolicySet, type TargetKey } from "./policy-set.ts";
