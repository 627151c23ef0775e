import type { Person } from "../person.ts";
import type { ApprovalSlot, Approvers, Ask } from "../request.ts";
import type { RequestedAction } from "../requested-action.ts";
import type { Opening } from "./open.ts";

/** Somebody with these groups; `more` makes two logins one human, or the like. */
export function person(name: string, groups: readonly string[] = [], more: Partial<Person> = {}): Person {
  const issuer = "https://id.example";
  return { issuer, subject: name, user: `oidc:${name}`, groups, human: name, isProgram: false, ...more };
}

export function slot(name: string, approvers: Partial<Approvers>, count = 1): ApprovalSlot {
  return { name, count, approvers: { groups: [], humans: [], ...approvers } };
}

export function action(more: Partial<RequestedAction> = {}): RequestedAction {
  return {
    cluster: "prod",
    verb: "delete",
    isResourceRequest: true,
    path: "/api/v1/namespaces/ml/pods/p",
    apiGroup: "",
    apiVersion: "v1",
    resource: "pods",
    subresource: "",
    namespace: "ml",
    name: "p",
    dryRun: false,
    http: {
      method: "DELETE",
      target: "/api/v1/namespaces/ml/pods/p",
      contentType: "application/json",
      contentEncoding: "",
      bodyDigest: "0".repeat(64),
    },
    pinned: { uid: "u1", digest: "d1" },
    at: 0,
    ...more,
  };
}

export const actionAsk: Ask = { type: "action", action: action(), digest: "d".repeat(64) };

/** A request to begin with: one call, one approver of `oncall`, a minute to decide, a minute to use. */
export function opening(more: Partial<Opening> = {}): Opening {
  return {
    id: "r1",
    cluster: "prod",
    requester: person("ada", ["dev"]),
    ask: actionAsk,
    reason: "stuck",
    rule: { name: "delete-pods", version: "1" },
    guardrails: [],
    breakGlass: false,
    slots: [slot("group:oncall", { groups: ["oncall"] })],
    pendingMilliseconds: 60_000,
    grantMilliseconds: 60_000,
    ...more,
  };
}
