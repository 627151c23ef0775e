export { admit } from "./admission.ts";
export type { AdmissionAnswer } from "./answer.ts";
export { defaultConfiguration, type Exemptions, type PodSecurityConfiguration, parseConfiguration } from "./configuration.ts";
export { type PodSecurityOptions, podSecurityPolicies, podSecurityPolicy } from "./policy.ts";
export { type Level, type LevelVersion, parseLevel, parseVersion, type Version } from "./versions.ts";
