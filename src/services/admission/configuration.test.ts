import { describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { isArray, type JsonValue, member } from "../../core/json.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { compilePolicies } from "../policies.ts";
import { webhookConfigurations } from "./configuration.ts";
import { PolicyGroups } from "./policy-groups.ts";

const resources = loadKubernetesSchemas().resources();
const options = {
  address: { url: "https://127.0.0.1:9443", authority: "Q0E=" },
  exemptNamespaces: ["castellan"],
  timeoutSeconds: 10,
};

const policy = (name: string, spec: string) =>
  `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

function configurations(...policies: readonly string[]) {
  const { set, diagnostics } = compilePolicies(parseDocuments(policies.join("---\n"), "policies.yaml").documents, resources);
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  return webhookConfigurations(new PolicyGroups(set.policies), resources, options);
}

const webhooks = (configuration: JsonValue | undefined) => {
  const list = member(configuration, "webhooks");
  return isArray(list) ? list : [];
};
const rulesOf = (webhook: JsonValue): readonly JsonValue[] => {
  const list = member(webhook, "rules");
  return isArray(list) ? list : [];
};
const rules = (configuration: JsonValue | undefined) => webhooks(configuration).flatMap((webhook) => member(webhook, "rules"));

const pods = policy(
  "pods",
  "{rules: [{name: a, match: {any: [{resources: {kinds: [Pod]}}]}, validate: {failureAction: Enforce, deny: {}}}]}",
);

describe("webhook configurations", () => {
  test("no policy, no webhook", () => {
    expect(configurations().map((configuration) => webhooks(configuration))).toEqual([[], []]);
  });

  test("a policy about pods asks about pods and what makes pods, and nothing else", () => {
    const [mutating, validating] = configurations(pods);
    expect(webhooks(mutating)).toEqual([]);
    const asked = rules(validating).flatMap((rule) => member(rule ?? null, "resources"));
    expect(asked.toSorted()).toEqual(
      [
        "cronjobs",
        "daemonsets",
        "deployments",
        "jobs",
        "pods",
        "pods/ephemeralcontainers",
        "replicasets",
        "replicationcontrollers",
        "statefulsets",
      ].toSorted(),
    );
  });

  test("failure policies are told apart, and each has its own path", () => {
    const lenient = policy(
      "lenient",
      "{failurePolicy: Ignore, rules: [{name: a, match: {any: [{resources: {kinds: [Secret]}}]}, validate: {deny: {}}}]}",
    );
    const [, validating] = configurations(pods, lenient);
    const told = webhooks(validating).map(
      (webhook) => `${member(webhook, "failurePolicy")} ${member(member(webhook, "clientConfig"), "url")}`,
    );
    expect(told).toEqual(["Fail https://127.0.0.1:9443/validate/deny", "Ignore https://127.0.0.1:9443/validate/allow"]);
  });

  const about = (name: string, spec: string, kind: string) =>
    policy(name, `{${spec}, rules: [{name: a, match: {any: [{resources: {kinds: [${kind}]}}]}, validate: {deny: {}}}]}`);
  const cel = (name: string, kind: string, rest: string, resource: string) =>
    `apiVersion: policies.kyverno.io/v1\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: {webhookConfiguration: {timeoutSeconds: 5}, ${rest}, ` +
    `matchConstraints: {resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [${resource}]}]}}\n`;
  const quick = about("quick", "webhookConfiguration: {timeoutSeconds: 3}", "Secret");
  const older = about("older", "webhookTimeoutSeconds: 3", "ConfigMap");
  const usual = about("usual", "webhookTimeoutSeconds: 10", "Service");
  const forgiving = about("forgiving", "webhookConfiguration: {timeoutSeconds: 3, failurePolicy: Ignore}", "Node");
  const slow = about("slow", "webhookTimeoutSeconds: 30", "Namespace");
  const checked = cel("checked", "ValidatingPolicy", "validations: [{expression: 'true'}]", "limitranges");
  const expression = "Object{metadata: Object.metadata{labels: Object.metadata.labels{a: 'b'}}}";
  const mutations = `mutations: [{patchType: ApplyConfiguration, applyConfiguration: {expression: "${expression}"}}]`;
  const changed = cel("changed", "MutatingPolicy", mutations, "limitranges");

  test.each<[string, readonly string[], readonly string[]]>([
    ["that says nothing waits as long as usual", [pods], ["validate-deny 10 /validate/deny: pods"]],
    ["that says what is usual shares its webhook", [usual], ["validate-deny 10 /validate/deny: services"]],
    ["has a webhook of its own for its own timeout", [quick], ["validate-deny-3 3 /validate/deny/3: secrets"]],
    ["shares it with others of that timeout", [quick, older], ["validate-deny-3 3 /validate/deny/3: configmaps,secrets"]],
    [
      "is waited for no longer because of slower ones",
      [slow, quick, pods, forgiving],
      [
        "validate-deny 10 /validate/deny: pods",
        "validate-deny-3 3 /validate/deny/3: secrets",
        "validate-deny-30 30 /validate/deny/30: namespaces",
        "validate-allow-3 3 /validate/allow/3: nodes",
      ],
    ],
    [
      "in CEL says it likewise",
      [checked, changed],
      ["mutate-deny-5 5 /mutate/deny/5: limitranges", "validate-deny-5 5 /validate/deny/5: limitranges"],
    ],
  ])("a policy %s", (_, policies, expected) => {
    const kinds = new Set(["pods", "configmaps", "secrets", "services", "namespaces", "nodes", "limitranges"]);
    const told = configurations(...policies)
      .flatMap(webhooks)
      .map((webhook) => {
        const asked = rulesOf(webhook)
          .flatMap((rule) => member(rule, "resources"))
          .flat();
        const url = String(member(member(webhook, "clientConfig"), "url")).replace("https://127.0.0.1:9443", "");
        const name = String(member(webhook, "name")).replace(".castellan.dev", "");
        const shown = asked.map(String).filter((one) => kinds.has(one));
        return `${name} ${member(webhook, "timeoutSeconds")} ${url}: ${shown.toSorted().join()}`;
      });
    expect(told).toEqual(expected);
  });

  test("our own namespace and namespaces in emergency are left alone", () => {
    const [, validating] = configurations(pods);
    expect(member(member(webhooks(validating)[0], "namespaceSelector"), "matchExpressions")).toEqual([
      { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["castellan"] },
      { key: "castellan.dev/break-glass", operator: "DoesNotExist" },
    ]);
  });

  test("subresources and operations are those of the rule", () => {
    const exec = policy(
      "exec",
      '{rules: [{name: a, match: {any: [{resources: {kinds: ["Pod/exec"], operations: [CONNECT]}}]}, validate: {deny: {}}}]}',
    );
    const [, validating] = configurations(exec);
    expect(rules(validating)).toEqual([
      { apiGroups: [""], apiVersions: ["*"], resources: ["pods/exec"], operations: ["CONNECT"], scope: "*" },
    ]);
  });

  const everything = policy(
    "everything",
    '{rules: [{name: a, match: {any: [{resources: {kinds: ["*"]}}]}, validate: {deny: {}}}]}',
  );
  const named = (...policies: readonly string[]) =>
    webhooks(configurations(...policies)[1]).flatMap((webhook) => {
      const conditions = member(webhook, "matchConditions");
      return isArray(conditions) ? conditions.map((one) => String(member(one, "expression"))) : [];
    });

  test("who asks about everything does not stop what the cluster lives on, unless it is named", () => {
    expect(named(pods)).toEqual([]);
    expect(named(everything)).toEqual([expect.stringContaining("'coordination.k8s.io/leases', '/events', ")]);
    const leases = policy(
      "leases",
      "{rules: [{name: a, match: {any: [{resources: {kinds: [coordination.k8s.io/v1/Lease]}}]}, validate: {deny: {}}}]}",
    );
    expect(named(everything, leases)).toEqual([expect.not.stringContaining("leases")]);
    const guardrail = `apiVersion: castellan.dev/v1alpha1\nkind: Guardrail\nmetadata: {name: g}\nspec: {effect: deny, message: m}\n`;
    expect(named(guardrail)).toEqual([expect.stringContaining("leases")]);
    const subresourcesToo = policy(
      "all-of-it",
      '{rules: [{name: a, match: {any: [{resources: {kinds: ["*/*"]}}]}, validate: {deny: {}}}]}',
    );
    expect(named(subresourcesToo)).toEqual([expect.stringContaining("leases")]);
    expect(named(constraint("{}"))).toEqual([expect.stringContaining("leases")]);
  });

  /** A constraint with such a match block, and its template. */
  const constraint = (match: string) => `apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: denied}
