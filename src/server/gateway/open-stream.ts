import { guardrailsMet } from "../../access/machine/grant.ts";
import type { Call } from "./call.ts";
import type { StreamKind } from "./classify.ts";
import { asking } from "./grant.ts";
import type { GatewayParts } from "./parts.ts";
import { callRecord } from "./record.ts";
import { type Refusal, refusal } from "./status.ts";
import type { Cut, OpenStream } from "./stream-registry.ts";

/** One person cannot take all that there is. */
export function streamProblem(call: Call, parts: GatewayParts): Refusal | undefined {
  const { streamsPerPerson } = parts.limits;
  if (parts.streams.countOf(call.person.human) < streamsPerPerson) return undefined;
  const message = `you have ${streamsPerPerson} open watches, logs, sessions and tunnels, which is the most that one may have`;
  return refusal(429, message, { retryAfterSeconds: 5 });
}

/**
 * From now on it is cut when what it rests on ends; the answer takes it out again. A grant that ended while the API server answered told
 * nobody here of it, so it is looked at once more.
 */
export function openStream(
  call: Call,
  parts: GatewayParts,
  kind: StreamKind,
  waiting: () => number | undefined,
  cut: (cut: Cut) => void,
): () => void {
  const release = parts.streams.add(openStreamOf(call, parts, kind, waiting, cut));
  parts.records.note(streamRecord(call, parts, kind, "started"));
  const id = call.use?.request.id;
  if (id !== undefined) {
    parts.desk.get(id).then((request) => {
      if (request?.phase !== "granted") cut({ why: `request ${id} ${request?.ended?.why ?? "is over"}`, status: 410 });
    }, parts.trouble);
  }
  return release;
}

/** What became of a granted call that stayed open: told when it ends, so that until then its grant can be revoked. */
export function noteEnd(call: Call, parts: GatewayParts, kind: StreamKind, status: number, why: string): void {
  void call.use?.done(status).catch(parts.trouble);
  parts.records.note(streamRecord(call, parts, kind, "ended", why));
}

/** A call that stays open, with everything that it rests on. */
function openStreamOf(
  call: Call,
  parts: GatewayParts,
  kind: StreamKind,
  waiting: () => number | undefined,
  cut: (cut: Cut) => void,
): OpenStream {
  const { person, use } = call;
  const until: { readonly at: number; readonly cut: Cut }[] = [
    { at: parts.now() + parts.limits.streamMilliseconds, cut: { why: "it was open as long as anything may be", status: 410 } },
  ];
  if (person.until !== undefined) until.push({ at: person.until, cut: { why: "the credential has ended", status: 401 } });
  const granted = use?.request.grant?.until;
  if (granted !== undefined)
    until.push({ at: granted, cut: { why: `the grant of request ${use?.request.id} has ended`, status: 410 } });
  return {
    human: person.human,
    kind,
    requestId: use?.request.id,
    until,
    recheck: (because) => recheck(call, parts, because),
    waiting,
    cut,
  };
}

/** Whether it would still be let through: by roles as they are, by guardrails at this hour. */
function recheck(call: Call, parts: GatewayParts, because: "change" | "time"): Promise<Cut | undefined> | undefined {
  const { action, person, use } = call;
  const guarded = parts.guardrails.needs(action, person) !== undefined;
  const byRoles = because === "change" && use === undefined;
  if (!guarded && !byRoles) return undefined;
  return stillRight(call, parts, guarded, byRoles);
}

async function stillRight(call: Call, parts: GatewayParts, guarded: boolean, byRoles: boolean): Promise<Cut | undefined> {
  const { action, person, use } = call;
  if (guarded) {
    const verdicts = parts.guardrails.judge({ action, person, at: parts.now() });
    const lifted = use === undefined ? [] : guardrailsMet(use.request, asking({ verdicts }));
    const known = new Set(call.verdicts.map(({ guardrail, effect }) => `${effect}/${guardrail}`));
    const against = verdicts.find(
      ({ guardrail, effect }) => effect !== "warn" && !lifted.includes(guardrail) && !known.has(`${effect}/${guardrail}`),
    );
    if (against !== undefined) return { why: `guardrail ${against.guardrail}: ${against.message}`, status: 410 };
  }
  if (byRoles && (await parts.rights.covers(person, action)).covered === false) {
    return { why: "your rights no longer cover it", status: 410 };
  }
  return undefined;
}

function streamRecord(call: Call, parts: GatewayParts, kind: StreamKind, outcome: "started" | "ended", why?: string) {
  const made = callRecord(call, parts, outcome);
  return {
    ...made,
    kind: "access.stream",
    key: `${parts.upstream.cluster}/stream/${call.auditId}/${outcome}`,
    data: { ...made.data, stream: kind, ...(why === undefined ? {} : { why }) },
  } as const;
}
