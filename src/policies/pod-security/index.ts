export { podSecurityPolicies } from "./policy.ts";
