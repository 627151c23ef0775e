import { loadPaths } from "../adapters/files/load-paths.ts";
import { readNotificationsDocument } from "../adapters/notify/notifications-document.ts";
import { type NotificationSettings, notificationSettings } from "../adapters/notify/targets.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { asString, type JsonValue, member } from "../core/json.ts";
import type { Api } from "../server/api/api.ts";
import { addSlackRoutes } from "../server/chat/slack.ts";
import { type ChatLinkOptions, ChatLinks } from "../services/access/chat-links.ts";
import type { AccessDesk } from "../services/access/desk.ts";
import { Notifications } from "../services/access/notifications.ts";
import { slackVoice } from "../services/access/slack-app.ts";
import { UsageError } from "./command.ts";
import type { Io } from "./io.ts";

/** Whether a document says who is told of requests. */
const isNotificationsDocument = (value: JsonValue): boolean =>
  member(value, "kind") === "Notifications" && asString(member(value, "apiVersion"))?.startsWith("castellan.dev/") === true;

/**
 * The settings of the one `kind: Notifications` document among these files, with their secrets; undefined where there is none.
 * Throws `UsageError`.
 */
export async function notificationsOf(paths: readonly string[], io: Io): Promise<NotificationSettings | undefined> {
  const { documents } = await loadPaths(paths, { render: "never" });
  const [document, second] = documents.filter(({ value }) => isNotificationsDocument(value));
  if (document === undefined) return undefined;
  if (second !== undefined)
    throw new UsageError(`${document.file} and ${second.file} both hold notifications: put them into one document`);
  const read = readNotificationsDocument(document.value);
  if (!read.ok) throw new UsageError(`${document.file}: ${read.problem}`);
  try {
    return notificationSettings(read.spec, io.env, io.now);
  } catch (error) {
    throw new UsageError(`${document.file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

export interface NotificationParts {
  readonly desk: AccessDesk;
  readonly store: Store;
  readonly ledger: Pick<Ledger, "append">;
  /** People as their identity provider knows them by now. */
  readonly current?: ChatLinkOptions["current"];
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

export interface ServingNotifications {
  readonly notifications: Notifications;
  readonly chatLinks: ChatLinks;
  stop(): Promise<void>;
}

/** Tells people of requests from now on; where there is a Slack app, `api` also takes what they press there. */
export function startNotifications(settings: NotificationSettings, api: Api, parts: NotificationParts): ServingNotifications {
  const notifications = new Notifications({ ...parts, settings });
  const chatLinks = new ChatLinks(parts);
  const { slackApp, consoleUrl } = settings;
  if (slackApp !== undefined) {
    const { signingSecret } = slackApp;
    const { desk, now, onTrouble } = parts;
    addSlackRoutes(api, { desk, links: chatLinks, signingSecret, ...slackVoice(slackApp), consoleUrl, now, onTrouble });
  }
  notifications.start();
  return { notifications, chatLinks, stop: () => notifications.stop() };
}
