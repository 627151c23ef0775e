import type { Diagnostic, Loaded } from "../../core/diagnostic.ts";
import { type JsonObject, member } from "../../core/json.ts";
import { groupOf, isKubernetesObject, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import type { SourceDocument } from "../../core/source.ts";
import type { WorkloadCatalogue } from "../../core/workload/catalogue.ts";
import { findPodSpecs } from "../../core/workload/find.ts";
import { aggregate } from "./aggregation.ts";
import { proofOf } from "./capability-proof.ts";
import { type Binding, isRbacObject, type Role, readBinding, readRole } from "./objects.ts";
import { RbacIndex, serviceAccountUser } from "./rbac-index.ts";

/** Pods that run under one service account, as far as they differ by the object that makes them. */
export interface RunningPod {
  readonly namespace: string;
  /** Of the object that makes the pod. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly serviceAccount: string;
  readonly spec: JsonObject;
  /** Whether the token is mounted: by the pod, else by the account, else yes. */
  readonly mountsToken: boolean;
  readonly nodeName: string;
}

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
  readonly document: SourceDocument<KubernetesObject>;
}

/** A Secret that holds a token of a service account. */
export interface TokenSecret {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/** All that bears on who may do what, as one set of objects shows it. */
export interface RbacWorld {
  readonly index: RbacIndex;
  /** Nothing else exists: the objects are all that a cluster holds. */
  readonly complete: boolean;
  readonly serviceAccounts: ReadonlyMap<string, ServiceAccount>;
  /** User names of the service accounts, by the account's name alone. */
  readonly accountsByName: ReadonlyMap<string, readonly string[]>;
  readonly pods: readonly RunningPod[];
  readonly certificateRequests: readonly SourceDocument<KubernetesObject>[];
  /** Names of the Roles that give everything in their namespace, by namespace. */
  readonly allPowerfulRoles: ReadonlyMap<string, readonly string[]>;
  /** Names of the nodes that run the control plane; a managed one shows none. */
  readonly controlPlanes: readonly string[];
  /** Whether ConfigMap kube-system/aws-auth maps cloud roles to users. */
  readonly awsAuth: boolean;
  readonly tokens: readonly TokenSecret[];
  readonly namespaces: ReadonlySet<string>;
  /** Labels of the namespaces whose objects were seen. */
  readonly namespaceLabels: ReadonlyMap<string, { readonly [key: string]: string }>;
  readonly defaults: DefaultRbac;
  readonly diagnostics: readonly Diagnostic[];
}

/** Roles and bindings that the API server creates by itself, aggregation done. */
export interface DefaultRbac {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
  /** Roles as feature gates that are off by default change them. */
  readonly gated: readonly Role[];
}

export interface WorldInput {
  readonly documents: readonly SourceDocument[];
  /** Where objects that name no namespace would be applied. */
  readonly namespace: string;
  readonly complete: boolean;
  readonly defaults: DefaultRbac;
  readonly catalogue: WorkloadCatalogue;
}

/** Reads the default roles and bindings; throws on a malformed one: the package is broken then. */
export function readDefaultRbac(catalog: {
  readonly objects: readonly KubernetesObject[];
  readonly gated: readonly KubernetesObject[];
}): DefaultRbac {
  const bindings = catalog.objects.flatMap((object) =>
    object.kind.endsWith("Binding") ? known(readBinding(unplaced(object))) : [],
  );
  const roles = catalog.objects.flatMap((object) => (object.kind.endsWith("Binding") ? [] : known(readRole(unplaced(object)))));
  return { roles: aggregate(roles), bindings, gated: catalog.gated.map((object) => known(readRole(unplaced(object)))) };
}

function unplaced(value: KubernetesObject): SourceDocument<KubernetesObject> {
  return { file: "", index: 0, value, locate: () => undefined, locateKey: () => undefined };
}

function known<T extends Role | Binding>(read: Loaded<T>): T {
  if (!read.ok) throw new Error(read.diagnostics[0]?.message);
  return { ...read.value, document: undefined };
}

/**
 * Puts the objects into one index. Default roles and bindings of Kubernetes are added to manifests, which never hold them;
 * a dump that holds `cluster-admin` brings its own. Malformed objects are diagnostics, and the rest still counts.
 */
export function rbacWorld(input: WorldInput): RbacWorld {
  const objects = input.documents.filter(isObjectDocument);
  const roles: Role[] = [];
  const bindings: Binding[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const document of objects) {
    if (!isRbacObject(document.value)) continue;
    const read = document.value.kind.endsWith("Binding") ? readBinding(document) : readRole(document);
    if (!read.ok) diagnostics.push(...read.diagnostics);
    else if ("roleRef" in read.value) bindings.push(placed(read.value, "RoleBinding", input.namespace));
    else roles.push(placed(read.value, "Role", input.namespace));
  }
  const index = new RbacIndex();
  const bringsDefaults = input.complete || roles.some((r) => r.kind === "ClusterRole" && r.name === "cluster-admin");
  const allRoles = bringsDefaults ? roles : withDefaults(input.defaults.roles, roles);
  const allBindings = bringsDefaults ? bindings : withDefaults(input.defaults.bindings, bindings);
  for (const role of aggregateWritten(allRoles)) index.putRole(role);
  for (const binding of allBindings) index.putBinding(binding);
  return {
    index,
    complete: input.complete,
    ...surroundings(objects, input),
    allPowerfulRoles: allPowerfulRoles(roles),
    defaults: input.defaults,
    diagnostics,
  };
}

function allPowerfulRoles(roles: readonly Role[]): ReadonlyMap<string, readonly string[]> {
  const powerful = roles.filter((r) => r.kind === "Role" && proofOf(r.rules, "cluster-admin", false) !== undefined);
  return new Map([...Map.groupBy(powerful, (r) => r.namespace)].map(([namespace, list]) => [namespace, list.map((r) => r.name)]));
}

/**
 * A stored role has the rules that decide, whatever its selectors would give; of a manifest the controller will fill them.
 */
function aggregateWritten(roles: readonly Role[]): readonly Role[] {
  if (!roles.some((role) => role.aggregationSelectors !== undefined)) return roles;
  const stored = new Map(roles.filter(isStored).map((role) => [role.name, role]));
  return aggregate(roles).map((role) => (role.aggregationSelectors === undefined ? role : (stored.get(role.name) ?? role)));
}

function isStored({ kind, document }: Role): boolean {
  return kind === "ClusterRole" && member(document?.value.metadata, "resourceVersion") !== undefined;
}

function placed<T extends Role | Binding>(object: T, namespacedKind: string, namespace: string): T {
  return object.kind === namespacedKind && object.namespace === "" ? { ...object, namespace } : object;
}

function withDefaults<T extends Role | Binding>(defaults: readonly T[], written: readonly T[]): readonly T[] {
  const keyOf = ({ kind, namespace, name }: T) => `${kind}/${namespace}/${name}`;
  const known = new Set(written.map(keyOf));
  return [...defaults.filter((d) => !known.has(keyOf(d))), ...written];
}

function isObjectDocument(document: SourceDocument): document is SourceDocument<KubernetesObject> {
  return isKubernetesObject(document.value);
}

type Surroundings = Omit<RbacWorld, "index" | "complete" | "defaults" | "diagnostics" | "allPowerfulRoles">;

const controlPlaneLabels = ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"];

function surroundings(
  objects: readonly SourceDocument<KubernetesObject>[],
  { namespace: fallback, catalogue }: WorldInput,
): Surroundings {
  const serviceAccounts = new Map<string, ServiceAccount>();
  const tokens: TokenSecret[] = [];
  const certificateRequests: SourceDocument<KubernetesObject>[] = [];
  const controlPlanes: string[] = [];
  let awsAuth = false;
  const namespaceLabels = new Map<string, { readonly [key: string]: string }>();
  const inNamespace = (object: KubernetesObject) => namespaceOf(object) || fallback;
  for (const document of objects) {
    const { value } = document;
    if (groupOf(value) === "certificates.k8s.io" && value.kind === "CertificateSigningRequest")
      certificateRequests.push(document);
    if (groupOf(value) !== "") continue;
    const name = nameOf(value);
    if (value.kind === "ServiceAccount") {
      const namespace = inNamespace(value);
      serviceAccounts.set(serviceAccountUser(namespace, name), { namespace, name, document });
    } else if (value.kind === "Namespace") namespaceLabels.set(name, labelsOf(value));
    else if (value.kind === "Node" && controlPlaneLabels.some((label) => Object.hasOwn(labelsOf(value), label)))
      controlPlanes.push(name);
    else if (value.kind === "ConfigMap" && name === "aws-auth" && inNamespace(value) === "kube-system") awsAuth = true;
    else if (value.kind === "Secret" && value["type"] === "kubernetes.io/service-account-token") {
      const annotations = member(value.metadata, "annotations");
      const serviceAccount = member(annotations, "kubernetes.io/service-account.name");
      if (typeof serviceAccount === "string") tokens.push({ namespace: inNamespace(value), name, serviceAccount });
    }
  }
  const pods = objects.flatMap((document) => podsOf(document.value, inNamespace(document.value), serviceAccounts, catalogue));
  const namespaces = new Set([...namespaceLabels.keys(), ...pods.map((p) => p.namespace)]);
  for (const { namespace } of serviceAccounts.values()) namespaces.add(namespace);
  const accountsByName = new Map<string, string[]>();
  for (const [user, { name }] of serviceAccounts) accountsByName.set(name, [...(accountsByName.get(name) ?? []), user]);
  return {
    serviceAccounts,
    accountsByName,
    pods,
    certificateRequests,
    controlPlanes,
    awsAuth,
    tokens,
    namespaces,
    namespaceLabels,
  };
}

function podsOf(
  object: KubernetesObject,
  namespace: string,
  accounts: ReadonlyMap<string, ServiceAccount>,
  catalogue: WorkloadCatalogue,
): RunningPod[] {
  if (isRbacObject(object)) return [];
  // Owned pods and replica sets are seen through what makes them; a dump holds both, and one of them is enough.
  return findPodSpecs(object, catalogue).pods.map((pod) => {
    const where = pod.namespace === undefined || pod.namespace === "" ? namespace : pod.namespace;
    const name = pod.spec["serviceAccountName"] ?? pod.spec["serviceAccount"];
    const serviceAccount = typeof name === "string" && name !== "" ? name : "default";
    const account = accounts.get(serviceAccountUser(where, serviceAccount))?.document.value;
    const mounts = pod.spec["automountServiceAccountToken"] ?? account?.["automountServiceAccountToken"];
    const nodeName = pod.spec["nodeName"];
    return {
      namespace: where,
      group: groupOf(object),
      kind: object.kind,
      name: nameOf(object),
      serviceAccount,
      spec: pod.spec,
      mountsToken: mounts !== false,
      nodeName: typeof nodeName === "string" ? nodeName : "",
    };
  });
}
