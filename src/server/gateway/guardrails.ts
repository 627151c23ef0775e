import type { JsonObject } from "../../core/json.ts";
import { bodyObject, readBody } from "./body.ts";
import type { Call } from "./call.ts";
import type { GatewayParts } from "./parts.ts";
import { pinned } from "./pinned-object.ts";
import { type Refusal, refusal } from "./status.ts";

/** Is there a guardrail in the way? One that must see the object has it read; one that denies ends the call. */
export function guardrails(call: Call, parts: GatewayParts): Refusal | undefined | Promise<Refusal | undefined> {
  const needs = parts.guardrails.needs(call.action, call.person);
  if (needs === undefined) return undefined;
  if (!needs.object && !needs.oldObject) return judged(call, parts, undefined, undefined);
  return readAndJudge(call, parts, needs);
}

async function readAndJudge(
  call: Call,
  parts: GatewayParts,
  needs: { readonly object: boolean; readonly oldObject: boolean },
): Promise<Refusal | undefined> {
  const tooLarge = needs.object ? await readBody(call, parts) : undefined;
  if (tooLarge !== undefined) return tooLarge;
  const old = needs.oldObject ? await pinned(call, parts) : undefined;
  if (old !== undefined && !old.ok) return refusal(503, `a guardrail must see the object, and ${old.message}`);
  return judged(call, parts, needs.object ? bodyObject(call) : undefined, old?.object);
}

function judged(
  call: Call,
  parts: GatewayParts,
  object: JsonObject | undefined,
  oldObject: JsonObject | undefined,
): Refusal | undefined {
  call.verdicts = parts.guardrails.judge({ action: call.action, person: call.person, at: parts.now(), object, oldObject });
  const denied = call.verdicts.filter(({ effect }) => effect === "deny");
  const [first] = denied;
  if (first === undefined) return undefined;
  return refusal(403, `guardrail ${first.guardrail} denies this: ${first.message}`, {
    causes: denied.map(({ guardrail, message }) => ({ reason: "Guardrail", field: guardrail, message })),
    details: { group: call.action.apiGroup, kind: call.action.resource, name: call.action.name },
  });
}
