import type { ApiResource } from "../../core/api-resources.ts";
import { isArray, isObject, type JsonValue, jsonEquals, member } from "../../core/json.ts";
import { annotationsOf, groupOf, type KubernetesObject, labelsOf, nameOf, namespaceOf } from "../../core/kubernetes.ts";
import { grantLabel } from "../access/role-binding-grants.ts";

/** Kinds that say the same kind of thing: whoever declares some of them at a place declares all of them there. */
interface Family {
  readonly kinds: readonly { readonly group: string; readonly kinds: readonly string[] | "every" }[];
}

const families: readonly Family[] = [
  { kinds: [{ group: "rbac.authorization.k8s.io", kinds: "every" }] },
  {
    kinds: [
      { group: "networking.k8s.io", kinds: ["NetworkPolicy"] },
      { group: "policy.networking.k8s.io", kinds: "every" },
      { group: "cilium.io", kinds: ["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"] },
    ],
  },
  { kinds: [{ group: "", kinds: ["ResourceQuota", "LimitRange"] }] },
  // Of policies each engine by itself: add-ons bring policies of another engine than one's own.
  {
    kinds: [
      {
        group: "admissionregistration.k8s.io",
        kinds: [
          "ValidatingAdmissionPolicy",
          "ValidatingAdmissionPolicyBinding",
          "MutatingAdmissionPolicy",
          "MutatingAdmissionPolicyBinding",
        ],
      },
    ],
  },
  {
    kinds: [
      { group: "kyverno.io", kinds: ["ClusterPolicy", "Policy", "PolicyException", "ClusterCleanupPolicy", "CleanupPolicy"] },
      { group: "policies.kyverno.io", kinds: "every" },
    ],
  },
  {
    kinds: [
      { group: "templates.gatekeeper.sh", kinds: "every" },
      { group: "constraints.gatekeeper.sh", kinds: "every" },
      { group: "mutations.gatekeeper.sh", kinds: "every" },
    ],
  },
  { kinds: [{ group: "castellan.dev", kinds: "every" }] },
];

export interface PlacedKind {
  readonly group: string;
  readonly kind: string;
  /** Undefined: it is cluster-scoped. */
  readonly namespace: string | undefined;
}

/** Where nothing of a resource may be that was not declared. */
export interface ExclusivePlace {
  readonly resource: ApiResource;
  /** Undefined: of a cluster-scoped resource, everywhere. */
  readonly namespace: string | undefined;
}

/**
 * What must be declared whole: all kinds of a family in each namespace where one of them is declared, and all its
 * cluster-scoped kinds where a cluster-scoped one is.
 */
export function exclusivePlaces(declared: readonly PlacedKind[], served: readonly ApiResource[]): readonly ExclusivePlace[] {
  return families.flatMap((family) => {
    const places = new Set(declared.filter((one) => isOf(family, one)).map(({ namespace }) => namespace));
    const resources = new Map<string, ApiResource>();
    for (const resource of served) {
      const key = `${resource.group}/${resource.kind}`;
      if (isOf(family, resource) && resource.verbs.includes("list") && !resources.has(key)) resources.set(key, resource);
    }
    return [...places].flatMap((namespace) =>
      [...resources.values()]
        .filter(({ namespaced }) => namespaced === (namespace !== undefined))
        .map((resource) => ({ resource, namespace })),
    );
  });
}

function isOf(family: Family, { group, kind }: { readonly group: string; readonly kind: string }): boolean {
  return family.kinds.some((one) => one.group === group && (one.kinds === "every" || one.kinds.includes(kind)));
}

/** Why what nobody declared is no drift: a controller makes it for the object that owns it, or the API server at its start. */
export type Exemption = "owned" | "kubernetes";

/** Tells what controllers and the API server make from what somebody made. */
export class Exemptions {
  readonly #defaults: ReadonlyMap<string, KubernetesObject>;

  /** @param defaults the roles and bindings that the API server makes at its start */
  constructor(defaults: readonly KubernetesObject[]) {
    this.#defaults = new Map(defaults.map((object) => [keyOf(object), object]));
  }

  /**
   * By what the object is, not by a prefix or a label, which whoever hides a binding can choose. A default binding that gives
   * somebody more is drift; default roles differ from version to version and are left to `castellan rbac audit`.
   */
  of(live: KubernetesObject): Exemption | undefined {
    const owners = member(live.metadata, "ownerReferences");
    if (isArray(owners) && owners.length > 0) return "owned";
    const known = this.#defaults.get(keyOf(live));
    if (known === undefined) return undefined;
    const gives = (subject: JsonValue) => !subjectsOf(known).some((one) => jsonEquals(one, subject));
    const isAsMade = jsonEquals(known["roleRef"], live["roleRef"]) && !subjectsOf(live).some(gives);
    return isAsMade ? "kubernetes" : undefined;
  }
}

const keyOf = (object: KubernetesObject) => [groupOf(object), object.kind, namespaceOf(object), nameOf(object)].join("/");

/** Without the API group where it is the usual one: manifests may leave it out. */
function subjectsOf(binding: KubernetesObject): readonly JsonValue[] {
  const subjects = binding["subjects"];
  return (isArray(subjects) ? subjects : []).map((subject) => {
    if (!isObject(subject)) return subject;
    const { apiGroup, ...rest } = subject;
    return apiGroup === undefined || apiGroup === "" || apiGroup === "rbac.authorization.k8s.io" ? rest : subject;
  });
}

/** Why an undeclared object is not deleted without being asked for by name. */
export type Kept = "reserved" | "grant" | "cluster" | "system" | "deployed";

export const keptReasons: { readonly [kept in Kept]: string } = {
  reserved: "its name or label is one that Kubernetes keeps for itself",
  grant: "it is the binding of an approved request, and goes when that ends",
  cluster: "it is cluster-scoped",
  system: "it is in a namespace of Kubernetes",
  deployed: "another program deploys it",
};

/** What nothing ever deletes here: it is looked at by a person. */
export const neverDeleted: ReadonlySet<Kept> = new Set(["reserved", "grant"]);

/** Undefined: it may go. */
export function keptOf(live: KubernetesObject): Kept | undefined {
  const labels = labelsOf(live);
  if (nameOf(live).startsWith("system:") || labels["kubernetes.io/bootstrapping"] !== undefined) return "reserved";
  if (labels[grantLabel] !== undefined) return "grant";
  const namespace = namespaceOf(live);
  if (namespace === "") return "cluster";
  if (namespace.startsWith("kube-")) return "system";
  return isDeployed(live) ? "deployed" : undefined;
}

/** As Helm, Argo CD, Flux and the Operator Lifecycle Manager mark what is theirs, and we what access and registration need. */
function isDeployed(live: KubernetesObject): boolean {
  const marks = new Set([...Object.keys(labelsOf(live)), ...Object.keys(annotationsOf(live))]);
  return deployers.some((mark) => marks.has(mark)) || managers.includes(labelsOf(live)["app.kubernetes.io/managed-by"] ?? "");
}

const managers = ["Helm", "castellan", "castellan-cluster-add"];

const deployers = [
  "meta.helm.sh/release-name",
  "argocd.argoproj.io/tracking-id",
  "argocd.argoproj.io/instance",
  "kustomize.toolkit.fluxcd.io/name",
  "helm.toolkit.fluxcd.io/name",
  "olm.owner",
];
