/** Who may approve, as a rule names it. */
export type ApproverSource =
  /** Exact, as the identity provider says it. */
  | { readonly kind: "group"; readonly group: string }
  /** An id of the directory. */
  | { readonly kind: "human"; readonly human: string }
  | { readonly kind: "manager" }
  /** A rotation of a Schedule, or all of its rotations. */
  | { readonly kind: "schedule"; readonly schedule: string; readonly rotation: string | undefined }
  /** On call by an outside service. */
  | { readonly kind: "service"; readonly service: OnCallService; readonly id: string };

export const onCallServices = ["pagerduty", "opsgenie"] as const;
export type OnCallService = (typeof onCallServices)[number];

const managerOfRequester = "manager-of(requester)";

/** Reads `group:NAME`, `human:ID`, `manager-of(requester)`, `on-call:SCHEDULE[/ROTATION]`, `on-call:pagerduty/ID`; undefined for else. */
export function parseApproverSource(text: string): ApproverSource | undefined {
  if (text === managerOfRequester) return { kind: "manager" };
  const colon = text.indexOf(":");
  const rest = text.slice(colon + 1);
  if (colon < 0 || rest === "") return undefined;
  switch (text.slice(0, colon)) {
    case "group":
      // Everybody and anybody are no approvers, and what we make ourselves is none either.
      return /^(?:system|castellan):/.test(rest) ? undefined : { kind: "group", group: rest };
    case "human":
      return { kind: "human", human: rest };
    case "on-call":
      return onCall(rest);
    default:
      return undefined;
  }
}

function onCall(text: string): ApproverSource | undefined {
  const slash = text.indexOf("/");
  const [first, second] = slash < 0 ? [text, undefined] : [text.slice(0, slash), text.slice(slash + 1)];
  if (first === "" || second === "") return undefined;
  const service = onCallServices.find((known) => known === first);
  if (service === undefined) return { kind: "schedule", schedule: first, rotation: second };
  return second === undefined ? undefined : { kind: "service", service, id: second };
}
