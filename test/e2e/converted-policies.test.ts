import { afterAll, describe, expect, test } from "vitest";
import { loadKubernetesSchemas } from "../../src/adapters/files/catalog.ts";
import { asString, isObject, type JsonObject } from "../../src/core/json.ts";
import type { KubernetesObject } from "../../src/core/kubernetes.ts";
import { objectsOf } from "../../src/policies/kyverno/policy-run.testing.ts";
import { convertAndProve } from "../../src/services/convert/convert-and-prove.ts";
import { startCluster } from "../cluster/start.ts";
import { ApiServer, until } from "./api-server.ts";

/** Converted ClusterPolicies, tried on a real API server: it takes them, and they stop what they should. */

const schemas = loadKubernetesSchemas();
const env = { schemas, resources: schemas.resources(), host: { now: () => 0, random: () => 0 } };
const cluster = await startCluster({ apiServerFlags: ["--disable-admission-plugins=ServiceAccount"] });
const server = cluster.available ? new ApiServer(cluster) : undefined;

afterAll(async () => {
  server?.close();
  if (cluster.available) await cluster.stop();
});

const clusterPolicy = (name: string, rule: string) => `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: ${name}}
spec:
  validationFailureAction: Enforce
  rules:
  - {name: r, match: {any: [{resources: {kinds: [Pod]}}]}, ${rule}}
`;

function converted(text: string): readonly KubernetesObject[] {
  const [document] = objectsOf(text);
  if (document === undefined) throw new Error("no policy");
  const outcome = convertAndProve(document, { target: "kubernetes", env, objects: [] });
  if (outcome.kind === "refused") throw new Error(outcome.reasons.join("; "));
  return outcome.objects;
}

const pod = (spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", ...metadata },
  spec: { containers: [{ name: "c", image: "registry.example.com/c:1" }], ...spec },
});
const image = (text: string, more: JsonObject = {}) => pod({ containers: [{ name: "c", image: text, ...more }] });

const plurals: { readonly [kind: string]: string } = {
  ValidatingAdmissionPolicy: "validatingadmissionpolicies",
  ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
  MutatingAdmissionPolicy: "mutatingadmissionpolicies",
  MutatingAdmissionPolicyBinding: "mutatingadmissionpolicybindings",
};
const path = ({ kind }: KubernetesObject) => `/apis/admissionregistration.k8s.io/v1/${plurals[kind] ?? kind}`;
const create = async (object: JsonObject) => server?.create("/api/v1/namespaces/default/pods?dryRun=All", object);

async function withPolicies(text: string, check: () => Promise<void>): Promise<void> {
  const made: string[] = [];
  for (const object of converted(text)) {
    const answer = await server?.create(`${path(object)}?fieldValidation=Strict`, object);
    expect([answer?.status, answer?.body["message"]]).toEqual([201, undefined]);
    made.push(`${path(object)}/${asString(object.metadata?.name) ?? ""}`);
  }
  await check();
  for (const one of made.toReversed()) await server?.send("DELETE", one);
}

describe.skipIf(server === undefined)("a converted policy", () => {
  test.each<[string, string, JsonObject, JsonObject]>([
    [
      "labels",
      'validate: {message: whose, pattern: {metadata: {labels: {team: "?*"}}}}',
      pod(),
      pod({}, { labels: { team: "a" } }),
    ],
    [
      "tags",
      'validate: {message: no latest, pattern: {spec: {containers: [{image: "!*:latest"}]}}}',
      image("a:latest"),
      image("a:1"),
    ],
    [
      "pull",
      'validate: {message: always, pattern: {spec: {containers: [{(image): "*:dev | *:test", imagePullPolicy: Always}]}}}',
      image("a:dev"),
      image("a:dev", { imagePullPolicy: "Always" }),
    ],
    [
      "memory",
      'validate: {message: too much, pattern: {spec: {containers: [{=(resources): {=(limits): {=(memory): "<=1Gi"}}}]}}}',
      image("a:1", { resources: { limits: { memory: "2Gi" } } }),
      image("a:1", { resources: { limits: { memory: "512Mi" } } }),
    ],
    [
      "host",
      'validate: {message: no host, anyPattern: [{spec: {=(hostNetwork): "false"}}, {metadata: {labels: {net: host}}}]}',
      pod({ hostNetwork: true }),
      pod({ hostNetwork: true }, { labels: { net: "host" } }),
    ],
    [
      "names",
      'preconditions: {all: [{key: "{{ request.operation }}", operator: Equals, value: CREATE}]}, validate: {message: no db, deny: {conditions: {any: [{key: "{{ request.object.metadata.name || \'\' }}", operator: Equals, value: db-*}]}}}',
      pod({}, { name: "db-1" }),
      pod({}, { name: "web" }),
    ],
  ])("%s", async (name, rule, stopped, admitted) => {
    await withPolicies(clusterPolicy(name, rule), async () => {
      const named = `ValidatingAdmissionPolicy '${name}`;
      const denied = await until(
        () => create(stopped),
        (one) => asString(one?.body["message"])?.includes(named) === true,
      );
      expect(asString(denied?.body["message"])).toContain(named);
      // A deleted policy of the row before still denies for a moment.
      const taken = await until(
        () => create(admitted),
        (one) => one?.status === 201,
      );
      expect(taken?.status).toBe(201);
    });
  });

  test("changes objects", async () => {
    const rule = "mutate: {patchStrategicMerge: {metadata: {labels: {a.b/c: d}}, spec: {+(hostname): given}}}";
    await withPolicies(clusterPolicy("defaults", rule), async () => {
      const answer = await until(
        () => create(pod({}, { labels: { x: "y" } })),
        (one) => isObject(one?.body["spec"]) && one.body["spec"]["hostname"] !== undefined,
      );
      const { metadata, spec } = answer?.body ?? {};
      expect([isObject(metadata) && metadata["labels"], isObject(spec) && spec["hostname"]]).toEqual([
        { x: "y", "a.b/c": "d" },
        "given",
      ]);
      const named = (await create(pod({ hostname: "own" })))?.body["spec"];
      expect(isObject(named) && named["hostname"]).toBe("own");
    });
  });
});
