import { type CapabilityId, capabilityOf, type RightSpec } from "./capabilities.ts";
import { type PolicyRule, ruleAllows } from "./policy-rule.ts";

/** A rule that gives a part of a capability, by its index in the list. */
export interface Proof {
  readonly rule: PolicyRule;
  readonly index: number;
}

interface Target {
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
}

const targets = new Map<string, Target>();

function targetOf(text: string): Target {
  const known = targets.get(text);
  if (known !== undefined) return known;
  const [apiGroup = "", resource = "", subresource = ""] = text.split("/");
  const target = { apiGroup, resource, subresource };
  targets.set(text, target);
  return target;
}

/** Of the resources above, those of no namespace. */
const clusterScoped = new Set([
  "/users",
  "/groups",
  "/nodes",
  "/nodes/status",
  "/nodes/proxy",
  "/persistentvolumes",
  "rbac.authorization.k8s.io/clusterroles",
  "certificates.k8s.io/certificatesigningrequests/approval",
  "certificates.k8s.io/certificatesigningrequests/status",
  "certificates.k8s.io/signers",
  "admissionregistration.k8s.io/mutatingwebhookconfigurations",
  "admissionregistration.k8s.io/validatingwebhookconfigurations",
  "admissionregistration.k8s.io/mutatingadmissionpolicies",
  "admissionregistration.k8s.io/validatingadmissionpolicies",
  "admissionregistration.k8s.io/validatingadmissionpolicybindings",
  "apiregistration.k8s.io/apiservices",
  "kyverno.io/clusterpolicies",
  "policies.kyverno.io/validatingpolicies",
  "templates.gatekeeper.sh/constrainttemplates",
]);

const nobody = { user: "", groups: [], isResourceRequest: true, path: "", namespace: "" };

/** Whether a rule gives a right over all names, or over one that is as good. */
function gives(rule: PolicyRule, spec: RightSpec, clusterWide: boolean): boolean {
  const { verbs, resources, names, or } = spec;
  if (or !== undefined && gives(rule, or, clusterWide)) return true;
  if (rule.resources.length === 0) return false;
  const name = rule.resourceNames.length === 0 ? "" : rule.resourceNames.find((n) => names === "any" || names?.includes(n));
  // With names, list and watch still show single objects only, and create has no name to match.
  if (name === undefined) return false;
  return resources.some((text) => {
    // A role is bound in a namespace whatever its own scope; what else belongs to none is out of a RoleBinding's reach.
    if (!clusterWide && clusterScoped.has(text) && !verbs.includes("bind")) return false;
    const target = targetOf(text);
    return verbs.some((verb) => ruleAllows(rule, { ...nobody, verb, name, ...target }));
  });
}

/** The rules, one for each need, that together give a capability where they are bound; undefined where one is lacking. */
export function proofOf(rules: readonly PolicyRule[], id: CapabilityId, clusterWide: boolean): readonly Proof[] | undefined {
  const proofs: Proof[] = [];
  for (const need of capabilityOf(id).needs) {
    const index = rules.findIndex((rule) => gives(rule, need, clusterWide));
    const rule = rules[index];
    if (rule === undefined) return undefined;
    proofs.push({ rule, index });
  }
  return proofs;
}

/** Whether rules of the whole cluster and those of one namespace give a capability there, in parts or alone. */
export function isHeldBy(clusterWide: readonly PolicyRule[], local: readonly PolicyRule[], id: CapabilityId): boolean {
  return capabilityOf(id).needs.every(
    (need) => clusterWide.some((rule) => gives(rule, need, true)) || local.some((rule) => gives(rule, need, false)),
  );
}
