import type { KubernetesClient } from "../../adapters/kubernetes/client.ts";
import { asString, isArray, member } from "../../core/json.ts";

const rbac = "rbac.authorization.k8s.io";
const authn = "authentication.k8s.io";

export interface GatewayRights {
  readonly user: string;
  /** In system:masters: whoever steals its credential is everybody. */
  readonly isSuperuser: boolean;
  readonly constrained: boolean;
  /** Where an old grant of `impersonate` remains, the constraint constrains nothing. */
  readonly legacy: boolean;
  readonly missing: readonly string[];
}

/** What the gateway's own account lacks to do its work, by asking the API server at the start. */
export async function gatewayRights(client: KubernetesClient): Promise<GatewayRights> {
  const may = async (verb: string, group: string, resource: string, subresource = "") => {
    const review = await client.send({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectAccessReview",
        spec: { resourceAttributes: { verb, group, resource, subresource } },
      },
    });
    return member(member(review, "status"), "allowed") === true;
  };
  const me = await client.send({
    method: "POST",
    path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
  });
  const userInfo = member(member(me, "status"), "userInfo");
  const groups = member(userInfo, "groups");
  const constrained =
    (await may("impersonate:user-info", authn, "users")) &&
    (await may("impersonate:user-info", authn, "groups")) &&
    (await may("impersonate-on:user-info:list", "", "pods"));
  const legacy = await may("impersonate", "", "users");
  const missing: string[] = [];
  if (!constrained && !legacy) missing.push("impersonate users and groups");
  if (!(await may("create", "authorization.k8s.io", "subjectaccessreviews"))) missing.push("create subjectaccessreviews");
  if (!(await may("list", rbac, "clusterrolebindings"))) missing.push("list and watch roles and bindings");
  return {
    user: asString(member(userInfo, "username")) ?? "",
    isSuperuser: isArray(groups) && groups.includes("system:masters"),
    constrained,
    legacy,
    missing,
  };
}
