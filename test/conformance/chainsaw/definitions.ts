/** Kinds that Kyverno brings along; their schemas are left open, as what is tested is the engine behind them. */
const kinds: readonly {
  readonly group: string;
  readonly versions: readonly string[];
  readonly kinds: { readonly [kind: string]: "Namespaced" | "Cluster" };
}[] = [
  { group: "kyverno.io", versions: ["v1", "v2beta1"], kinds: { ClusterPolicy: "Cluster", Policy: "Namespaced" } },
  {
    group: "kyverno.io",
    versions: ["v2", "v2beta1", "v2alpha1"],
    kinds: {
      PolicyException: "Namespaced",
      CleanupPolicy: "Namespaced",
      ClusterCleanupPolicy: "Cluster",
      GlobalContextEntry: "Cluster",
      UpdateRequest: "Namespaced",
    },
  },
  {
    group: "policies.kyverno.io",
    versions: ["v1", "v1beta1", "v1alpha1"],
    kinds: {
      ValidatingPolicy: "Cluster",
      MutatingPolicy: "Cluster",
      GeneratingPolicy: "Cluster",
      DeletingPolicy: "Cluster",
      ImageValidatingPolicy: "Cluster",
      NamespacedValidatingPolicy: "Namespaced",
      NamespacedMutatingPolicy: "Namespaced",
      NamespacedGeneratingPolicy: "Namespaced",
      NamespacedDeletingPolicy: "Namespaced",
      NamespacedImageValidatingPolicy: "Namespaced",
      PolicyException: "Namespaced",
    },
  },
  { group: "wgpolicyk8s.io", versions: ["v1alpha2"], kinds: { PolicyReport: "Namespaced", ClusterPolicyReport: "Cluster" } },
  { group: "openreports.io", versions: ["v1alpha1"], kinds: { Report: "Namespaced", ClusterReport: "Cluster" } },
  { group: "reports.kyverno.io", versions: ["v1"], kinds: { EphemeralReport: "Namespaced", ClusterEphemeralReport: "Cluster" } },
];

/** By which the tests' scripts call them. */
const shortNames: { readonly [kind: string]: string } = {
  CleanupPolicy: "cleanpol",
  ClusterCleanupPolicy: "ccleanpol",
  ClusterPolicy: "cpol",
  ClusterPolicyReport: "cpolr",
  DeletingPolicy: "dpol",
  GeneratingPolicy: "gpol",
  ImageValidatingPolicy: "ivpol",
  MutatingPolicy: "mpol",
  Policy: "pol",
  PolicyException: "polex",
  PolicyReport: "polr",
  UpdateRequest: "ur",
  ValidatingPolicy: "vpol",
};

const openSchema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };

/** Their CustomResourceDefinitions, to be applied. */
export function kyvernoDefinitions(): readonly object[] {
  return kinds.flatMap(({ group, versions, kinds: ofGroup }) =>
    Object.entries(ofGroup).map(([kind, scope]) => {
      const singular = kind.toLowerCase();
      const plural = singular.endsWith("y") ? `${singular.slice(0, -1)}ies` : `${singular}s`;
      return {
        apiVersion: "apiextensions.k8s.io/v1",
        kind: "CustomResourceDefinition",
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope,
          names: { kind, plural, singular, listKind: `${kind}List`, shortNames: [shortNames[kind] ?? []].flat() },
          versions: versions.map((name, i) => ({
            name,
            served: true,
            storage: i === 0,
            schema: openSchema,
            subresources: { status: {} },
          })),
        },
      };
    }),
  );
}
