import { z } from "zod";
import type { JsonObject, JsonValue } from "../../core/json.ts";

// Answers have the members of `AccessRequest`; zod writes them into the OpenAPI document and lets nothing else out.
const instant = z.number().describe("milliseconds since the epoch");
const texts = z.array(z.string()).readonly();
const json = z.custom<JsonObject>((value) => typeof value === "object").meta({ type: "object" });
const value = z.custom<JsonValue>(() => true).meta({});

const person = z.object({
  issuer: z.string(),
  subject: z.string(),
  user: z.string(),
  groups: texts,
  human: z.string(),
  isProgram: z.boolean(),
  displayName: z.string().optional(),
});

const action = z.object({
  cluster: z.string(),
  verb: z.string(),
  isResourceRequest: z.boolean(),
  path: z.string(),
  apiGroup: z.string(),
  apiVersion: z.string(),
  resource: z.string(),
  subresource: z.string(),
  namespace: z.string(),
  name: z.string(),
  dryRun: z.boolean(),
  http: z.object({
    method: z.string(),
    target: z.string(),
    contentType: z.string(),
    contentEncoding: z.string(),
    bodyDigest: z.string(),
  }),
  pinned: z.object({ uid: z.string(), digest: z.string() }).optional(),
  namespaceLabels: z.record(z.string(), z.string()).optional(),
  at: instant,
});

const object = z.object({ apiVersion: z.string(), kind: z.string(), namespace: z.string(), name: z.string() });
const session = z.object({
  type: z.literal("session"),
  namespace: z.string().min(1).max(63),
  milliseconds: z
    .number()
    .int()
    .min(1000)
    .max(400 * 86_400_000),
  mode: z.enum(["gateway", "rolebinding"]).default("gateway"),
});
const exception = z.object({
  type: z.literal("exception"),
  policy: z.string().min(1),
  rules: texts.default([]),
  object,
  until: instant,
});

const ask = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("action"),
    action,
    digest: z.string(),
    preview: z
      .object({
        before: json.optional(),
        after: json.optional(),
        sent: value.optional(),
        unread: z.boolean().optional().describe("there is a body of which nobody can say what it asks for"),
      })
      .optional(),
  }),
  session,
  exception,
]);

const slots = z
  .array(
    z.object({
      name: z.string(),
      count: z.number(),
      approvers: z.object({ groups: texts, humans: texts }),
    }),
  )
  .readonly();

export const requestShape = z.object({
  id: z.string(),
  cluster: z.string(),
  requester: person,
  ask,
  reason: z.string(),
  rule: z.object({ name: z.string(), version: z.string() }),
  role: z
    .object({ kind: z.enum(["Role", "ClusterRole"]), name: z.string() })
    .optional()
    .describe("what the grant's group is bound to"),
  guardrails: texts,
  breakGlass: z.boolean(),
  reviewed: z.object({ by: person, at: instant, comment: z.string() }).optional(),
  reviewers: slots.optional().describe("of break-glass: whoever may fill one of these looks at it afterwards"),
  slots,
  approvals: z
    .array(
      z.object({
        by: person,
        at: instant,
        verdict: z.enum(["approve", "deny"]),
        comment: z.string(),
        channel: z.enum(["cli", "console", "api", "slack", "rule"]),
        fills: texts.optional(),
      }),
    )
    .readonly(),
  opened: instant,
  pendingUntil: instant,
  grantMilliseconds: z.number(),
  phase: z.enum(["pending", "granted", "denied", "cancelled", "lapsed", "ended"]),
  ended: z.object({ at: instant, why: z.string(), by: person.optional() }).optional(),
  grant: z
    .object({
      id: z.string(),
      from: instant,
      until: instant,
      group: z.string(),
      use: z.enum(["live", "consumed", "sent", "done", "unknown"]),
    })
    .optional(),
  seen: instant,
  revision: z.number(),
  mayDecide: z.boolean(),
  mayCancel: z.boolean(),
  mayRevoke: z.boolean(),
  mayReview: z.boolean(),
});

/** One request with all that helps to decide on it. */
export const detailShape = requestShape.extend({
  what: z.string().describe("in one line"),
  changes: z
    .array(
      z.object({
        op: z.string(),
        path: z.string(),
        value: z
          .custom<JsonValue>(() => true)
          .meta({})
          .optional(),
        from: z.string().optional(),
      }),
    )
    .readonly()
    .describe("RFC 6902: from the object as it is to what it would be"),
  similar: z
    .array(
      z.object({
        id: z.string(),
        user: z.string(),
        reason: z.string(),
        phase: z.enum(["granted", "denied", "lapsed", "cancelled"]),
        decidedBy: texts,
        comment: z.string(),
        at: instant,
        alike: texts,
      }),
    )
    .readonly(),
  risk: z.object({ score: z.number(), reasons: texts }).optional().describe("undefined: what the rule gives is not known"),
});

/** What can be asked for: a call as it would be sent, access for a while, an exception from a policy. */
export const newRequestShape = z.strictObject({
  ask: z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("action"),
      method: z.string().regex(/^[A-Z]{1,20}$/),
      target: z.string().min(1).max(8192).describe("path and query as kubectl sends them"),
      contentType: z.string().max(200).default(""),
      contentEncoding: z.string().max(50).default(""),
      body: z.base64().default("").describe("the exact bytes, base64"),
    }),
    session,
    exception,
  ]),
  reason: z.string().trim().max(2000).default(""),
  cluster: z.string().optional().describe("undefined: the only one that is governed"),
  rule: z.string().optional(),
  breakGlass: z.boolean().default(false),
});
