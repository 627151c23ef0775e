import { z } from "zod";
import type { ResourceKind } from "../../core/resource-kind.ts";

const name = z.string().min(1);
const names = z.array(name).min(1);
const duration = z.string().regex(/^(?:\d+(?:ms|s|m|h))+$/, "must be a duration, as 90s, 30m or 8h");

const slot = z.strictObject({
  from: names.describe(
    "Whoever is one of these: group:NAME (exact), human:ID, manager-of(requester), on-call:SCHEDULE[/ROTATION], on-call:pagerduty/SCHEDULE, on-call:opsgenie/SCHEDULE.",
  ),
  count: z.int().min(1).max(20).describe("So many distinct humans; 1 where absent.").optional(),
  otherTeam: z.boolean().describe("Nobody of the requester's own team.").optional(),
});

const spec = z.strictObject({
  description: name.optional(),
  requesters: z
    .strictObject({
      users: names.describe("Exact user names.").optional(),
      groups: names.describe("Exact group names.").optional(),
    })
    .describe("Who may ask."),
  asks: z
    .array(z.enum(["action", "session", "exception"]))
    .min(1)
    .describe("What may be asked for: one call (where absent), the role for a while, or an exception from a policy.")
    .optional(),
  clusters: names.describe("With * and ?; all where absent.").optional(),
  verbs: names.describe("As RBAC knows them; proxy for every way through an API server's proxy; * for all.").optional(),
  resources: z
    .array(
      z.strictObject({
        apiGroups: z.array(z.string()).min(1).describe("Exact, or *; the core group is empty."),
        resources: names.describe("As webhooks write them: pods, pods/exec, pods/*, * without subresources, */* with them."),
        resourceNames: names.describe("With * and ?.").optional(),
      }),
    )
    .min(1)
    .optional(),
  namespaces: names.describe("With * and ?. A Namespace is in itself; where absent, all and what is in none.").optional(),
  namespaceSelector: z.record(z.string(), z.unknown()).describe("A label selector for the namespace.").optional(),
  policies: names.describe("Policies that may be excepted, as group/Kind/name, with * and ?.").optional(),
  role: z
    .strictObject({ kind: z.enum(["Role", "ClusterRole"]), name })
    .describe("What the group castellan:grant:<name of this rule> is bound to by castellan access install.")
    .optional(),
  modes: z
    .array(z.enum(["gateway", "rolebinding"]))
    .min(1)
    .describe("How a session may run; through the gateway where absent.")
    .optional(),
  maxDuration: duration.describe("The longest a grant lives, from the approval."),
  pendingTimeout: duration.describe("How long a request waits for a decision; 1h where absent.").optional(),
  hold: duration
    .describe("How long the gateway keeps a refused call waiting for the decision; it does not where absent.")
    .optional(),
  schedule: name.describe("The rule holds while this Schedule is open, at the request and at each use.").optional(),
  reasonRequired: z.boolean().optional(),
  approvals: z.array(slot).min(1).describe("All of these must be filled, nobody twice.").optional(),
  autoApprove: z.boolean().describe("The rule itself approves, unless a condition says otherwise.").optional(),
  breakGlass: z
    .boolean()
    .describe(
      "For emergencies: approved at once, with a reason, told at once, and reviewed afterwards by one of those whom its approvals name.",
    )
    .optional(),
  conditions: z
    .array(
      z.strictObject({
        name,
        when: name.describe("CEL over action, user, time, object, oldObject and risk."),
        result: z.enum(["approve", "reject", "no-opinion", "require"]),
        require: slot.describe("Who must agree as well, for the result require.").optional(),
        message: name.describe("Why, for the requester.").optional(),
      }),
    )
    .min(1)
    .describe("The most restrictive of those that hold counts: reject, require, no-opinion, approve.")
    .optional(),
});

export type AccessRuleSpec = z.infer<typeof spec>;
export type SlotSpec = z.infer<typeof slot>;

export const accessRuleKind: ResourceKind<AccessRuleSpec> = {
  kind: "AccessRule",
  plural: "accessrules",
  shortNames: [],
  description: "Who may ask for what, for how long, and who must agree.",
  spec,
  columns: [{ name: "Longest", path: "maxDuration" }],
};
