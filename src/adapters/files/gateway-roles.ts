import { readFileSync } from "node:fs";
import { isKubernetesObject, type KubernetesObject } from "../../core/kubernetes.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";

/** What the gateway's own account may do: deploy/gateway-roles.yaml. Throws where it is absent: the package is broken then. */
export function gatewayRoles(): readonly KubernetesObject[] {
  const text = readFileSync(new URL("../../../deploy/gateway-roles.yaml", import.meta.url), "utf8");
  return parseDocuments(text, "gateway-roles.yaml")
    .documents.map(({ value }) => value)
    .filter(isKubernetesObject);
}
