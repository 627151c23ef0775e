import type { ObjectCheck } from "../object-check.ts";
import { peerIssues } from "./peers.ts";
import { networkRules } from "./policy.ts";
import { typeIssues } from "./policy-types.ts";
import { portIssues } from "./ports.ts";

/** Fields of a NetworkPolicy that allow more than they seem to, or less. */
export const networkPolicyCheck: ObjectCheck = {
  looksAround: true,
  kinds: ["networking.k8s.io/NetworkPolicy"],
  check(policy, context) {
    const rules = [...networkRules(policy, "Ingress"), ...networkRules(policy, "Egress")];
    return [...typeIssues(policy), ...rules.flatMap((rule) => [...peerIssues(policy, rule, context.set), ...portIssues(rule)])];
  },
};
