import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { JsonObject } from "../../core/json.ts";
import { castellanGroup } from "../../core/resource-kind.ts";
import { matchWildcard } from "../../core/wildcard.ts";
import { allFormats } from "../../policies/all-formats.ts";
import { globalContextKind } from "../../policies/kyverno/global-context-entry.ts";
import type { CompiledPolicy, CompiledRule, KindSelector } from "../../policies/policy.ts";
import { accessKinds } from "../access/access-documents.ts";
import { grantExtraKey } from "../access/guardrail-grant.ts";
import { runByServer } from "../live/policy-informers.ts";
import type { WebhookOwner } from "../live/webhook-registration.ts";
import { type AdmissionStage, runsAt } from "./admit.ts";
import { machineryConditions } from "./machinery.ts";
import type { PolicyGroups } from "./policy-groups.ts";

/** How the API server reaches the webhook: a Service in the cluster, or a URL. The authority is base64 of PEM. */
export type WebhookAddress =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number }; readonly authority: string }
  | { readonly url: string; readonly authority: string };

export interface WebhookOptions {
  readonly address: WebhookAddress;
  /** What the paths begin with at the moment; undefined: nothing. */
  readonly prefix?: () => string;
  /** Namespaces that are never asked about: our own, so that we can always start. */
  readonly exemptNamespaces: readonly string[];
  /** Of webhooks that are for no policy. */
  readonly timeoutSeconds: number;
  /** Calls that come with an approval of the gateway are asked about everywhere. */
  readonly approvedCalls?: boolean;
  readonly owner: WebhookOwner;
}

/** By their key of Impersonate-Extra: no other call costs anything. */
const approvedCall = `has(request.userInfo.extra) && '${grantExtraKey}' in request.userInfo.extra`;
const everything: Rule = {
  apiGroups: ["*"],
  apiVersions: ["*"],
  resources: ["*/*"],
  operations: ["CREATE", "UPDATE", "DELETE"],
  scope: "*",
};

/** A namespace with this label is not asked about: for the hour in which nothing else helps. It is recorded who sets it. */
const breakGlassLabel = "castellan.dev/break-glass";
const configurationName = "castellan";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly apiVersions: readonly string[];
  readonly resources: readonly string[];
  readonly operations: readonly string[];
  readonly scope: "*";
}

/** Both webhook configurations, with the narrowest rules that the policies need; a configuration without webhooks where none does. */
export function webhookConfigurations(
  policies: PolicyGroups,
  resources: ApiResources,
  options: Omit<WebhookOptions, "owner">,
): readonly JsonObject[] {
  return (["mutate", "validate"] as const).map((stage) => {
    const webhooks = policies.groups.flatMap(({ onError, timeoutSeconds, isUsual, policies: { policies: own } }) => {
      const rules = rulesOf(own, stage, resources);
      if (rules.length === 0) return [];
      const parts = [stage, onError, ...(isUsual ? [] : [timeoutSeconds])];
      const failurePolicy = onError === "deny" ? "Fail" : "Ignore";
      return [webhook(`/${parts.join("/")}`, parts.join("-"), failurePolicy, rules, { ...options, timeoutSeconds })];
    });
    const kept = stage === "validate" ? policyRules(resources) : [];
    // Without us a policy cannot be judged, and who repairs a cluster must be able to store one.
    if (kept.length > 0) webhooks.push(webhook("/policies", "policies", "Ignore", kept, options));
    if (stage === "validate" && options.approvedCalls === true) {
      const conditions = [{ name: "approved", expression: approvedCall }];
      webhooks.push({ ...webhook("/approved", "approved", "Fail", [everything], options), matchConditions: conditions });
    }
    return {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: stage === "mutate" ? "MutatingWebhookConfiguration" : "ValidatingWebhookConfiguration",
      metadata: { name: configurationName },
      webhooks,
    };
  });
}

