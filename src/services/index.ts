export { loadKubernetesSchemas, loadWorkloadCatalogue } from "../adapters/files/catalog.ts";
export { type LoadOptions, loadPaths } from "../adapters/files/load-paths.ts";
export type { LoadedPaths } from "../adapters/files/loaded-paths.ts";
export { applyBaseline, type Baseline, baselineObject, readBaseline } from "./baseline.ts";
export { explainPolicy } from "./explain/explain-policy.ts";
export type { PolicyExplanation } from "./explain/explanation.ts";
export { type CompiledPolicies, compilePolicies } from "./policies.ts";
export { lintPolicyDocuments, type PolicyLint } from "./policy-lint/lint-documents.ts";
export { type ScanCheck, type ScanRequest, type ScanResult, scan } from "./scan.ts";
