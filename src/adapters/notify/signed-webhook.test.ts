import { expect, test } from "vitest";
import { webhookKey, webhookSignature } from "./signed-webhook.ts";

test("the example of Standard Webhooks", () => {
  const key = webhookKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  expect(webhookSignature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')).toBe(
    "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  );
});

test("a secret without the prefix is its own bytes", () => {
  expect(webhookKey("plain").toString("utf8")).toBe("plain");
});
