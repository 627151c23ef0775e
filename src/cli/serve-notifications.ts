import { readNotificationsDocument } from "../adapters/notify/notifications-document.ts";
import { type NotificationSettings, notificationSettings } from "../adapters/notify/targets.ts";
import type { Ledger } from "../adapters/store/ledger.ts";
import type { Store } from "../adapters/store/store.ts";
import { asString, type JsonValue, member } from "../core/json.ts";
import type { SourceDocument } from "../core/source.ts";
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
 * The settings of the one `kind: Notifications` among these documents, with their secrets as they are now; undefined where there is none.
 * Throws `UsageError`.
 */
function settingsOf(documents: readonly SourceDocument[], io: Io): NotificationSettings | undefined {
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

/** Who is told of requests, as the documents of the moment say. */
export class FollowedNotifications {
  readonly #io: Io;
  readonly #trouble: (error: unknown) => void;
  readonly #listeners: ((settings: NotificationSettings | undefined) => void)[] = [];
  #settings: NotificationSettings | undefined;

  /** Throws `UsageError` where the first documents are wrong. */
  constructor(documents: readonly SourceDocument[], io: Io, trouble: (error: unknown) => void) {
    this.#io = io;
    this.#trouble = trouble;
    this.#settings = settingsOf(documents, io);
  }

  /** Undefined: nobody is told. */
  get settings(): NotificationSettings | undefined {
    return this.#settings;
  }

  /** Takes up changed documents; where they are wrong, what was in force stays so. */
  take(documents: readonly SourceDocument[]): void {
    try {
      this.#settings = settingsOf(documents, this.#io);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#trouble(new Error(`the notifications are not taken up, and those before stay in force: ${why}`));
      return;
    }
    for (const listener of this.#listeners) listener(this.#settings);
  }

  onChange(listener: (settings: NotificationSettings | undefined) => void): void {
    this.#listeners.push(listener);
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

/** Tells people of requests from now on; while there is a Slack app, `api` also takes what they press there. */
export function startNotifications(followed: FollowedNotifications, api: Api, parts: NotificationParts): ServingNotifications {
  const notifications = new Notifications({ ...parts, settings: followed.settings });
  followed.onChange((settings) => notifications.use(settings));
  const chatLinks = new ChatLinks(parts);
  const { desk, now, onTrouble } = parts;
  addSlackRoutes(api, () => {
    const { slackApp, consoleUrl = "" } = followed.settings ?? {};
    if (slackApp === undefined) return undefined;
    const { signingSecret } = slackApp;
    return { desk, links: chatLinks, signingSecret, ...slackVoice(slackApp), consoleUrl, now, onTrouble };
  });
  notifications.start();
  return { notifications, chatLinks, stop: () => notifications.stop() };
}
