import { describe, expect, test } from "vitest";
import { type SignedMessage, signatureProblem } from "./slack-signature.ts";

// The example of https://docs.slack.dev/authentication/verifying-requests-from-slack
const secret = "8f742231b10e8888abcd99yyyzzz85a5";
const example: SignedMessage = {
  timestamp: "1531420618",
  signature: "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
  body: "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c",
};
const at = 1531420618_000;

describe("a message of Slack", () => {
  test.each([0, 299_000, 300_000, -300_000])("is taken %i ms after it was sent", (later) => {
    expect(signatureProblem(example, secret, at + later)).toBeUndefined();
  });

  test.each<[string, Partial<SignedMessage>, number, RegExp]>([
    ["of five minutes ago", {}, 301_000, /older/],
    ["of the future", {}, -301_000, /future/],
    ["with another body", { body: `${example.body}x` }, 0, /wrong/],
    ["with another time", { timestamp: "1531420619" }, 0, /wrong/],
    ["with no time", { timestamp: undefined }, 0, /not signed/],
    ["with no signature", { signature: undefined }, 0, /not signed/],
    ["with an empty signature", { signature: "" }, 0, /wrong/],
    ["with the signature of another version", { signature: example.signature?.replace("v0=", "v1=") }, 0, /wrong/],
    ["with a time that is no number", { timestamp: "1531420618e0" }, 0, /no number/],
    ["with a negative time", { timestamp: "-1" }, 0, /no number/],
  ])("%s is refused", (_, change, later, problem) => {
    expect(signatureProblem({ ...example, ...change }, secret, at + later)).toMatch(problem);
  });

  test("another app's secret is refused", () => {
    expect(signatureProblem(example, `${secret}0`, at)).toMatch(/wrong/);
  });
});
