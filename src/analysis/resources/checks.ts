import type { Severity } from "../../core/finding.ts";

interface LintCheckInfo {
  readonly title: string;
  readonly category: string;
  /** Of a finding that says nothing else. */
  readonly severity: Severity;
  /** Why it matters, for `--explain` and the reference. */
  readonly why: string;
  readonly url?: string;
}

const fields = "Fields";
const rbac = "RBAC";
const quotas = "Quotas and limits";
const audit = "Audit";
const network = "Network";
const secrets = "Secrets";
const promises = "Promises";

/** Every check of the linter. */
export const lintChecks = {
  "unknown-field": {
    title: "Unknown, misspelt or misplaced field",
    category: fields,
    severity: "medium",
    why: "kubectl refuses an object with an unknown field; any other client gets it stored without the field, so what it asked for silently does not happen.",
    url: "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
  },
  "wrong-type": {
    title: "Value of the wrong type",
    category: fields,
    severity: "medium",
    why: "The API server cannot decode the object and refuses it.",
  },
  "invalid-value": {
    title: "Value that the API server refuses",
    category: fields,
    severity: "medium",
    why: "The API server's validation refuses the object.",
  },
  "missing-field": {
    title: "Required field is missing",
    category: fields,
    severity: "medium",
    why: "The API server's validation refuses the object.",
  },
  "api-version": {
    title: "API version that is not served",
    category: fields,
    severity: "high",
    why: "An object of a version that the API server does not serve cannot be created; a version that will go makes the next upgrade fail.",
    url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
  },
  "duplicate-object": {
    title: "The same object twice",
    category: fields,
    severity: "low",
    why: "Whichever is applied last wins, and which one that is depends on the order of the files.",
  },
  "rbac-resource": {
    title: "RBAC rule for a resource that does not exist",
    category: rbac,
    severity: "medium",
    why: "RBAC compares names and refuses nothing: a rule for a resource that the API does not serve grants nothing, and nobody is told.",
    url: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources",
  },
  "rbac-verb": {
    title: "RBAC rule with a verb that does not exist",
    category: rbac,
    severity: "medium",
    why: "No request carries the verb, so the rule grants nothing.",
    url: "https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb",
  },
  "rbac-rule": {
    title: "RBAC rule that grants less than it says",
    category: rbac,
    severity: "medium",
    why: "Parts of the rule can never match a request, or the API server refuses the role.",
    url: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
  },
  "quota-key": {
    title: "Quota for something that is not counted",
    category: quotas,
    severity: "high",
    why: "The API server refuses some unknown keys and stores others that no pod, claim or object ever counts against, so the budget does not exist.",
    url: "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
  },
  "quota-scope": {
    title: "Quota that does not cover every pod",
    category: quotas,
    severity: "medium",
    why: "A scoped quota counts only the pods in its scope; every other pod escapes it.",
    url: "https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes",
  },
  "limit-range": {
    title: "Limit range that does something else than it seems",
    category: quotas,
    severity: "high",
    why: "A maximum without a default becomes the default of every container that names no limit, and so its request.",
    url: "https://kubernetes.io/docs/concepts/policy/limit-range/",
  },
  "pod-resources": {
    title: "Pod-level resources that the API server refuses",
    category: quotas,
    severity: "medium",
    why: "A pod as a whole may name CPU, memory and huge pages only; devices are asked for by containers.",
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/",
  },
  "container-resources": {
    title: "Container resources that the API server refuses",
    category: quotas,
    severity: "medium",
    why: "Devices come in whole numbers, need a limit and cannot be overcommitted; a pod that asks for them otherwise is refused, and with a custom resource only its controller's log says so.",
    url: "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/",
  },
  "pod-template": {
    title: "Workload whose parts do not agree",
    category: fields,
    severity: "medium",
    why: "The API server's validation refuses the object.",
  },
  metadata: {
    title: "Name or label that the API server refuses",
    category: fields,
    severity: "medium",
    why: "The API server's validation refuses the object.",
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
  },
  "audit-policy": {
    title: "Audit rule that does not record what it says",
    category: audit,
    severity: "high",
    why: "The API server logs one warning about unknown fields of an audit policy and goes on without them; the first rule that matches decides alone.",
    url: "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/",
  },
  "network-policy": {
    title: "Network policy that allows more than it seems",
    category: network,
    severity: "high",
    why: "An empty or missing peer list allows everybody, and each dash starts a peer of its own.",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  "label-promise": {
    title: "Label that promises what nothing enforces",
    category: promises,
    severity: "medium",
    why: "A label changes nothing by itself. People read it as a guarantee.",
  },
  "pod-security-label": {
    title: "Pod Security label that is not in force",
    category: promises,
    severity: "high",
    why: "The admission plugin ignores labels it does not know, and treats a level it cannot read as restricted or fails; either is rarely what was meant.",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
  },
  "secret-data": {
    title: "Secret that holds no usable value",
    category: secrets,
    severity: "medium",
    why: "The values of `data` are base64; a placeholder is refused by the API server, or stored as it stands.",
    url: "https://kubernetes.io/docs/concepts/configuration/secret/",
  },
  "plain-secret": {
    title: "Credential in plain text",
    category: secrets,
    severity: "high",
    why: "Whoever may read the manifest, the pod or the ConfigMap has the credential.",
    url: "https://kubernetes.io/docs/concepts/configuration/secret/",
  },
} as const satisfies Record<string, LintCheckInfo>;

export type LintCheckId = keyof typeof lintChecks;
