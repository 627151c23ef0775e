import { post } from "../../adapters/notify/http-delivery.ts";
import { isSafeAddress } from "../../adapters/notify/notifications-document.ts";
import { callSlack, type SlackApp } from "../../adapters/notify/slack.ts";
import type { JsonObject } from "../../core/json.ts";

/** What the Slack routes say to Slack on their own. */
export interface SlackVoice {
  /** Shows a form to who pressed a button; answers what is wrong, or nothing. */
  readonly openView: (trigger: string, view: JsonObject) => Promise<string | undefined>;
  /** Says something to the address that a pressed button came with. */
  readonly respond: (url: string, message: JsonObject) => Promise<void>;
}

export function slackVoice(app: SlackApp): SlackVoice {
  return {
    openView: async (trigger, view) => {
      const delivery = await callSlack(app, "views.open", { trigger_id: trigger, view });
      return delivery.ok ? undefined : delivery.problem;
    },
    respond: async (text, message) => {
      if (!isSafeAddress(text)) throw new Error("Slack gave an address to answer to that is not https");
      const headers = { "content-type": "application/json; charset=utf-8" };
      await post({ url: new URL(text), headers, body: JSON.stringify(message) });
    },
  };
}
