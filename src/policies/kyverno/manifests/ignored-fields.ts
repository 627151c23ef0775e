import { asString, isArray, type JsonValue, member } from "../../../core/json.ts";
import { groupOf, type KubernetesObject, nameOf, namespaceOf, parseApiVersion } from "../../../core/kubernetes.ts";

/** Fields that may differ between an object and the manifest that was signed, for the objects that are named. */
export interface IgnoredFields {
  /** Paths with `*`; each stands for all that begins with it. */
  readonly fields: readonly string[];
  readonly objects: readonly JsonValue[];
}

const everywhere: readonly JsonValue[] = [{ kind: "*" }];
const of = (...kinds: readonly string[]): readonly JsonValue[] => kinds.map((kind) => ({ kind }));

/** What clusters add by themselves: the lists that Kyverno 1.19 and k8s-manifest-sigstore come with, as one. */
const alwaysIgnored: readonly IgnoredFields[] = [
  {
    fields: [
      ...["annotations.namespace", "creationTimestamp", "finalizers", "generation", "managedFields", "namespace"].map(inMetadata),
      ...["resourceVersion", "selfLink", "uid", "labels.app.kubernetes.io/instance"].map(inMetadata),
      ...[
        "kubectl.kubernetes.io/last-applied-configuration",
        "control-plane.alpha.kubernetes.io/leader",
        "deprecated.daemonset.template.generation",
        "deployment.kubernetes.io/revision",
      ].map((annotation) => inMetadata(`annotations.${annotation}`)),
      ...["imagePullPolicy", "terminationMessagePath", "terminationMessagePolicy"].map((field) => `spec.containers.*.${field}`),
      ...["dnsPolicy", "restartPolicy", "schedulerName", "terminationGracePeriodSeconds"].map((field) => `spec.${field}`),
      "status",
    ],
    objects: everywhere,
  },
  {
    fields: [
      ...["name", "projected.*", "configMap.defaultMode"].map((field) => `spec.volumes.*.${field}`),
      "spec.containers.*.volumeMounts.*",
      ...["tolerations.*", "enableServiceLinks", "preemptionPolicy", "priority", "serviceAccount"].map(
        (field) => `spec.${field}`,
      ),
    ],
    objects: of("Pod"),
  },
  {
    fields: [
      ...["progressDeadlineSeconds", "revisionHistoryLimit", "strategy.*", "securityContext"].map((field) => `spec.${field}`),
      "spec.template.metadata.creationTimestamp",
      "spec.containers.*.ports.*.protocol",
      "spec.containers.*.resources",
    ],
    objects: of("Deployment"),
  },
  { fields: ["spec.conversion.strategy", "spec.names.listKind"], objects: of("CustomResourceDefinition") },
  {
    fields: [
      "spec.ports.*.nodePort",
      ...["clusterIP", "clusterIPs.0", "sessionAffinity", "type"].map((field) => `spec.${field}`),
      ...["ipFamilies.*", "ipFamilyPolicy", "internalTrafficPolicy"].map((field) => `spec.${field}`),
    ],
    objects: of("Service"),
  },
  {
    fields: [
      "metadata.annotations.pod-policies.kyverno.io/autogen-controllers",
      ...["failurePolicy", "background", "validationFailureAction"].map((field) => `spec.${field}`),
    ],
    objects: of("ClusterPolicy", "Policy"),
  },
  { fields: ["secrets.*.name", "imagePullSecrets.*.name"], objects: of("ServiceAccount") },
  { fields: ["spec.host"], objects: [{ kind: "Route", group: "route.openshift.io" }] },
];

function inMetadata(field: string): string {
  return `metadata.${field}`;
}

/** Before the slash of the annotations that carry message and signatures, unless a policy names another. */
export const usualDomain = "cosign.sigstore.dev";

/** The names of the annotations that carry a signed message, without their domain. */
const annotations = ["message", "signature", "certificate", "bundle", "resourceBundleRef"] as const;

/** The paths that need not agree for an object. */
export function ignoredPaths(object: KubernetesObject, domain: string, more: readonly IgnoredFields[]): readonly string[] {
  const applying = [...alwaysIgnored, ...more].filter(
    ({ objects }) => objects.length === 0 || objects.some((wanted) => isMeant(object, wanted)),
  );
  const carrying = [usualDomain, domain].flatMap((one) => annotations.map((name) => inMetadata(`annotations.${one}/${name}`)));
  return [...applying.flatMap(({ fields }) => fields), ...carrying];
}

function isMeant(object: KubernetesObject, wanted: JsonValue): boolean {
  const values = {
    group: groupOf(object),
    version: parseApiVersion(object.apiVersion).version,
    kind: object.kind,
    name: nameOf(object),
    namespace: namespaceOf(object),
  };
  return Object.entries(values).every(([field, value]) => matches(asString(member(wanted, field)) ?? "", value));
}

/** `*` at the end only; a comma parts alternatives, and `-` is nothing. */
function matches(written: string, value: string): boolean {
  const pattern = written.trim();
  if (pattern === "" || pattern === "*" || pattern === value || (pattern === "-" && value === "")) return true;
  if (pattern.endsWith("*")) return value.startsWith(pattern.replace(/\*+$/, ""));
  return pattern.includes(",") && pattern.split(",").some((part) => matches(part, value));
}

/** Reads `ignoreFields`, whose shape has been checked. */
export function parseIgnoredFields(spec: JsonValue | undefined): readonly IgnoredFields[] {
  const list = (value: JsonValue | undefined) => (isArray(value) ? value : []);
  return list(spec).map((entry) => ({
    fields: list(member(entry, "fields")).filter((field) => typeof field === "string"),
    objects: list(member(entry, "objects")),
  }));
}