spec:
  crd: {spec: {names: {kind: Denied}}}
  targets: [{target: admission.k8s.gatekeeper.sh, rego: 'package denied violation[{"msg": "no"}] { true }'}]
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: Denied
metadata: {name: denied}
spec: {match: ${match}}
`;
  const scaled = ["deployments", "deployments/scale"];
  const ofPods = ["attach", "binding", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "resize"];
  test.each([
    ["Deployment", "apps", scaled],
    ["Pod", "", ["pods", ...ofPods.map((name) => `pods/${name}`)]],
    ["ConfigMap", "", ["configmaps"]],
    ["Service", "", ["services", "services/proxy", "services/status"]],
  ])("a constraint about the kind %s asks about its objects, and not about what controllers write", (kind, group, wanted) => {
    const [, validating] = configurations(constraint(`{kinds: [{apiGroups: ["${group}"], kinds: [${kind}]}]}`));
    expect(rulesOf(webhooks(validating)[0] ?? {})).toEqual([
      { apiGroups: [group], apiVersions: ["*"], resources: wanted, operations: ["CREATE", "UPDATE"], scope: "*" },
    ]);
  });

  test("plain Rego is asked about all objects, and not about what controllers write", () => {
    const rego = `apiVersion: castellan.dev/v1alpha1
kind: RegoPolicy
metadata: {name: owned.rego}
spec: {rego: 'package owned deny contains "no" if { not input.metadata.labels.owner }'}
`;
    const [, validating] = configurations(rego);
    const names = rules(validating).flatMap((rule) => member(rule, "resources"));
    expect(names.flat()).toEqual(expect.arrayContaining(["*", "*/scale", "services/status"]));
    expect(names.flat()).not.toContain("*/*");
    expect(named(rego)).toEqual([expect.stringContaining("leases")]);
  });

  test("kinds that are not served are left out until they are", () => {
    const rays = policy(
      "rays",
      "{rules: [{name: a, match: {any: [{resources: {kinds: [ray.io/v1/RayCluster]}}]}, validate: {deny: {}}}]}",
    );
    expect(configurations(rays).map((configuration) => webhooks(configuration))).toEqual([[], []]);
  });

  test("equal policies make equal configurations, whatever their order", () => {
    const other = policy(
      "other",
      "{rules: [{name: a, match: {any: [{resources: {kinds: [Secret, ConfigMap]}}]}, validate: {deny: {}}}]}",
    );
    expect(configurations(pods, other)).toEqual(configurations(other, pods));
  });
});
