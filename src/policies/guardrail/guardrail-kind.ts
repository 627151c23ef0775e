import { z } from "zod";
import { severities } from "../../core/finding.ts";
import type { ResourceKind } from "../../core/resource-kind.ts";

export const guardrailEffects = ["deny", "require-approval", "require-reason", "warn"] as const;
export type GuardrailEffect = (typeof guardrailEffects)[number];

const guardrailOperations = ["CREATE", "UPDATE", "DELETE", "CONNECT", "READ"] as const;

const name = z.string().min(1);
const names = z.array(name).min(1);

const subjects = z.strictObject({
  users: names.describe("User names, with * and ?.").optional(),
  groups: names.describe("Group names, exact.").optional(),
});

const match = z.strictObject({
  operations: z
    .array(z.enum(guardrailOperations))
    .min(1)
    .describe(
      "CREATE, UPDATE, DELETE and CONNECT where absent. READ holds in the gateway alone: the API server asks nobody about reads.",
    )
    .optional(),
  resources: z
    .array(
      z.strictObject({
        apiGroups: z.array(z.string()).min(1).describe("Exact, or *; the core group is empty."),
        resources: names.describe("As webhooks write them: pods, pods/exec, pods/*, * without subresources, */* with them."),
        resourceNames: names.describe("With * and ?.").optional(),
      }),
    )
    .min(1)
    .describe("What it is about; everything that people do where absent: all but the subresources of controllers, as status.")
    .optional(),
  namespaces: names.describe("With * and ?. A Namespace is in itself.").optional(),
  excludeNamespaces: names.describe("With * and ?.").optional(),
  namespaceSelector: z.record(z.string(), z.unknown()).describe("A label selector for the namespace.").optional(),
  objectSelector: z.record(z.string(), z.unknown()).describe("A label selector for the object, before or after.").optional(),
});

const schedules = z.strictObject({
  outside: names.describe("Speaks while none of these schedules is open.").optional(),
  inside: names.describe("Speaks while one of these is open.").optional(),
  frozen: names.describe("Speaks while one of these is in a freeze.").optional(),
});

const spec = z.strictObject({
  effect: z.enum(guardrailEffects).describe("What becomes of an action that it speaks about."),
  message: name.describe("Why, for the person who is stopped."),
  severity: z.enum(severities).optional(),
  match: match.optional(),
  subjects: subjects.describe("Whom it is about; everybody where absent.").optional(),
  excludeSubjects: subjects.describe("Whom it is not about: the cluster's own controllers.").optional(),
  schedules: schedules.optional(),
  when: name
    .describe("CEL over action, user, time, object and oldObject: it speaks where this holds, or cannot be evaluated.")
    .optional(),
});

/** Where a guardrail names no resources: objects, and the subresources by which people change or use them. */
export const usualResources = [
  {
    apiGroups: ["*"],
    resources: [
      "*",
      ...["scale", "exec", "attach", "portforward", "proxy", "ephemeralcontainers", "eviction", "resize", "token"].map(
        (subresource) => `*/${subresource}`,
      ),
    ],
  },
];

export type GuardrailSpec = z.infer<typeof spec>;
export type SubjectsSpec = z.infer<typeof subjects>;

export const guardrailKind: ResourceKind<GuardrailSpec> = {
  kind: "Guardrail",
  plural: "guardrails",
  shortNames: [],
  description: "Stops actions that rights alone would allow, or asks for an approval or a reason first.",
  spec,
  columns: [
    { name: "Effect", path: "effect" },
    { name: "Message", path: "message" },
  ],
};
