import { fillableSlots } from "../../access/machine/slots.ts";
import { type Person, personKey } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import { isObject, type JsonObject, type JsonValue } from "../../core/json.ts";
import { secretOutline } from "../redact-secrets.ts";

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

/** Requesters, those who decide or decided, and auditors. */
export function maySee(request: AccessRequest, { person, isAuditor }: Viewer): boolean {
  if (isAuditor || isOwn(request, person)) return true;
  if (request.approvals.some(({ by }) => personKey(by) === personKey(person))) return true;
  return fillableSlots(request.slots, person).length > 0;
}

/** `decidable`: what this person may decide now, as the desk says it. */
export function viewOf(request: AccessRequest, viewer: Viewer, decidable: ReadonlySet<string>): RequestView {
  const { phase, breakGlass, grant, reviewed } = request;
  const own = isOwn(request, viewer.person);
  const isOpen = phase === "pending" || phase === "granted";
  const isApprover = fillableSlots(request.slots, viewer.person).length > 0;
  return {
    ...request,
    ask: markedAsk(request.ask),
    mayDecide: decidable.has(request.id),
    mayCancel: own && phase === "pending",
    mayRevoke: isOpen && (own || viewer.isAdministrator || isApprover),
    mayReview: breakGlass && grant !== undefined && reviewed === undefined && viewer.isAuditor && !own,
  };
}

/** Whoever made the preview has marked secrets; what is shown does not depend on that. */
function markedAsk(ask: AccessRequest["ask"]): AccessRequest["ask"] {
  if (ask.type !== "action" || ask.preview === undefined) return ask;
  const { before, after } = ask.preview;
  return { ...ask, preview: { before: withoutSecrets(before), after: withoutSecrets(after) } };
}

function withoutSecrets(object: JsonObject | undefined): JsonObject | undefined {
  if (object === undefined) return undefined;
  if (object["kind"] === "Secret") return marked(object);
  const items: JsonValue | undefined = object["items"];
  if (!Array.isArray(items)) return object;
  return { ...object, items: items.map((item: JsonValue) => (isObject(item) ? (withoutSecrets(item) ?? item) : item)) };
}

/** Marks say whether a value changed, when they come from the preview: those stay. */
function marked(object: JsonObject): JsonObject {
  const outline = secretOutline(object);
  const kept = (name: "data" | "stringData"): JsonValue | undefined => {
    const [map, marks] = [object[name], outline[name]];
    if (!isObject(map) || !isObject(marks)) return marks;
    return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, isMark(value) ? value : marks[key]]));
  };
  return { ...outline, data: kept("data"), stringData: kept("stringData") };
}

const isMark = (value: JsonValue | undefined): boolean => typeof value === "string" && /^<[a-z0-9 :-]+>$/.test(value);
