/** ConfigMaps of the namespace default must have the label team. */
export const requireTeam = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: require-team}
spec:
  rules:
    - name: label
      match: {any: [{resources: {kinds: [ConfigMap], namespaces: [default]}}]}
      validate: {failureAction: Enforce, message: "label team is required", pattern: {metadata: {labels: {team: "?*"}}}}
`;

export const configMap = (name: string, labels?: { readonly [name: string]: string }): string =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "default", labels } });

/** The review of such a ConfigMap that ada creates. */
export function configMapReview(uid: string, name: string, labels: { readonly [name: string]: string }) {
  const request = {
    uid,
    kind: { group: "", version: "v1", kind: "ConfigMap" },
    resource: { group: "", version: "v1", resource: "configmaps" },
    name,
    namespace: "default",
    operation: "CREATE",
    userInfo: { username: "ada", groups: [] },
    object: JSON.parse(configMap(name, labels)),
  };
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request };
}