function webhook(
  path: string,
  name: string,
  failurePolicy: "Fail" | "Ignore",
  rules: readonly Rule[],
  options: Omit<WebhookOptions, "owner">,
): JsonObject {
  const { address } = options;
  const conditions = machineryConditions(rules);
  const whole = `${options.prefix?.() ?? ""}${path}`;
  const target: JsonObject =
    "url" in address ? { url: `${address.url}${whole}` } : { service: { ...address.service, path: whole } };
  return {
    name: `${name}.castellan.dev`,
    clientConfig: { ...target, caBundle: address.authority },
    rules: rules.map((rule): JsonObject => ({ ...rule })),
    failurePolicy,
    matchPolicy: "Equivalent",
    namespaceSelector: {
      matchExpressions: [
        { key: "kubernetes.io/metadata.name", operator: "NotIn", values: options.exemptNamespaces },
        { key: breakGlassLabel, operator: "DoesNotExist" },
      ],
    },
    objectSelector: {},
    ...(conditions.length === 0 ? {} : { matchConditions: conditions }),
    sideEffects: "NoneOnDryRun",
    timeoutSeconds: options.timeoutSeconds,
    admissionReviewVersions: ["v1"],
    ...(path.startsWith("/mutate/") ? { reinvocationPolicy: "IfNeeded" } : {}),
  };
}

const allOperations = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;

/** The kinds of policies that we run and the API server does not, and those that govern access. */
function policyRules(resources: ApiResources): readonly Rule[] {
  const kinds = [
    ...allFormats.formats.flatMap((format) => format.kinds),
    globalContextKind,
    ...accessKinds.map(({ kind }) => ({ group: castellanGroup, kind })),
  ];
  const distinct = new Map(kinds.map((one) => [`${one.group}/${one.kind}`, one]));
  return [...distinct.values()].flatMap(({ group, kind }) => {
    const served = runByServer === group ? undefined : resources.byKind(group, kind);
    return served === undefined
      ? []
      : [
          {
            apiGroups: [group],
            apiVersions: ["*"],
            resources: [served.resource],
            operations: ["CREATE", "UPDATE"],
            scope: "*" as const,
          },
        ];
  });
}

/** One rule for each set of operations and group, resources sorted, so that equal policies make equal configurations. */
function rulesOf(policies: readonly CompiledPolicy[], stage: AdmissionStage, resources: ApiResources): readonly Rule[] {
  const wanted = new Map<string, Set<string>>();
  for (const policy of policies) {
    for (const rule of policy.rules) {
      if (!runsAt(stage, rule) || rule.inServer !== undefined) continue;
      for (const target of rule.selectors.flatMap((selector) => targetsOf(selector, resources))) {
        const operations = wanted.get(target) ?? new Set<string>();
        wanted.set(target, operations);
        for (const operation of operationsOf(rule)) operations.add(operation);
      }
    }
  }
  const grouped = new Map<string, { rule: Omit<Rule, "resources">; resources: string[] }>();
  for (const [target, operations] of [...wanted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const [group = "", version = "", resource = ""] = target.split("|");
    const sorted = allOperations.filter((operation) => operations.has(operation));
    const key = `${group}|${version}|${sorted.join()}`;
    const entry = grouped.get(key) ?? {
      rule: { apiGroups: [group], apiVersions: [version], operations: sorted, scope: "*" as const },
      resources: [],
    };
    grouped.set(key, entry);
    entry.resources.push(resource);
  }
  return [...grouped.values()].map(({ rule, resources: names }) => ({ ...rule, resources: names }));
}

function operationsOf(rule: CompiledRule): Iterable<string> {
  return rule.operations ?? allOperations.filter((operation) => operation !== "CONNECT");
}

/** `group|version|resource[/subresource]` of what a selector can mean; kinds that are not served are left out until they are. */
function targetsOf(selector: KindSelector, resources: ApiResources): readonly string[] {
  const { group, version, kind, subresource } = selector;
  if (kind === "*") return [`${group}|${version}|${subresource === "" ? "*" : `*/${subresource}`}`];
  return resources
    .all()
    .filter((served) => matchWildcard(group, served.group) && matchWildcard(version, served.version))
    .flatMap((served) =>
      namesOf(served, kind, subresource).map((name) => `${served.group}|${version === "*" ? "*" : served.version}|${name}`),
    );
}

function namesOf(served: ApiResource, kind: string, subresource: string): readonly string[] {
  const own = matchWildcard(kind, served.kind);
  if (subresource === "") return own ? [served.resource] : [];
  return served.subresources
    .filter((sub) => matchWildcard(subresource, sub.name) && (own || matchWildcard(kind, sub.kind)))
    .map((sub) => `${served.resource}/${sub.name}`);
}
