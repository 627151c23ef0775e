import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../adapters/files/catalog.ts";
import { Ledger } from "../../adapters/store/ledger.ts";
import { openSigner } from "../../adapters/store/signing-key.ts";
import { openSqlite } from "../../adapters/store/sqlite.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { JsonObject } from "../../core/json.ts";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { ingestEvents } from "../audit/ingest.ts";
import { compilePolicies } from "../policies.ts";
import { scannedFacts } from "../scanned-facts.ts";
import { noHistory, readHistory, type StoredHistory } from "./history.ts";
import { planRollout } from "./plan.ts";
import { type PreviewRequest, previewPolicies } from "./preview.ts";
import { summarise } from "./summary.ts";

const now = Date.UTC(2026, 10, 21);
const resources = loadKubernetesSchemas().resources();
const host = { now: () => now, random: () => 0.5 };

const policyTexts = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team, annotations: {policies.kyverno.io/severity: high}}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      exclude: {any: [{subjects: [{kind: User, name: robot}]}]}
      validate: {failureAction: Audit, message: label team, pattern: {metadata: {labels: {team: "?*"}}}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: known-config}
spec:
  rules:
    - name: lookup
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      context: [{name: dictionary, configMap: {name: absent, namespace: nlp}}]
      validate: {failureAction: Audit, message: m, deny: {conditions: {all: [{key: "{{ dictionary.data.a }}", operator: Equals, value: b}]}}}
---
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: has-data}
spec:
  rules:
    - name: data
      match: {any: [{resources: {kinds: [ConfigMap]}}]}
      validate: {failureAction: Audit, message: m, pattern: {kind: ConfigMap}}
`;

const objectTexts = `
{apiVersion: v1, kind: Namespace, metadata: {name: nlp, labels: {team: language}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: there, namespace: nlp}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: fine, namespace: nlp, labels: {team: x}}}
`;

function configMap(name: string, labels: JsonObject = {}): JsonObject {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "nlp", labels } };
}

let id = 0;
function event(user: string, verb: string, name: string, more: JsonObject): JsonObject {
  return {
    auditID: `id-${id++}`,
    stage: "ResponseComplete",
    verb,
    user: { username: user, groups: ["developers"] },
    objectRef: { resource: "configmaps", namespace: "nlp", name, apiVersion: "v1" },
    responseStatus: { code: 200 },
    stageTimestamp: new Date(now - 1000).toISOString(),
    ...more,
  };
}

const events: readonly JsonObject[] = [
  event("ada", "create", "there", { responseObject: configMap("there") }),
  event("bob", "patch", "gone", { requestObject: { metadata: {} }, responseObject: configMap("gone") }),
  event("bob", "patch", "gone", { responseObject: configMap("gone") }),
  event("robot", "create", "made", { responseObject: configMap("made") }),
  event("eve", "create", "meta-only", {}),
  event("eve", "create", "refused", { responseObject: configMap("refused"), responseStatus: { code: 403 } }),
  event("eve", "create", "dry", { responseObject: configMap("dry"), requestURI: "/api/v1/namespaces/nlp/configmaps?dryRun=All" }),
  event("old", "create", "old", { responseObject: configMap("old"), stageTimestamp: new Date(now - 9e9).toISOString() }),
];

let directory = "";
let store: Store;
let history: StoredHistory;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "castellan-preview-"));
  store = await openSqlite(directory);
  const ledger = new Ledger(store, await openSigner(directory, "test.example/ledger"), () => now);
  await ingestEvents(ledger, events, "prod");
  const results = [{ policy: "kyverno.io/ClusterPolicy/require-team", rule: "label", status: "fail", message: "label team" }];
  const verdict = {
    kind: "admission.decision",
    at: now - 5,
    cluster: "prod",
    verb: "create",
    group: "",
    resource: "configmaps",
  } as const;
  await ledger.append([
    { ...verdict, namespace: "nlp", name: "there", actor: "ada", outcome: "audit", data: { results } },
    { ...verdict, namespace: "vision", name: "c", actor: "carol", outcome: "audit", data: { results } },
    { ...verdict, namespace: "vision", name: "d", actor: "dan", outcome: "deny", data: { results } },
  ]);
  history = await readHistory(store.reading, { since: now - 86_400_000, cluster: "prod", resources });
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

function request(names: readonly string[], more: Partial<PreviewRequest> = {}): PreviewRequest {
  const objects = parseDocuments(objectTexts, "objects.yaml")
    .documents.map((d) => d.value)
    .filter(isKubernetesObject) as KubernetesObject[];
  const { documents } = parseDocuments(policyTexts, "policies.yaml");
  const { policies } = compilePolicies(documents, resources).set;
  return {
    policies: policies.filter(({ id: policy }) => names.includes(policy.name)),
    objects,
    history,
    resources,
    facts: scannedFacts({ objects, resources, complete: false }),
    host,
    namespace: "",
    ...more,
  };
}

test("says whom a policy would stop, once for each object and user, and what could not be tried", () => {
  const preview = previewPolicies(request(["require-team"]));
  const said = preview.stopped.map(
    (one) => `${one.source} ${one.team} ${one.namespace} ${one.user} ${one.kind} ${one.name} ${one.times}`,
  );
  expect(said.sort()).toEqual([
    "history language nlp bob ConfigMap gone 2",
    "objects language nlp ada ConfigMap there 1",
    "recorded  vision carol ConfigMap c 1",
  ]);
  expect(preview).toMatchObject({ judged: { objects: 3, requests: 4, recorded: 2 }, notReplayed: 1, undecided: [] });
  expect(summarise(preview.stopped)).toEqual({
    teams: [{ name: "language", objects: 2 }],
    namespaces: [
      { name: "nlp", objects: 2 },
      { name: "vision", objects: 1 },
    ],
    users: [
      { name: "ada", objects: 1 },
      { name: "bob", objects: 1 },
      { name: "carol", objects: 1 },
    ],
  });
});

test("of one namespace only what is in it", () => {
  const { stopped } = previewPolicies(request(["require-team"], { namespace: "vision" }));
  expect(stopped.map(({ user }) => user)).toEqual(["carol"]);
});

test("what could not be judged is not passed", () => {
  const preview = previewPolicies(request(["known-config"], { history: noHistory }));
  expect(preview.stopped).toEqual([]);
  expect(preview.undecided.map(({ name }) => name)).toEqual(["there", "fine"]);
});

test("a plan begins with what stops nobody and ends with what cannot be judged", () => {
  const steps = planRollout(request(["require-team", "known-config", "has-data"]));
  expect(steps.map(({ policy, next }) => `${policy.split("/").at(-1)} ${next}`)).toEqual([
    "has-data enforce",
    "require-team warn",
    "known-config repair",
  ]);
  expect(steps[1]).toMatchObject({ severity: "high", stopped: 3, teams: ["language"], users: ["ada", "bob", "carol"] });
});
