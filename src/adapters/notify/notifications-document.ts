import { z } from "zod";
import type { JsonValue } from "../../core/json.ts";
import { noticeEvents } from "./notice.ts";

/** Where a secret is: never in the document itself. */
const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })]);

const isLoopback = (host: string): boolean => host === "localhost" || host === "[::1]" || /^127(\.\d+){3}$/.test(host);

/** Whether messages may go there: by TLS, or without leaving this machine. */
export function isSafeAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname));
}

const address = z.url().refine(isSafeAddress, "must be https, or http to this machine");

const smtp = z
  .strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535).default(587),
    tls: z.enum(["implicit", "required", "none"]).default("required"),
    /** A PEM file with the authority of the server's certificate. */
    caFile: z.string().optional(),
    user: z.string().optional(),
    password: secret.optional(),
  })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), "user and password belong together")
  .refine(
    ({ host, tls, user }) => tls !== "none" || isLoopback(host) || user === undefined,
    "a password would be sent in the clear: use tls required or implicit",
  );

const channels = {
  slack: z
    .strictObject({ webhookUrl: secret.optional(), channel: z.string().min(1).optional() })
    .refine(({ webhookUrl, channel }) => (webhookUrl === undefined) !== (channel === undefined), "one of webhookUrl, channel"),
  teams: z.strictObject({ webhookUrl: secret }),
  webhook: z.strictObject({ url: address, secret }),
  email: z.strictObject({ smtp, from: z.string().includes("@"), to: z.array(z.string().includes("@")).default([]) }),
};

const target = z
  .strictObject({
    name: z.string().min(1),
    /** Whose messages go there. */
    audience: z.array(z.enum(["requester", "approvers", "page"])).min(1),
    /** Instead of the events that the audience is told of by default. */
    events: z.array(z.enum(noticeEvents)).optional(),
    /** Approvers: only of requests that one of these groups may decide. */
    groups: z.array(z.string().min(1)).optional(),
    slack: channels.slack.optional(),
    teams: channels.teams.optional(),
    webhook: channels.webhook.optional(),
    email: channels.email.optional(),
  })
  .refine(
    ({ slack, teams, webhook, email }) => [slack, teams, webhook, email].filter((c) => c !== undefined).length === 1,
    "exactly one of slack, teams, webhook, email",
  );

const notificationsSchema = z
  .strictObject({
    apiVersion: z.literal("castellan.dev/v1alpha1"),
    kind: z.literal("Notifications"),
    metadata: z.looseObject({ name: z.string() }).optional(),
    spec: z.strictObject({
      /** By which address people reach the console. */
      consoleUrl: address,
      slackApp: z
        .strictObject({ signingSecret: secret, botToken: secret, apiUrl: address.default("https://slack.com/api") })
        .optional(),
      targets: z.array(target).default([]),
    }),
  })
  .refine(({ spec }) => new Set(spec.targets.map(({ name }) => name)).size === spec.targets.length, {
    path: ["spec", "targets"],
    message: "two targets have one name",
  })
  .refine(({ spec }) => spec.slackApp !== undefined || spec.targets.every(({ slack }) => slack?.channel === undefined), {
    path: ["spec", "slackApp"],
    message: "a target names a channel, which needs slackApp",
  });

export type NotificationsSpec = z.infer<typeof notificationsSchema>["spec"];
export type SecretReference = z.infer<typeof secret>;

/** The settings of a `kind: Notifications` document, or what is wrong with it, one line. Unknown fields are errors. */
export function readNotificationsDocument(
  document: JsonValue,
): { readonly ok: true; readonly spec: NotificationsSpec } | { readonly ok: false; readonly problem: string } {
  const parsed = notificationsSchema.safeParse(document);
  if (parsed.success) return { ok: true, spec: parsed.data.spec };
  const [issue] = parsed.error.issues;
  return { ok: false, problem: `${issue?.path.join(".") || "the document"}: ${issue?.message ?? "is wrong"}` };
}
