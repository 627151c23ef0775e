import type { JsonObject } from "../../core/json.ts";
import { deliver } from "./http-delivery.ts";
import type { Notice, NoticeChannel } from "./notice.ts";

/** An incoming webhook of Microsoft Teams (a workflow's address) that takes an Adaptive Card. */
export function teamsWebhook(url: URL): NoticeChannel {
  const headers = { "content-type": "application/json" };
  return { send: (notice) => deliver({ url, headers, body: JSON.stringify(teamsMessage(notice)) }) };
}

/** https://adaptivecards.io/schemas/1.4: text runs, as text blocks would read what people wrote as Markdown. */
function teamsMessage(notice: Notice): JsonObject {
  const run = (text: string, more: JsonObject = {}): JsonObject => ({ type: "TextRun", text, ...more });
  const card = {
    $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
    type: "AdaptiveCard",
    version: "1.4",
    body: [
      { type: "RichTextBlock", inlines: [run(notice.headline, { weight: "Bolder", size: "Medium" })] },
      ...notice.facts.map(({ label, value }) => ({
        type: "RichTextBlock",
        spacing: "Small",
        inlines: [run(`${label}: `, { isSubtle: true }), run(value)],
      })),
    ],
    actions: [{ type: "Action.OpenUrl", title: notice.wantsDecision ? "Show and decide" : "Show", url: notice.link }],
  };
  return {
    type: "message",
    attachments: [{ contentType: "application/vnd.microsoft.card.adaptive", contentUrl: null, content: card }],
  };
}
