import { actionDigest } from "../../access/digest.ts";
import type { AccessRequest } from "../../access/request.ts";
import { isUnread } from "../../services/access/action-preview.ts";
import type { GrantUse } from "../../services/access/desk.ts";
import { readBody } from "./body.ts";
import type { Call } from "./call.ts";
import { guardrails } from "./guardrails.ts";
import type { GatewayParts } from "./parts.ts";
import { pinned, pinnedAnew } from "./pinned-object.ts";
import { previewOf } from "./preview.ts";
import { type Refusal, refusal } from "./status.ts";

/**
 * Covered and unguarded calls pass. The others need a live grant for exactly this; where there is none a request is opened, and the
 * call waits for its decision or is told how to.
 */
export function grant(call: Call, parts: GatewayParts): Refusal | undefined | Promise<Refusal | undefined> {
  if (call.coverage.covered === true && asking(call).length === 0) return undefined;
  return withGrant(call, parts);
}

/** Names of the guardrails that want an approval of this call. */
export const asking = ({ verdicts }: Pick<Call, "verdicts">): readonly string[] =>
  verdicts.filter(({ effect }) => effect === "require-approval" || effect === "require-reason").map(({ guardrail }) => guardrail);

async function withGrant(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  const tooLarge = await readBody(call, parts);
  if (tooLarge !== undefined) return tooLarge;
  const object = await pinned(call, parts);
  if (!object.ok) return forbidden(call, `the object that an approval would be bound to must be read, and ${object.message}`);
  try {
    call.use = await parts.desk.use(call.person, call.action, call.auditId, asking(call));
    if (call.use !== undefined) return await stillWanted(call, parts, call.use);
    return await ask(call, parts);
  } catch (error) {
    parts.trouble(error);
    return refusal(503, "requests and grants cannot be looked at now: their database does not answer", { retryAfterSeconds: 5 });
  }
}

async function ask(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  const opened = await parts.desk.open({
    requester: call.person,
    ask: {
      type: "action",
      action: call.action,
      // The desk binds it to the version of the rule that it finds.
      digest: actionDigest(call.action, call.person, { name: "", version: "" }),
      preview: previewOf(call, await pinned(call, parts)),
    },
    reason: reasonOf(call),
    guardrails: asking(call),
    unread: isUnread(call.action, call.body),
  });
  if (!opened.ok) return forbidden(call, opened.message, opened.code);
  const { request, isFull } = await held(call, parts, opened.value);
  if (request.phase !== "granted") return waiting(call, parts, request, isFull);
  const changed = opened.value.phase === "pending" ? await lookedAgain(call, parts) : undefined;
  if (changed !== undefined) return changed;
  if (opened.value.phase === "pending") call.warning = heldText(request, parts.now() - request.opened);
  call.use = await parts.desk.use(call.person, call.action, call.auditId, asking(call));
  if (call.use === undefined) return forbidden(call, `request ${request.id} was approved, and its grant was used or has ended`);
  return stillWanted(call, parts, call.use);
}

/** After a wait: the object, its namespace and the guardrails as they are by now, of which some know the hour. */
async function lookedAgain(call: Call, parts: GatewayParts): Promise<Refusal | undefined> {
  const { pinned: before, namespace } = call.action;
  call.action = { ...call.action, namespaceLabels: namespace === "" ? undefined : parts.namespaceLabels(namespace) };
  const object = await pinnedAnew(call, parts);
  if (!object.ok) return forbidden(call, `the object that the approval is bound to must be read, and ${object.message}`);
  const { pinned: after } = call.action;
  if (before?.uid !== after?.uid || before?.digest !== after?.digest)
    return forbidden(call, "the object was changed while this waited for its approval: run the command again");
  return guardrails(call, parts);
}

/** `kubectl annotate` has no way to say why; those who script may. */
function reasonOf({ fields }: Call): string {
  return fields.find(([name]) => name.toLowerCase() === "castellan-reason")?.[1].slice(0, 1000) ?? "";
}

