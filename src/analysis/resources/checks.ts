import type { Severity } from "../../core/finding.ts";

interface LintCheckInfo {
  readonly title: string;
  readonly category: string;
  /** Of a finding that says nothing else. */
  readonly severity: Severity;
  /** Why it matters, for `--explain` and the reference. */
  readonly why: string;
  /** Each case of the check, and what was found. */
  readonly rules: { readonly [rule: string]: string };
  readonly url?: string;
}

const fields = "Fields";
const workloads = "Workloads";
const rbac = "RBAC";
const quotas = "Quotas and limits";
const audit = "Audit";
const network = "Network";
const promises = "Promises";
const secrets = "Secrets";

/** Every check of the linter, and the cases it tells apart. `docs/reference/linter.md` is generated from this table. */
export const lintChecks = {
  "unknown-field": {
    title: "Unknown, misspelt or misplaced field",
    category: fields,
    severity: "medium",
    why: "kubectl refuses an object with an unknown field; any other client gets it stored without the field, so what it asked for silently does not happen.",
    rules: {
      misspelt: "A field of nearly this name stands at the same place: other case, singular for plural, a slip of the finger.",
      misplaced: "A field of this name, which would take this value, stands elsewhere in the kind.",
      unknown: "Nothing of this name is near.",
    },
    url: "https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation",
  },
  "wrong-type": {
    title: "Value of the wrong type",
    category: fields,
    severity: "medium",
    why: "The API server cannot decode the object and refuses it.",
    rules: {
      string:
        "A number or a boolean where text is expected; unquoted `yes`, `no`, `on`, `off`, `y` and `n` are booleans in YAML.",
      integer: "Text or a fraction where a whole number is expected.",
      number: "Text where a number is expected.",
      boolean: "Text or a number where true or false is expected.",
      quantity: "Neither a number nor text where an amount is expected.",
      "integer-or-string": "Neither a whole number nor text.",
      array: "One value where a list is expected.",
      object: "Something else where an object is expected.",
    },
  },
  "invalid-value": {
    title: "Value that the API server refuses",
    category: fields,
    severity: "medium",
    why: "The API server refuses the object.",
    rules: {
      "not-allowed": "The field takes one of a few values, and this is none of them.",
      quantity: "The amount has a unit that Kubernetes does not know.",
      byte: "The text is not base64.",
      int32: "The number is too large for the field.",
      int64: "The number is too large for the field.",
    },
  },
  "missing-field": {
    title: "Required field is missing",
    category: fields,
    severity: "medium",
    why: "The API server refuses the object. Only fields that it really enforces are named; patches are left out.",
    rules: { required: "The field is absent, null or empty." },
  },
  "api-version": {
    title: "API version that is not served",
    category: fields,
    severity: "high",
    why: "An object of a version that the API server does not serve cannot be created; a version that will go makes the next upgrade fail.",
    rules: {
      removed: "The version was served once, and was removed.",
      "not-served": "The kind is served in other versions.",
      "off-by-default": "An alpha or beta version is served only where an administrator has switched it on.",
      "wrong-group": "The kind belongs to another API group.",
      "unknown-kind": "The group has a kind of nearly this name.",
    },
    url: "https://kubernetes.io/docs/reference/using-api/deprecation-guide/",
  },
  metadata: {
    title: "Name or label that the API server refuses",
    category: fields,
    severity: "medium",
    why: "The API server refuses the object.",
    rules: {
      "no-name": "The object has neither name nor generateName.",
      name: "The name has letters that a name cannot have.",
      "label-key": "The key is no label key.",
      "label-value": "The value is too long, or has letters that a label cannot have.",
      "annotation-key": "The key is no annotation key.",
    },
    url: "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
  },
  "duplicate-object": {
    title: "The same object twice",
    category: fields,
    severity: "low",
    why: "Whichever is applied last wins.",
    rules: {
      different: "One file defines the object twice, differently.",
      identical: "One file defines the object twice, word for word.",
    },
  },
  "pod-template": {
    title: "Workload whose parts do not agree",
    category: workloads,
    severity: "medium",
    why: "The API server refuses the object.",
    rules: {
      selector: "The selector is empty or invalid.",
      "selector-mismatch": "The selector does not select the labels of the pod template.",
      "restart-policy": "A Job says nothing about restarts, or another controller says Never.",
      "no-such-volume": "A container mounts a volume that the pod does not have.",
      "duplicate-name": "Two containers or two volumes share a name.",
      "no-image": "A container names no image.",
    },
  },
  "pod-resources": {
    title: "Pod-level resources that the API server refuses",
    category: workloads,
    severity: "medium",
    why: "A pod as a whole may name CPU, memory and huge pages only; devices are asked for by containers.",
    rules: { "container-only": "The pod as a whole asks for a device or for storage." },
    url: "https://kubernetes.io/docs/tasks/configure-pod-container/assign-pod-level-resources/",
  },
  "container-resources": {
    title: "Container resources that the API server refuses",
    category: workloads,
    severity: "medium",
    why: "Devices come in whole numbers, need a limit and cannot be overcommitted. A pod that asks for them otherwise is refused; with a custom resource only its controller's log says so.",
    rules: {
      "unknown-resource": "No container can ask for this: `gpu` instead of `nvidia.com/gpu`.",
      fraction: "A part of a device.",
      negative: "Less than nothing.",
      "limit-missing": "A device is requested without a limit.",
      "not-equal": "The request for a device differs from its limit.",
      "over-limit": "The request is greater than the limit.",
    },
    url: "https://kubernetes.io/docs/tasks/manage-gpus/scheduling-gpus/",
  },
  "rbac-resource": {
    title: "RBAC rule for a resource that does not exist",
    category: rbac,
    severity: "medium",
    why: "RBAC compares names and refuses nothing: a rule for a resource that the API does not serve grants nothing, and nobody is told.",
    rules: {
      "no-such-resource": "The group serves no resource of this name: a kind, a singular, a short name, a slip.",
      "no-such-subresource": "The resource has no such subresource: `pods/logs` instead of `pods/log`.",
      "wrong-group": "The resource belongs to another API group, or its group was removed.",
      "no-such-group": "No API group has this name: `core`, a group with its version, a slip.",
      wildcard: "A star stands where RBAC reads it as a letter: `pods/*`.",
    },
    url: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources",
  },
  "rbac-verb": {
    title: "RBAC rule with a verb that does nothing",
    category: rbac,
    severity: "medium",
    why: "No request carries the verb, so the rule grants nothing.",
    rules: {
      "no-such-verb": "No request has this verb: `read`, `GET`, `exec`.",
      "not-supported": "The resource cannot be asked for with any of the rule's verbs.",
    },
    url: "https://kubernetes.io/docs/reference/access-authn-authz/authorization/#determine-the-request-verb",
  },
  "rbac-rule": {
    title: "RBAC rule that grants less than it says",
    category: rbac,
    severity: "medium",
    why: "Parts of the rule can never match a request, or the API server refuses the role.",
    rules: {
      rejected: "The API server refuses the role.",
      "name-wildcard": "resourceNames holds a star, which is a letter there.",
      "nameless-verb": "resourceNames stands beside create or deletecollection, whose requests carry no name.",
      "cluster-scoped": "A Role names a resource that belongs to no namespace.",
    },
    url: "https://kubernetes.io/docs/reference/access-authn-authz/rbac/",
  },
  "quota-key": {
    title: "Quota for something that is not counted",
    category: quotas,
    severity: "high",
    why: "The API server refuses some unknown keys and stores others that no pod, claim or object ever counts against, so the budget does not exist.",
    rules: {
      rejected: "The API server refuses the whole quota: `limits.gpu`.",
      uncounted: "The key is stored, and nothing is counted against it: `limits.nvidia.com/gpu`.",
      "invalid-value": "The amount is negative, or a part of something that comes whole.",
    },
    url: "https://kubernetes.io/docs/concepts/policy/resource-quotas/",
  },
  "quota-scope": {
    title: "Quota that does not cover every pod",
    category: quotas,
    severity: "medium",
    why: "A scoped quota counts only the pods in its scope; every other pod escapes it.",
    rules: {
      escape: "No other quota of the namespace counts the pods outside the scope.",
      silenced: "In this scope nothing is ever counted against the key.",
      rejected: "The API server refuses the scope, or its combination with a key.",
    },
    url: "https://kubernetes.io/docs/concepts/policy/resource-quotas/#quota-scopes",
  },
  "limit-range": {
    title: "Limit range that does something else than it seems",
    category: quotas,
    severity: "high",
    why: "A maximum without a default becomes the default of every container that names no limit, and so its request.",
    rules: {
      "max-becomes-request": "Every container that names none gets the maximum as limit and request.",
      "max-becomes-limit": "Every container that names none gets the maximum as limit.",
      "per-container": "A maximum for a device holds for each container, not for the pod.",
      "max-demands-limit": "A maximum of type Pod refuses pods that set no limit.",
      rejected: "The API server refuses the limit range.",
    },
    url: "https://kubernetes.io/docs/concepts/policy/limit-range/",
  },
  "audit-policy": {
    title: "Audit rule that does not record what it says",
    category: audit,
    severity: "high",
    why: "The API server logs one warning about unknown fields of an audit policy and goes on without them; the first rule that matches decides alone.",
    rules: {
      "unknown-field": "The field does not exist and is ignored, so that the rule covers more than it says.",
      "never-reached": "An earlier rule matches everything that this one does.",
      "no-catch-all": "Requests that no rule matches are not recorded.",
      "credentials-logged": "The rule writes Secrets or tokens into the log.",
      "no-such-resource": "No request is for this resource.",
      "no-such-verb": "No request has this verb.",
      "star-is-a-letter": "A star stands where it is compared as a letter.",
      rejected: "kube-apiserver refuses the policy and does not start.",
    },
    url: "https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/",
  },
  "network-policy": {
    title: "Network policy that allows more than it seems",
    category: network,
    severity: "high",
    why: "An empty or missing peer list allows everybody, and each dash starts a peer of its own.",
    rules: {
      "rules-ignored": "policyTypes does not list the direction, so its rules do nothing and it stays open.",
      "denies-ingress-too": "Egress rules without policyTypes also deny all ingress.",
      "no-pod-selector": "Without podSelector every pod of the namespace is selected.",
      "empty-peers": "An empty list of peers allows everybody.",
      "deny-that-allows": "A policy that is called a denial allows everything.",
      "all-namespaces": "An empty namespaceSelector is the whole cluster.",
      "split-peers": "Two peers, of which either is enough, where one with both selectors was probably meant.",
      "empty-ports": "An empty list of ports is every port.",
      "empty-port": "An empty port is every TCP port.",
      "open-egress": "Egress to every address.",
      "host-bits": "The range is larger than the address it is written with.",
      "dns-without-udp": "Port 53 without UDP.",
      rejected: "The API server refuses the policy.",
    },
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
  },
  "label-promise": {
    title: "Label that promises what nothing enforces",
    category: promises,
    severity: "medium",
    why: "A label changes nothing by itself. People read it as a guarantee.",
    rules: {
      isolation: "Isolation without default deny, quota or Pod Security level.",
      classification: "Classified data without default deny.",
      stage: "Production without anything that protects it.",
      "pod-security": "A security level that no Pod Security label enforces.",
    },
  },
  "pod-security-label": {
    title: "Pod Security label that is not in force",
    category: promises,
    severity: "high",
    why: "The admission plugin ignores labels it does not know, and refuses a namespace with a value it cannot read.",
    rules: {
      ignored: "No plugin reads a label of this name.",
      "invalid-value": "The level or version does not exist.",
    },
    url: "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
  },
  "secret-data": {
    title: "Secret that holds no usable value",
    category: secrets,
    severity: "medium",
    why: "The values of `data` are base64; a placeholder is refused by the API server, or stored as it stands.",
    rules: {
      placeholder: "The value is a placeholder that was never replaced.",
      "not-base64": "The value is not base64; the API server refuses the Secret.",
      "not-encoded": "Plain text that is base64 by accident.",
    },
    url: "https://kubernetes.io/docs/concepts/configuration/secret/",
  },
  "plain-secret": {
    title: "Credential in plain text",
    category: secrets,
    severity: "high",
    why: "Whoever may read the manifest, the pod or the ConfigMap has the credential.",
    rules: {
      env: "In an environment variable.",
      argument: "In an argument or a command.",
      "config-map": "In a ConfigMap.",
    },
    url: "https://kubernetes.io/docs/concepts/configuration/secret/",
  },
} as const satisfies Record<string, LintCheckInfo>;

export type LintCheckId = keyof typeof lintChecks;
