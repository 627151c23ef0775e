import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { isArray, type JsonObject, type JsonValue, member } from "../../core/json.ts";
import { type KubernetesObject, namespaceOf } from "../../core/kubernetes.ts";

/** One question that RBAC answers by yes or no. */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty: any. */
  readonly name: string;
  /** Empty: everywhere. */
  readonly namespace: string;
}

const concurrentQuestions = 6;

/**
 * Which rights of the roles among `objects` the client's own account lacks, as `list pods`, `patch reports.openreports.io`; the
 * API server itself is asked about each (SelfSubjectAccessReview), whatever authorizers it has. Throws `ApiError`.
 */
export async function missingRights(
  client: Pick<KubernetesClient, "send">,
  objects: readonly KubernetesObject[],
): Promise<readonly string[]> {
  const rights = objects.filter(({ kind }) => kind === "ClusterRole" || kind === "Role").flatMap(rightsOf);
  const missing: Right[] = [];
  const left = rights.values();
  const ask = async () => {
    for (const right of left) if (!(await isAllowed(client, right))) missing.push(right);
  };
  await Promise.all(Array.from({ length: concurrentQuestions }, ask));
  return described(rights.filter((right) => missing.includes(right)));
}

function rightsOf(role: KubernetesObject): readonly Right[] {
  const namespace = role.kind === "Role" ? namespaceOf(role) : "";
  const rules = role["rules"];
  return (isArray(rules) ? rules : []).flatMap((rule) =>
    strings(rule, "apiGroups").flatMap((group) =>
      strings(rule, "resources").flatMap((full) => {
        const [resource = "", subresource = ""] = full.split("/");
        const names = strings(rule, "resourceNames");
        return (names.length === 0 ? [""] : names).flatMap((name) =>
          strings(rule, "verbs").map((verb) => ({ verb, group, resource, subresource, name, namespace })),
        );
      }),
    ),
  );
}

const strings = (rule: JsonValue, key: string): readonly string[] => {
  const list = member(rule, key);
  return isArray(list) ? list.filter((item) => typeof item === "string") : [];
};

async function isAllowed(client: Pick<KubernetesClient, "send">, right: Right): Promise<boolean> {
  const resourceAttributes: JsonObject = { ...right };
  const body = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const answer = await client.send({ method: "POST", path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body });
  return member(member(answer, "status"), "allowed") === true;
}

/** The verbs on one thing together. */
function described(rights: readonly Right[]): readonly string[] {
  const verbs = new Map<string, string[]>();
  for (const { verb, group, resource, subresource, name, namespace } of rights) {
    const full = `${resource}${subresource === "" ? "" : `/${subresource}`}${group === "" ? "" : `.${group}`}`;
    const thing = `${full}${name === "" ? "" : ` ${name}`}${namespace === "" ? "" : ` in ${namespace}`}`;
    verbs.set(thing, [...(verbs.get(thing) ?? []), verb]);
  }
  return [...verbs].map(([thing, of]) => `${of.join(", ")} ${thing}`);
}
