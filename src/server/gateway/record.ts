import type { JsonObject } from "../../core/json.ts";
import type { Call } from "./call.ts";
import { streamKind } from "./classify.ts";
import type { GatewayParts } from "./parts.ts";
import { type Refusal, refusal } from "./status.ts";

const reads = new Set(["get", "list", "watch"]);

/** Whether a call only reads, by standing rights: its record may follow it. */
export function isStandingRead(call: Call): boolean {
  const { verb } = call.action;
  const read = reads.has(verb) || (!call.action.isResourceRequest && (verb === "get" || verb === "head"));
  return read && call.use === undefined && call.outlet.kind === "response";
}

/** Nothing is changed, opened or granted before it is on the record; reads follow in batches. */
export function record(call: Call, parts: GatewayParts): Refusal | undefined | Promise<Refusal | undefined> {
  if (isStandingRead(call)) return parts.records.accepts ? undefined : unavailable();
  return durable(call, parts);
}

async function durable(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  try {
    await parts.records.keep(callRecord(call, parts, "forwarded"));
    return undefined;
  } catch (error) {
    parts.trouble(error);
    const { use } = call;
    call.use = undefined;
    await use?.returned("its use could not be recorded").catch(parts.trouble);
    return unavailable();
  }
}

const unavailable = () =>
  refusal(503, "this call cannot be recorded now, so it is not made: the ledger's database does not answer", {
    retryAfterSeconds: 5,
  });

const longestTarget = 2048;

/** `outcome`: `forwarded`, `refused`, or the HTTP status of the answer. */
export function callRecord(call: Call, { upstream, now }: GatewayParts, outcome: string, more: JsonObject = {}) {
  const person = call.knownPerson;
  const action = call.knownAction;
  const resource = action === undefined || action.resource === "" ? undefined : action.resource;
  const stage = outcome === "forwarded" || outcome === "refused" ? outcome : "answered";
  return {
    kind: "access.call",
    at: now(),
    cluster: upstream.cluster,
    actor: person?.user,
    verb: action?.verb,
    group: resource === undefined ? undefined : action?.apiGroup,
    resource: resource === undefined || action?.subresource === "" ? resource : `${resource}/${action?.subresource}`,
    namespace: action?.namespace === "" ? undefined : action?.namespace,
    name: action?.name === "" ? undefined : action?.name,
    outcome,
    key: `${upstream.cluster}/call/${call.auditId}/${stage}`,
    data: {
      auditID: call.auditId,
      ...(person === undefined ? {} : { person: { issuer: person.issuer, subject: person.subject, human: person.human } }),
      method: call.method,
      target: call.target.slice(0, longestTarget),
      from: call.socket.remoteAddress ?? "",
      ...(call.use === undefined ? {} : { request: call.use.request.id }),
      ...(call.verdicts.length === 0
        ? {}
        : { guardrails: call.verdicts.map(({ guardrail, effect }) => ({ guardrail, effect })) }),
      ...more,
    },
  } as const;
}

/** What became of it; of refusals why. */
export function noteOutcome(call: Call, parts: GatewayParts, outcome: string, message?: string): void {
  const kind = call.knownAction === undefined ? undefined : call.outlet.kind === "upgrade" ? "upgrade" : streamKind(call);
  const more = { ...(kind === undefined ? {} : { stream: kind }), ...(message === undefined ? {} : { message }) };
  const record = callRecord(call, parts, outcome, more);
  if (outcome === "refused") parts.records.noteRefusal(record);
  else parts.records.note(record);
}
