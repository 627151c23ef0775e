import { createHmac } from "node:crypto";
import { deliver } from "./http-delivery.ts";
import type { Notice, NoticeChannel } from "./notice.ts";

/** What signs: the bytes of `whsec_<base64>`, or of any other text as it is. */
export function webhookKey(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret, "utf8");
}

/** The `webhook-signature` of Standard Webhooks 1.0; `timestamp` in seconds. */
export function webhookSignature(key: Buffer, id: string, timestamp: number, body: string): string {
  return `v1,${createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64")}`;
}

/** A webhook as Standard Webhooks says (https://www.standardwebhooks.com), for whatever has no channel of its own. */
export function signedWebhook(url: URL, secret: string, now: () => number): NoticeChannel {
  const key = webhookKey(secret);
  return {
    send: (notice) => {
      const timestamp = Math.floor(now() / 1000);
      const body = JSON.stringify(webhookPayload(notice));
      const headers = {
        "content-type": "application/json",
        "webhook-id": notice.id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": webhookSignature(key, notice.id, timestamp, body),
      };
      return deliver({ url, headers, body });
    },
  };
}

function webhookPayload({ event, at, headline, facts, link, request }: Notice): object {
  return {
    type: `access.${event}`,
    timestamp: new Date(at).toISOString(),
    data: { ...request, headline, facts: Object.fromEntries(facts.map(({ label, value }) => [label, value])), link },
  };
}
