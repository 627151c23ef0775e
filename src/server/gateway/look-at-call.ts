import { asString, member } from "../../core/json.ts";
import { actionPreview, isUnread } from "../../services/access/action-preview.ts";
import type { LookAtCall } from "../api/new-action.ts";
import { jsonObject } from "./body.ts";
import type { GatewayParts } from "./parts.ts";
import { readObject } from "./pinned-object.ts";

/** What this gateway would know of a call that is asked for before it is sent: an approval is bound to the same. */
export function lookAtCallOver(
  parts: Pick<GatewayParts, "rights" | "upstream" | "guardrails" | "namespaceLabels" | "digestOf" | "now">,
): LookAtCall {
  return async (action, { body }, person) => {
    const found = await readObject({ action, person }, parts);
    if (!found.ok) return { ok: false, code: "ACCESS_UNAVAILABLE", message: `the object must be read, and ${found.message}` };
    const { object: oldObject } = found;
    const uid = asString(member(oldObject?.["metadata"], "uid"));
    const namespaceLabels = action.namespace === "" ? undefined : parts.namespaceLabels(action.namespace);
    const labelled = { ...action, namespaceLabels };
    const speaks = parts.guardrails.needs(labelled, person) !== undefined;
    const object = jsonObject(action.http, body);
    const verdicts = speaks ? parts.guardrails.judge({ action: labelled, person, at: parts.now(), object, oldObject }) : [];
    const denied = verdicts.find(({ effect }) => effect === "deny");
    if (denied !== undefined)
      return { ok: false, code: "ACCESS_REJECTED", message: `guardrail ${denied.guardrail} denies this: ${denied.message}` };
    return {
      ok: true,
      value: {
        namespaceLabels,
        ...(oldObject === undefined || uid === undefined ? {} : { pinned: { uid, digest: parts.digestOf(oldObject) } }),
        preview: actionPreview(labelled, oldObject, body),
        unread: isUnread(labelled, body),
        guardrails: verdicts
          .filter(({ effect }) => effect === "require-approval" || effect === "require-reason")
          .map(({ guardrail }) => guardrail),
      },
    };
  };
}
