import { asString, isArray, isObject, type JsonObject, type JsonPath, type JsonValue, member } from "../../../core/json.ts";
import {
  groupOf,
  type KubernetesObject,
  nameOf,
  namespaceOf,
  parseApiVersion,
  type ResourceRef,
} from "../../../core/kubernetes.ts";
import type { Labels } from "../../../core/label-selector.ts";
import type { SourceDocument } from "../../../core/source.ts";
import type { WorkloadCatalogue } from "../../../core/workload/catalogue.ts";
import { type FoundPod, findPodSpecs } from "../../../core/workload/find.ts";
import { protocolNumber, protocols } from "../connection-set.ts";
import type { NamedPort } from "../model.ts";

/** A pod that exists, or a template that pods are made from. */
export interface PodSource {
  readonly document: SourceDocument<KubernetesObject>;
  readonly path: JsonPath;
  readonly role: string;
  readonly namespace: string;
  /** Of a Pod object its name, else empty. */
  readonly podName: string;
  /** Who made the object that this was found in, as far as it says so. */
  readonly madeBy: ResourceRef | undefined;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
  readonly images: readonly string[];
  readonly serviceAccount: string;
  readonly hostNetwork: boolean;
  readonly addresses: readonly string[];
  /** The node that a pod on the host's network runs on; empty where nobody knows. */
  readonly hostNode: string;
  readonly replicas: number | undefined;
  readonly completedBy: string | undefined;
}

/** Everything in an object that is or makes a pod. Pods that have ended take no part in any traffic. */
export function podSources(
  document: SourceDocument<KubernetesObject>,
  catalogue: WorkloadCatalogue,
  fallback: string,
  withEnded = false,
): readonly PodSource[] {
  const object = document.value;
  const isPod = object.kind === "Pod" && groupOf(object) === "";
  const phase = asString(member(object["status"], "phase"));
  if (isPod && !withEnded && (phase === "Succeeded" || phase === "Failed")) return [];
  const namespace = namespaceOf(object) || fallback;
  const madeBy = controllerOf(object, namespace);
  if (object.kind === "VirtualMachine" && groupOf(object) === "kubevirt.io") return [virtualMachine(document, namespace, madeBy)];
  return findPodSpecs(object, catalogue).pods.map((pod) => {
    const account = asString(pod.spec["serviceAccountName"]) ?? asString(pod.spec["serviceAccount"]);
    return {
      document,
      path: pod.path,
      role: pod.role,
      namespace: pod.namespace === undefined || pod.namespace === "" ? namespace : pod.namespace,
      podName: isPod ? nameOf(object) : "",
      madeBy,
      labels: labelsOfPod(pod),
      ports: portsOf(pod.spec),
      images: itemsOf(pod.spec["containers"]).flatMap((container) => asString(member(container, "image")) ?? []),
      serviceAccount: account === undefined || account === "" ? "default" : account,
      hostNetwork: pod.spec["hostNetwork"] === true,
      addresses: isPod ? addressesOf(object, pod.spec["hostNetwork"] === true) : [],
      hostNode: pod.spec["hostNetwork"] === true ? (asString(pod.spec["nodeName"]) ?? "") : "",
      replicas: isPod ? 1 : replicasOf(object),
      completedBy: pod.completedBy,
    };
  });
}

/** KubeVirt makes one pod for a virtual machine, with the labels of its template; what listens in it nobody declares. */
function virtualMachine(
  document: SourceDocument<KubernetesObject>,
  namespace: string,
  madeBy: ResourceRef | undefined,
): PodSource {
  const template = member(document.value["spec"], "template");
  const labels = member(member(template, "metadata"), "labels");
  return {
    document,
    path: ["spec", "template"],
    role: "",
    namespace,
    podName: "",
    madeBy,
    labels: isObject(labels) ? textsOf(labels) : {},
    ports: [],
    images: [],
    serviceAccount: "default",
    hostNetwork: false,
    addresses: [],
    hostNode: "",
    replicas: 1,
    completedBy: undefined,
  };
}

/** The object itself where all is well: most labels are read once and kept. */
function textsOf(labels: JsonObject): Labels {
  if (isTexts(labels)) return labels;
  return Object.fromEntries(Object.entries(labels).filter((e): e is [string, string] => typeof e[1] === "string"));
}

function isTexts(labels: JsonObject): labels is { readonly [label: string]: string } {
  for (const label of Object.keys(labels)) if (typeof labels[label] !== "string") return false;
  return true;
}

function labelsOfPod(pod: FoundPod): Labels {
  const labels = pod.metadata["labels"];
  return isObject(labels) ? textsOf(labels) : {};
}

function controllerOf(object: KubernetesObject, namespace: string): ResourceRef | undefined {
  const owners = member(object.metadata, "ownerReferences");
  if (!isArray(owners)) return undefined;
  const owner = owners.find((o) => member(o, "controller") === true) ?? owners[0];
  const [apiVersion, kind, name] = ["apiVersion", "kind", "name"].map((key) => asString(member(owner, key)));
  // A static pod is its node's, and of no other pod's kind.
  return name === undefined || kind === "Node"
    ? undefined
    : { ...parseApiVersion(apiVersion ?? ""), kind: kind ?? "Pod", namespace, name };
}

/** Ports of containers and of sidecars; ordinary init containers have ended before anybody calls. */
function portsOf(spec: JsonObject): readonly NamedPort[] {
  const running = [
    ...itemsOf(spec["containers"]),
    ...itemsOf(spec["initContainers"]).filter((c) => member(c, "restartPolicy") === "Always"),
  ];
  return running.flatMap((container) => {
    const ports = member(container, "ports");
    if (!isArray(ports)) return [];
    return ports.flatMap((port): NamedPort[] => {
      const number = member(port, "containerPort");
      if (typeof number !== "number") return [];
      const protocol = protocolNumber(asString(member(port, "protocol")) ?? "TCP") ?? protocols.TCP;
      return [{ name: asString(member(port, "name")) ?? "", protocol, port: number }];
    });
  });
}

function itemsOf(list: JsonValue | undefined): readonly JsonValue[] {
  return isArray(list) ? list : [];
}

function addressesOf(pod: KubernetesObject, isHost: boolean): readonly string[] {
  const status = pod["status"];
  const list = member(status, "podIPs");
  const many = isArray(list) ? list.flatMap((item) => asString(member(item, "ip")) ?? []) : [];
  const one = asString(member(status, "podIP")) ?? (isHost ? asString(member(status, "hostIP")) : undefined);
  return many.length > 0 || one === undefined || one === "" ? many : [one];
}

function replicasOf(object: KubernetesObject): number | undefined {
  const replicas = member(object["spec"], "replicas");
  if (typeof replicas === "number") return replicas;
  return groupOf(object) === "apps" && object.kind !== "DaemonSet" ? 1 : undefined;
}

/** Tells objects apart; the version does not. */
export function refKey({ group, kind, namespace, name }: ResourceRef): string {
  return `${group}/${kind}/${namespace}/${name}`;
}
