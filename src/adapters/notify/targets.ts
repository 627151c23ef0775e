import { readFileSync } from "node:fs";
import { email } from "./email.ts";
import type { NoticeChannel, NoticeEvent } from "./notice.ts";
import { isSafeAddress, type NotificationsSpec, type SecretReference } from "./notifications-document.ts";
import { signedWebhook } from "./signed-webhook.ts";
import { type SlackApp, slackChannel, slackWebhook } from "./slack.ts";
import { teamsWebhook } from "./teams.ts";

type Audience = NotificationsSpec["targets"][number]["audience"][number];

/** One place that messages go to. */
export interface NoticeTarget {
  readonly name: string;
  readonly audience: ReadonlySet<Audience>;
  readonly events: ReadonlySet<NoticeEvent>;
  /** Undefined: requests of all approvers. */
  readonly groups: readonly string[] | undefined;
  /** It writes to people's own addresses; without one, and without addresses of its own, nobody would be reached. */
  readonly needsAddress: boolean;
  readonly channel: NoticeChannel;
}

export interface NotificationSettings {
  readonly consoleUrl: string;
  readonly targets: readonly NoticeTarget[];
  readonly slackApp: (SlackApp & { readonly signingSecret: string }) | undefined;
}

/** Of what each audience hears unless its target says otherwise. */
const usualEvents: { readonly [audience in Audience]: readonly NoticeEvent[] } = {
  requester: ["opened", "approved", "denied", "lapsed", "expiring", "ended"],
  approvers: ["opened"],
  page: ["break-glass"],
};

/** The settings with their secrets. Throws an `Error` that names a secret that is not there. */
export function notificationSettings(
  spec: NotificationsSpec,
  env: { readonly [name: string]: string | undefined },
  now: () => number,
): NotificationSettings {
  const read = (reference: SecretReference): string => secretOf(reference, env);
  const app = spec.slackApp;
  const slackApp =
    app === undefined
      ? undefined
      : { signingSecret: read(app.signingSecret), botToken: read(app.botToken), apiUrl: new URL(app.apiUrl) };
  return {
    consoleUrl: spec.consoleUrl.replace(/\/$/, ""),
    slackApp,
    targets: spec.targets.map((target) => ({
      name: target.name,
      audience: new Set(target.audience),
      events: new Set(target.events ?? target.audience.flatMap((audience) => usualEvents[audience])),
      groups: target.groups,
      needsAddress: target.email !== undefined && target.email.to.length === 0,
      channel: channelOf(target, { read, slackApp, now }),
    })),
  };
}

interface Surroundings {
  readonly read: (reference: SecretReference) => string;
  readonly slackApp: SlackApp | undefined;
  readonly now: () => number;
}

function channelOf(
  { name, slack, teams, webhook, email: mail }: NotificationsSpec["targets"][number],
  { read, slackApp, now }: Surroundings,
): NoticeChannel {
  const secretUrl = (reference: SecretReference): URL => {
    const text = read(reference);
    if (!isSafeAddress(text)) throw new Error(`the webhook of ${name} must be https, or http to this machine`);
    return new URL(text);
  };
  if (slack?.webhookUrl !== undefined) return slackWebhook(secretUrl(slack.webhookUrl), slackApp !== undefined);
  if (slack?.channel !== undefined && slackApp !== undefined) return slackChannel(slackApp, slack.channel);
  if (teams !== undefined) return teamsWebhook(secretUrl(teams.webhookUrl));
  if (webhook !== undefined) return signedWebhook(new URL(webhook.url), read(webhook.secret), now);
  if (mail === undefined) throw new Error(`${name} has no channel`);
  const { user, password, caFile, ...server } = mail.smtp;
  const login = user === undefined || password === undefined ? undefined : { user, password: read(password) };
  const ca = caFile === undefined ? undefined : readFileSync(caFile, "utf8");
  return email({ ...server, login, ca }, mail.from, mail.to);
}

function secretOf(reference: SecretReference, env: { readonly [name: string]: string | undefined }): string {
  const value = "env" in reference ? env[reference.env] : fileText(reference.file);
  const where = "env" in reference ? `the environment variable ${reference.env}` : `the file ${reference.file}`;
  if (value === undefined || value === "") throw new Error(`${where}, which the notifications name, is not there or is empty`);
  return value;
}

function fileText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined;
  }
}
