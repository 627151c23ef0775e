import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/json.ts";
import { readNotificationsDocument } from "./notifications-document.ts";
import { notificationSettings } from "./targets.ts";

describe("the document", () => {
  const document = (spec: JsonObject): JsonObject => ({
    apiVersion: "castellan.dev/v1alpha1",
    kind: "Notifications",
    spec: { consoleUrl: "https://c.example", ...spec },
  });
  const target = (more: JsonObject): JsonObject => document({ targets: [{ name: "a", audience: ["page"], ...more }] });

  test.each<[string, JsonObject, RegExp]>([
    ["an unknown field", document({ colour: "red" }), /colour/],
    ["a secret that is written down", target({ slack: { webhookUrl: "https://hooks.slack.com/x" } }), /webhookUrl/],
    [
      "two channels in one target",
      target({ slack: { webhookUrl: { env: "A" } }, teams: { webhookUrl: { env: "B" } } }),
      /exactly one/,
    ],
    ["no channel", target({}), /exactly one/],
    ["plain HTTP", target({ webhook: { url: "http://pager.example/x", secret: { env: "A" } } }), /https/],
    [
      "a password in the clear",
      target({ email: { smtp: { host: "mail.example", tls: "none", user: "u", password: { env: "P" } }, from: "a@b" } }),
      /clear/,
    ],
    ["a channel without an app", target({ slack: { channel: "C1" } }), /slackApp/],
    [
      "an audience of nobody",
      document({ targets: [{ name: "a", audience: [], teams: { webhookUrl: { env: "B" } } }] }),
      /audience/,
    ],
    [
      "one name twice",
      document({ targets: ["x", "x"].map((name) => ({ name, audience: ["page"], teams: { webhookUrl: { env: "B" } } })) }),
      /one name/,
    ],
  ])("%s is refused", (_, value, problem) => {
    const read = readNotificationsDocument(value);
    expect(read.ok ? "" : read.problem).toMatch(problem);
  });

  test("a secret that is not there is named", () => {
    const read = readNotificationsDocument(target({ teams: { webhookUrl: { env: "NOWHERE" } } }));
    if (!read.ok) throw new Error(read.problem);
    expect(() => notificationSettings(read.spec, {}, () => 0)).toThrow(/NOWHERE/);
  });
});
