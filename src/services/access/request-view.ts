import { fillableSlots } from "../../access/machine/slots.ts";
import { type Person, personKey } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import { withoutSecrets } from "./preview.ts";

/** Who looks. */
export interface Viewer {
  readonly person: Person;
  readonly isAuditor: boolean;
  readonly isAdministrator: boolean;
}

/** A request as somebody sees it, with what they may do about it. */
export interface RequestView extends AccessRequest {
  readonly mayDecide: boolean;
  readonly mayCancel: boolean;
  readonly mayRevoke: boolean;
  readonly mayReview: boolean;
}

/** Whose request it is: one human, by whichever login. */
export const isOwn = ({ requester }: AccessRequest, person: Person): boolean =>
  personKey(requester) === personKey(person) || requester.human === person.human;

/** Requesters, those who decide or decided, those who review, and auditors. */
export function maySee(request: AccessRequest, { person, isAuditor }: Viewer): boolean {
  if (isAuditor || isOwn(request, person)) return true;
  if (request.approvals.some(({ by }) => personKey(by) === personKey(person))) return true;
  return isOneOf(request, person);
}

/** Whether this person may decide on it, or, of break-glass, look at it afterwards. */
const isOneOf = ({ slots, reviewers = [] }: AccessRequest, person: Person): boolean =>
  fillableSlots(slots, person).length > 0 || fillableSlots(reviewers, person).length > 0;

/** `decidable`: what this person may decide now, as the desk says it. */
export function viewOf(request: AccessRequest, viewer: Viewer, decidable: ReadonlySet<string>): RequestView {
  const { ask, phase, breakGlass, grant, reviewed, reviewers = [] } = request;
  const own = isOwn(request, viewer.person);
  const isOpen = phase === "pending" || phase === "granted";
  return {
    ...request,
    ask: ask.type === "action" ? shownCall(ask, own, viewer.isAuditor) : ask,
    mayDecide: decidable.has(request.id),
    mayCancel: own && phase === "pending",
    mayRevoke: isOpen && (own || viewer.isAdministrator || isOneOf(request, viewer.person)),
    mayReview:
      breakGlass &&
      grant !== undefined &&
      reviewed === undefined &&
      !own &&
      !viewer.person.isProgram &&
      fillableSlots(reviewers, viewer.person).length > 0,
  };
}

type CallAsk = Extract<AccessRequest["ask"], { readonly type: "action" }>;

/** Of a Secret nobody is told a digest of what it holds, or of what somebody else sends: short values can be tried until one fits. */
function shownCall(ask: CallAsk, isOwn: boolean, isAuditor: boolean): CallAsk {
  const shown = { ...ask, preview: previewFor(ask.preview, isOwn && !isAuditor) };
  const { action } = ask;
  if (action.apiGroup !== "" || action.resource !== "secrets") return shown;
  const { pinned, http } = action;
  const sent = isOwn ? {} : { http: { ...http, bodyDigest: "" } };
  return { ...shown, digest: "", action: { ...action, ...sent, ...(pinned && { pinned: { uid: pinned.uid, digest: "" } }) } };
}

/**
 * Who decides sees the object as it is. Who asks knows what they sent and may have no right to read the object, which was read for
 * the approver; the desk has marked secrets, and what is shown does not depend on that.
 */
function previewFor(preview: Parameters<typeof withoutSecrets>[0], isOwn: boolean): typeof preview {
  const shown = withoutSecrets(preview);
  return isOwn && shown !== undefined ? { sent: shown.sent, unread: shown.unread } : shown;
}
