import { asString, isArray, member } from "../../../core/json.ts";
import { type KubernetesObject, nameOf } from "../../../core/kubernetes.ts";
import { serviceAccountOf } from "../identities.ts";
import type { AuditContext } from "./context.ts";
import type { AuditIssue } from "./issue.ts";

/** Client certificates that accounts of workloads had issued, and requests to the signer that signs for everything. */
export function certificateIssues({ world }: AuditContext): AuditIssue[] {
  return world.certificateRequests.flatMap((document): AuditIssue[] => {
    const { value } = document;
    if (hasCondition(value, "Denied") || hasCondition(value, "Failed")) return [];
    const signer = asString(member(value["spec"], "signerName")) ?? "";
    const requester = asString(member(value["spec"], "username")) ?? "";
    const about = {
      check: "issued-certificate",
      document,
      path: ["spec", "signerName"],
      evidence: { signer, requester },
    } as const;
    if (signer === "kubernetes.io/legacy-unknown") {
      return [
        {
          ...about,
          rule: "legacy-signer",
          status: "warn",
          severity: "medium",
          message: `${who(requester)} asks the signer legacy-unknown, which signs for any use: its certificates are for nothing that Kubernetes answers for.`,
          fix: { description: "Name the signer of the certificate's use." },
        },
      ];
    }
    if (signer !== "kubernetes.io/kube-apiserver-client" || !hasCondition(value, "Approved")) return [];
    if (serviceAccountOf(requester) === undefined) return [];
    return [
      {
        ...about,
        rule: "workload",
        status: "fail",
        message: `${who(requester)} had a client certificate approved by ${nameOf(value)}: it is somebody to the API server until it expires, whatever becomes of the account.`,
        fix: {
          description:
            "Find out whom the certificate names, and give that user no rights; only a new certificate authority revokes it.",
        },
      },
    ];
  });
}

function who(requester: string): string {
  const account = serviceAccountOf(requester);
  return account === undefined ? requester || "Somebody" : `ServiceAccount ${account.namespace}/${account.name}`;
}

function hasCondition(request: KubernetesObject, type: string): boolean {
  const conditions = member(request["status"], "conditions");
  return isArray(conditions) && conditions.some((c) => member(c, "type") === type && member(c, "status") !== "False");
}
