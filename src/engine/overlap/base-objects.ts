import type { ApiResources } from "../../core/api-resources.ts";
import type { JsonObject, JsonPath } from "../../core/json.ts";
import type { KubernetesObject } from "../../core/kubernetes.ts";

const podSpec: JsonObject = { containers: [{ name: "app", image: "registry.example.com/app:1.0" }] };

/** Where the pod is in a controller: edits for pods are made there. */
const template: JsonPath = ["spec", "template"];
const templates: { readonly [kind: string]: JsonPath } = {
  DaemonSet: template,
  Deployment: template,
  Job: template,
  ReplicaSet: template,
  ReplicationController: template,
  StatefulSet: template,
  CronJob: ["spec", "jobTemplate", "spec", "template"],
};

/** Empty for kinds that are no controllers of pods. */
export function templatePath(kind: string): JsonPath {
  return Object.hasOwn(templates, kind) ? (templates[kind] ?? []) : [];
}

/** The least object of a kind that means anything: policies that refuse it refuse nearly everything. */
export function baseObject(kind: string, resources: ApiResources): KubernetesObject {
  const served = resources.all().find((r) => r.kind === kind);
  const apiVersion =
    served === undefined ? "example.com/v1" : served.group === "" ? served.version : `${served.group}/${served.version}`;
  const metadata = { name: "example", ...(served?.namespaced === false ? {} : { namespace: "example" }) };
  const path = templatePath(kind);
  const pod: JsonObject = { metadata: { labels: {} }, spec: podSpec };
  const inTemplate = path.slice(1).reduceRight<JsonObject>((inner, step) => ({ [step]: inner }), pod);
  if (kind === "Pod") return { apiVersion, kind, metadata, spec: podSpec };
  return { apiVersion, kind, metadata, ...(path.length === 0 ? {} : { spec: inTemplate }) };
}