interface Held {
  readonly request: AccessRequest;
  /** So many calls wait already that this one did not. */
  readonly isFull: boolean;
}

/** The request as it is when it is decided, or when the wait is over. */
async function held(call: Call, parts: GatewayParts, request: AccessRequest): Promise<Held> {
  const milliseconds = parts.hold(request, call.person);
  if (request.phase !== "pending" || milliseconds <= 0) return { request, isFull: false };
  const release = parts.held.take(call.person.human);
  if (release === undefined) return { request, isFull: true };
  try {
    const settled = await parts.desk.settled(request.id, parts.now() + milliseconds, call.gone);
    return { request: settled ?? request, isFull: false };
  } finally {
    release();
  }
}

/** Why the command took so long, and whose yes it runs by. Names of people are quoted as they go into a header field. */
function heldText({ id, approvals }: AccessRequest, milliseconds: number): string {
  const people = approvals
    .filter(({ verdict }) => verdict === "approve")
    .map(({ by }) => by.user.replace(/[^\x20-\x7e]|["\\]/g, "?"));
  return `this waited ${Math.round(milliseconds / 1000)}s for its approval: request ${id}, approved by ${people.join(" and ")}`;
}

/** Who has gone, or is no longer who they were, has nothing done for them; the grant stays theirs. */
async function stillWanted(call: Call, parts: GatewayParts, use: GrantUse): Promise<Refusal | undefined> {
  const expired = call.person.until !== undefined && call.person.until <= parts.now();
  const why = call.gone.aborted ? "the client has gone" : expired ? "the credential has ended" : undefined;
  if (why === undefined) return undefined;
  call.use = undefined;
  await use.returned(why);
  return refusal(401, `${why}; the call was not made`, { close: true });
}

function forbidden(call: Call, message: string, code?: string): Refusal {
  const { person, action } = call;
  const target = [action.resource, action.subresource].filter((part) => part !== "").join("/");
  const what = action.isResourceRequest
    ? `cannot ${action.verb} ${target}${action.name === "" ? "" : ` ${JSON.stringify(action.name)}`}${
        action.namespace === "" ? "" : ` in the namespace ${JSON.stringify(action.namespace)}`
      }`
    : `cannot ${action.verb} path ${JSON.stringify(action.path)}`;
  return refusal(403, `user ${JSON.stringify(person.user)} ${what}: ${message}`, {
    details: { group: action.apiGroup, kind: action.resource, name: action.name },
    ...(code === undefined ? {} : { causes: [{ reason: code, message }] }),
  });
}

function waiting(call: Call, parts: GatewayParts, request: AccessRequest, isFull: boolean): Refusal {
  const { id } = request;
  const link = parts.link(id);
  const command = `castellan request wait ${id}`;
  const causes = [
    { reason: "AccessRequest", field: "id", message: id },
    { reason: "AccessRequest", field: "command", message: command },
    ...(link === undefined ? [] : [{ reason: "AccessRequest", field: "link", message: link }]),
  ];
  const asked = call.verdicts.map(({ guardrail, message }) => `guardrail ${guardrail}: ${message}`);
  const why = asked.length === 0 ? "this is outside your standing rights" : asked.join("; ");
  const details = { group: call.action.apiGroup, kind: call.action.resource, name: call.action.name };
  if (request.phase !== "pending") {
    const ended = request.ended?.why;
    const said = `request ${id} is ${request.phase}${ended === undefined ? "" : `: ${ended}`}`;
    return refusal(403, link === undefined ? said : `${said} (${link})`, { causes, details });
  }
  const see = link === undefined ? "" : ` See ${link}.`;
  const full = isFull ? " It was not kept waiting, as too many calls wait already." : "";
  return refusal(
    403,
    `${why}; request ${id} was opened for exactly this call under rule ${request.rule.name} and waits for approval.${full}${see} ` +
      `Wait with "${command}", then run the same command again.`,
    { causes, details },
  );
}
