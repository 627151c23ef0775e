import { hash } from "node:crypto";
import { requestInfo } from "../../access/classify/request-info.ts";
import { isDryRun, requestedAction } from "../../access/classify/requested-action.ts";
import type { Person } from "../../access/person.ts";
import type { Ask } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Instant } from "../../core/host.ts";
import type { Outcome } from "../../services/access/desk.ts";
import { readTarget } from "../gateway/target.ts";

/** A call that somebody means to send, as they would send it. */
export interface PlannedCall {
  readonly cluster: string;
  readonly method: string;
  readonly target: string;
  readonly contentType: string;
  readonly contentEncoding: string;
  readonly body: Buffer;
}

/** What the gateway would know of the call: the state of its object, and which guardrails want an approval. */
export interface KnownOfCall extends Pick<RequestedAction, "pinned" | "namespaceLabels"> {
  readonly preview?: Extract<Ask, { type: "action" }>["preview"];
  readonly guardrails: readonly string[];
  /** What it would change could not be read: then no rule approves by itself. */
  readonly unread?: boolean | undefined;
}

export type LookAtCall = (action: RequestedAction, call: PlannedCall, person: Person) => Promise<Outcome<KnownOfCall>>;

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** The call as the gateway will classify it when it comes; what that would refuse is refused here, too. */
export function plannedAction(call: PlannedCall, at: Instant): Outcome<RequestedAction> {
  const refused = (message: string) => ({ ok: false, code: "ACCESS_BAD_REQUEST", message }) as const;
  if (!methods.has(call.method)) return refused(`${call.method} is no method of the Kubernetes API`);
  const parsed = readTarget(call.target);
  if (!parsed.ok) return refused(parsed.message);
  const info = requestInfo(call.method, parsed.value);
  if (info.error !== undefined) return refused(info.error);
  if (info.isResourceRequest && info.verb === "") return refused(`${call.method} is no verb there`);
  const { method, target, contentType, contentEncoding, body } = call;
  const action = requestedAction(info, {
    cluster: call.cluster,
    dryRun: isDryRun(call.method, parsed.value.rawQuery, call.body.length > 0),
    http: { method, target, contentType, contentEncoding, bodyDigest: hash("sha256", body) },
    at,
  });
  return { ok: true, value: action };
}
