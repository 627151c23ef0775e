import { createHmac, timingSafeEqual } from "node:crypto";

/** A message's age in either direction beyond which it is refused, seconds. */
const windowSeconds = 300;

export interface SignedMessage {
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  /** As it came, byte for byte. */
  readonly body: string;
}

/** What is wrong with a message that says to come from Slack; undefined: it does. https://docs.slack.dev/authentication/verifying-requests-from-slack */
export function signatureProblem(
  { timestamp, signature, body }: SignedMessage,
  secret: string,
  nowMilliseconds: number,
): string | undefined {
  if (timestamp === undefined || signature === undefined) return "it is not signed";
  if (!/^\d{1,12}$/.test(timestamp)) return "its time is no number";
  if (Math.abs(nowMilliseconds / 1000 - Number(timestamp)) > windowSeconds)
    return "it is older than five minutes, or of the future";
  const expected = Buffer.from(`v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`);
  const given = Buffer.from(signature);
  return expected.length === given.length && timingSafeEqual(expected, given) ? undefined : "its signature is wrong";
}

/** How long a message's signature must be remembered, so that it works once: as long as its time is accepted. */
export const replayMilliseconds = 2 * windowSeconds * 1000;
