import type { JsonObject, JsonValue } from "../../core/json.ts";
import { connectionProblem, deliver, deliveryOf, post } from "./http-delivery.ts";
import type { Delivery, Notice, NoticeChannel } from "./notice.ts";

/** An incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks */
export function slackWebhook(url: URL, interactive: boolean): NoticeChannel {
  const headers = { "content-type": "application/json; charset=utf-8" };
  return { send: (notice) => deliver({ url, headers, body: JSON.stringify(slackMessage(notice, interactive)) }) };
}

export interface SlackApp {
  readonly botToken: string;
  /** `https://slack.com/api` but in tests. */
  readonly apiUrl: URL;
}

/** One call of Slack's Web API: https://docs.slack.dev/apis/web-api. Never rejects. */
export async function callSlack({ botToken, apiUrl }: SlackApp, method: string, body: JsonObject): Promise<Delivery> {
  const headers = { "content-type": "application/json; charset=utf-8", authorization: `Bearer ${botToken}` };
  const url = new URL(`${apiUrl.href.replace(/\/$/, "")}/${method}`);
  const answer = await post({ url, headers, body: JSON.stringify(body) }).catch(connectionProblem);
  if ("ok" in answer) return answer;
  const delivery = deliveryOf(answer);
  if (!delivery.ok) return delivery;
  // Slack says 200 to what it refuses.
  const error = /"ok"\s*:\s*true/.test(answer.text) ? undefined : (/"error"\s*:\s*"(\w+)"/.exec(answer.text)?.[1] ?? "unknown");
  if (error === undefined) return { ok: true };
  return { ok: false, problem: `Slack refused: ${error}`, retry: transientErrors.has(error) };
}

const transientErrors: ReadonlySet<string> = new Set([
  "ratelimited",
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
]);

/** Messages into one channel, in the name of an app. */
export function slackChannel(app: SlackApp, channel: string): NoticeChannel {
  return { send: (notice) => callSlack(app, "chat.postMessage", { channel, ...slackMessage(notice, true) }) };
}

/** What the buttons of a message are called when Slack tells of them. */
const slackActions = { approve: "castellan.approve", deny: "castellan.deny" } as const;

/** Block Kit: what people wrote is plain text, which mentions nobody and links nowhere. */
function slackMessage(notice: Notice, interactive: boolean): JsonObject {
  const plain = (text: string): JsonObject => ({ type: "plain_text", text, emoji: false });
  const facts = notice.facts.map(({ label, value }) => plain(`${label}\n${value}`));
  const blocks: JsonValue[] = [{ type: "section", text: plain(notice.headline) }];
  // A section takes ten fields.
  for (let i = 0; i < facts.length; i += 10) blocks.push({ type: "section", fields: facts.slice(i, i + 10) });
  blocks.push({
    type: "actions",
    block_id: `castellan.${notice.request.id}`,
    elements: [
      ...(interactive && notice.wantsDecision
        ? [
            button(slackActions.approve, "Approve", notice.request.id, "primary"),
            button(slackActions.deny, "Deny", notice.request.id, "danger"),
          ]
        : []),
      { type: "button", action_id: "castellan.show", text: plain("Show"), url: notice.link },
    ],
  });
  return { text: escaped(notice.headline), unfurl_links: false, unfurl_media: false, blocks };
}

function button(action: string, text: string, value: string, style: string): JsonObject {
  return { type: "button", action_id: action, text: { type: "plain_text", text }, value, style };
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
