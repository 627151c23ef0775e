import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { action } from "../../src/access/machine/people.testing.ts";
import type { Ask } from "../../src/access/request.ts";
import { readNotificationsDocument } from "../../src/adapters/notify/notifications-document.ts";
import { webhookKey, webhookSignature } from "../../src/adapters/notify/signed-webhook.ts";
import { notificationSettings } from "../../src/adapters/notify/targets.ts";
import type { JsonObject } from "../../src/core/json.ts";
import type { NewRequest } from "../../src/services/access/desk.ts";
import { Notifications } from "../../src/services/access/notifications.ts";
import type { StoredAccessDesk } from "../../src/services/access/stored-desk.ts";
import { type DeskWorld, openDeskWorld, people } from "./desk-server.ts";
import { type HttpReceiver, type SmtpReceiver, startHttpReceiver, startSmtpReceiver } from "./receivers.ts";

let world: DeskWorld;
let desk: StoredAccessDesk;
let http: HttpReceiver;
let smtp: SmtpReceiver;
const running: Notifications[] = [];
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

beforeEach(async () => {
  world = await openDeskWorld();
  desk = await world.desk();
  http = await startHttpReceiver();
  smtp = await startSmtpReceiver();
});

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  await http.close();
  await smtp.close();
  await world.close();
});

const slackTo = (...audience: readonly string[]): JsonObject => ({
  name: "chat",
  audience: [...audience],
  slack: { webhookUrl: { env: "HOOK" } },
});
const hookTo = (...audience: readonly string[]): JsonObject => ({
  name: "hook",
  audience: [...audience],
  webhook: { url: `${http.url}/hook`, secret: { env: "SECRET" } },
});
const mailTo = (more: JsonObject = {}): JsonObject => ({
  name: "mail",
  audience: ["requester"],
  email: { smtp: { host: "127.0.0.1", port: smtp.port, tls: "none" }, from: "Castellan <castellan@example.com>" },
  ...more,
});

/** Notifications as a document sets them; each call is a replica, or a process started anew. */
function start(
  targets: readonly JsonObject[],
  backoff: readonly number[] = [0, 0, 0],
  on: StoredAccessDesk = desk,
): Notifications {
  const read = readNotificationsDocument({
    apiVersion: "castellan.dev/v1alpha1",
    kind: "Notifications",
    metadata: { name: "default" },
    spec: { consoleUrl: "https://console.example/", targets: [...targets] },
  });
  if (!read.ok) throw new Error(read.problem);
  const now = () => world.clock.now;
  const settings = notificationSettings(read.spec, { HOOK: `${http.url}/services/T1/secret`, SECRET: secret }, now);
  const notifications = new Notifications({
    desk: on,
    store: world.store,
    settings,
    now,
    backoff,
    onTrouble: (error) => world.troubles.push(error),
  });
  notifications.start();
  running.push(notifications);
  return notifications;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; !(await condition()); await sleep(20))
    if (performance.now() > end) throw new Error("it did not happen");
}

const call: Ask = {
  type: "action",
  action: action({ cluster: "prod", http: { ...action().http, target: "/api/v1/namespaces/ml/pods/p?command=canary-typed" } }),
  digest: "",
};

async function open(more: Partial<NewRequest> = {}) {
  const opened = await desk.open({ requester: people.ada, ask: call, reason: "stuck", ...more });
  if (!opened.ok) throw new Error(opened.message);
  return opened.value;
}

const bodies = (): readonly { readonly type?: string; readonly data: { readonly id: string; readonly headline: string } }[] =>
  http.received.map(({ body }) => JSON.parse(body));

describe("who is told what", () => {
  test("approvers of a request, its requester of the decision", async () => {
    start([hookTo("approvers", "requester")]);
    const { id } = await open();
    await until(() => http.received.length === 1);
    expect(bodies()[0]).toMatchObject({
      type: "access.opened",
      data: {
        id,
        requester: "oidc:ada",
        rule: "pods",
        headline: "Ada (oidc:ada) asks to delete pods/p in ml",
        link: `https://console.example/access/requests/${id}`,
      },
    });
    await desk.decide(id, people.bob, "approve", "go on", "api");
    await until(() => http.received.length === 2);
    expect(bodies()[1]).toMatchObject({
      type: "access.approved",
      data: { id, facts: { Decided: "approved by oidc:bob: go on" } },
    });
    await desk.revoke(id, people.bob, "enough");
    await until(() => http.received.length === 3);
    expect(bodies()[2]).toMatchObject({ type: "access.ended" });
  });

  test("a denial with who and why; a request that nobody decided", async () => {
    start([hookTo("requester")]);
    const denied = await open();
    await desk.decide(denied.id, people.bob, "deny", "not today", "api");
    await until(() => http.received.length === 2);
    expect(
      bodies()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(["access.denied", "access.opened"]);
    expect(JSON.stringify(bodies())).toContain("denied by oidc:bob: not today");
    const forgotten = await open();
    await until(() => http.received.length === 3);
    world.clock.now += 301_000;
    await until(() => http.received.length === 4);
    expect(bodies()[3]).toMatchObject({ type: "access.lapsed", data: { id: forgotten.id } });
  });

  test("break-glass at once to whoever is paged, and approvers of other groups hear nothing", async () => {
    const other = { ...slackTo("approvers"), groups: ["nobody-here"] };
    start([hookTo("page"), other]);
    await open({
      ask: { type: "session", namespace: "ml", milliseconds: 600_000, mode: "gateway" },
      breakGlass: true,
      reason: "INC-1",
    });
    await until(() => http.received.length === 1);
    expect(bodies()[0]).toMatchObject({
      type: "access.break-glass",
      data: { headline: "BREAK-GLASS: Ada (oidc:ada) took access: emergency in ml for 10m", breakGlass: true },
    });
    await open();
    await sleep(200);
    expect(http.received).toHaveLength(1);
  });

  test("a session that ends soon, once", async () => {
    const notifications = start([hookTo("requester")]);
    const { id } = await open({
      ask: { type: "session", namespace: "ml", milliseconds: 600_000, mode: "gateway" },
      breakGlass: true,
      reason: "INC-1",
    });
    await until(() => http.received.length === 1);
    await notifications.sweep();
    expect(bodies().map(({ type }) => type)).toEqual(["access.approved"]);
    world.clock.now += 500_000;
    await notifications.sweep();
    await notifications.sweep();
    await until(() => http.received.length === 2);
    expect(bodies()[1]).toMatchObject({ type: "access.expiring", data: { id } });
  });
});

describe("nothing is lost, nothing is said twice", () => {
  test("two replicas tell once", async () => {
    const other = await world.desk();
    start([hookTo("approvers", "requester")]);
    start([hookTo("approvers", "requester")], [0], other);
    const { id } = await open();
    await desk.decide(id, people.bob, "approve", "", "api");
    await until(() => http.received.length >= 2);
    await sleep(2500);
    expect(
      bodies()
        .map(({ type }) => type)
        .sort(),
    ).toEqual(["access.approved", "access.opened"]);
    expect(new Set(http.received.map(({ headers }) => headers["webhook-id"])).size).toBe(2);
  });

  test("a receiver that fails is tried again, under the same id", async () => {
    http.answer(500, { status: 302, headers: { location: "/elsewhere" } });
    const notifications = start([hookTo("approvers")], [0, 0, 0]);
    http.answer(500, 503, 200);
    await open();
    await until(() => http.received.length === 3);
    expect(new Set(http.received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    await until(async () => (await notifications.letters({ state: "sent", limit: 10 })).length === 1);
  });

  test("T65: an approver's service that is down keeps a request pending, and hears of it when it is back", async () => {
    const notifications = start(
      [hookTo("approvers")],
      Array.from({ length: 50 }, () => 100),
    );
    const port = Number(new URL(http.url).port);
    await http.close();
    const { id } = await open();
    await until(async () => (await notifications.letters({ limit: 1 }))[0]?.problem?.includes("cannot be reached") === true);
    expect(await desk.get(id)).toMatchObject({ phase: "pending" });
    http = await startHttpReceiver(port);
    world.clock.now += 1000;
    await until(() => http.received.length === 1);
    expect(await desk.decide(id, people.bob, "approve", "", "console")).toMatchObject({ ok: true, value: { phase: "granted" } });
  });

  test("what is refused for good is a dead letter at once, and can be sent again", async () => {
    http.answer(400);
    const notifications = start([hookTo("approvers")]);
    const { id } = await open();
    await until(async () => (await notifications.letters({ state: "dead", limit: 10 })).length === 1);
    const [letter] = await notifications.letters({ state: "dead", limit: 10 });
    expect(letter).toMatchObject({ request: id, event: "opened", target: "hook", attempts: 1, problem: "it answered 400" });
    http.answer(200);
    expect(await notifications.sendAgain("msg_none")).toBe(false);
    expect(await notifications.sendAgain(letter?.id ?? "")).toBe(true);
    await until(async () => (await notifications.letters({ state: "sent", limit: 10 })).length === 1);
    expect(await notifications.sendAgain(letter?.id ?? "")).toBe(false);
    expect(http.received).toHaveLength(2);
  });

  test("after the last attempt it is a dead letter", async () => {
    http.answer(500);
    const notifications = start([hookTo("approvers")], [0, 0]);
    await open();
    await until(async () => (await notifications.letters({ state: "dead", limit: 10 })).length === 1);
    expect(http.received).toHaveLength(3);
  });

  test("a redirect is not followed", async () => {
    http.answer({ status: 302, headers: { location: `${http.url}/elsewhere` } });
    const notifications = start([hookTo("approvers")]);
    await open();
    await until(async () => (await notifications.letters({ state: "dead", limit: 10 })).length === 1);
    expect(http.received.map(({ path }) => path)).toEqual(["/hook"]);
  });

  test("a receiver that asks to wait is not asked before", async () => {
    http.answer({ status: 429, headers: { "retry-after": "120" } }, 200);
    const notifications = start([hookTo("approvers")], [0, 0]);
    await open();
    await until(async () => (await notifications.letters({ limit: 1 }))[0]?.problem === "it answered 429");
    await notifications.deliver();
    expect(http.received).toHaveLength(1);
    world.clock.now += 121_000;
    await notifications.deliver();
    expect(http.received).toHaveLength(2);
  });

  test("what was said before a crash is not said again, and what was not said then is said by the next", async () => {
    const first = start([hookTo("approvers")]);
    await open();
    await until(() => http.received.length === 1);
    await first.stop();
    const missed = await open({
      ask: {
        ...call,
        action: action({ cluster: "prod", name: "q", http: { ...action().http, target: "/api/v1/namespaces/ml/pods/q" } }),
      } as Ask,
    });
    start([hookTo("approvers")]);
    await until(() => http.received.length === 2);
    await sleep(200);
    expect(http.received).toHaveLength(2);
    expect(bodies()[1]).toMatchObject({ data: { id: missed.id } });
  });
});

describe("what a message may do to its reader", () => {
  const hostile = "<!channel> <https://evil.example|click> *bold*\r\nBcc: victim@example.com\u202e\u0007";

  test("Slack: what people wrote mentions nobody and links nowhere", async () => {
    start([slackTo("approvers")]);
    await open({ reason: hostile });
    await until(() => http.received.length === 1);
    const message: { text: string; blocks: readonly object[] } = JSON.parse(http.received[0]?.body ?? "");
    expect(message.text).not.toMatch(/[<>]/);
    // Everything else is plain text, in which nothing has a meaning.
    expect(JSON.stringify(message.blocks)).not.toContain("mrkdwn");
    expect(JSON.stringify(message)).not.toMatch(/\\r|\\n?Bcc:.*\\n|\u202e|\\u0007/);
    expect(http.received[0]?.path).toBe("/services/T1/secret");
  });

  test("Teams: an Adaptive Card of text runs", async () => {
    start([{ name: "teams", audience: ["approvers"], teams: { webhookUrl: { env: "HOOK" } } }]);
    const { id } = await open({ reason: "[click](https://evil.example)" });
    await until(() => http.received.length === 1);
    const [attachment] = JSON.parse(http.received[0]?.body ?? "").attachments;
    expect(attachment).toMatchObject({
      contentType: "application/vnd.microsoft.card.adaptive",
      content: {
        type: "AdaptiveCard",
        actions: [{ type: "Action.OpenUrl", url: `https://console.example/access/requests/${id}` }],
      },
    });
    expect(JSON.stringify(attachment.content.body)).not.toContain('"TextBlock"');
  });

  test("e-mail: to the requester alone, in plain text, without headers that somebody wrote", async () => {
    start([mailTo()]);
    const { id } = await open({ reason: hostile, requester: { ...people.ada, displayName: "Ada\r\nBcc: victim@example.com" } });
    await until(() => smtp.mails.length === 1);
    const [mail] = smtp.mails;
    expect(mail).toMatchObject({ from: "castellan@example.com", to: ["ada@example.com"] });
    const [head = ""] = mail?.text.split("\r\n\r\n") ?? [];
    expect(head).not.toMatch(/^Bcc:/im);
    expect(head).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(mail?.text).toContain(`https://console.example/access/requests/${id}`);
  });

  test("e-mail: a mail server that refuses for now is asked again, one that refuses for good is not", async () => {
    smtp.refuse(451);
    const notifications = start(
      [mailTo()],
      Array.from({ length: 100 }, () => 50),
    );
    await open();
    await until(async () => (await notifications.letters({ limit: 1 }))[0]?.problem === "it answered 451");
    world.clock.now += 1000;
    smtp.refuse(undefined);
    await until(() => smtp.mails.length === 1);
    smtp.refuse(550);
    await open({
      ask: { ...call, action: action({ cluster: "prod", name: "z", http: { ...action().http, target: "/z" } }) } as Ask,
    });
    await until(async () => (await notifications.letters({ state: "dead", limit: 10 }))[0]?.problem === "it answered 550");
  });

  test("T61: no message holds what was typed, sent, or read; problems hold no address", async () => {
    http.answer(500);
    const preview = {
      before: { apiVersion: "v1", kind: "ConfigMap", data: { password: "canary-before" } },
      after: { data: { password: "canary-after" } },
    };
    const notifications = start([hookTo("approvers"), slackTo("approvers"), mailTo()], [0]);
    await open({ ask: { ...call, preview } as Ask });
    await until(async () => (await notifications.letters({ state: "dead", limit: 10 })).length === 2 && smtp.mails.length === 1);
    const all = JSON.stringify([http.received, smtp.mails, await notifications.letters({ limit: 10 })]);
    expect(all).not.toContain("canary");
    expect(JSON.stringify(await notifications.letters({ limit: 10 }))).not.toMatch(/127\.0\.0\.1|services|secret/);
  });
});

describe("Standard Webhooks", () => {
  test("the signature verifies with the receiver's key", async () => {
    start([hookTo("approvers")]);
    await open();
    await until(() => http.received.length === 1);
    const [message] = http.received;
    if (message === undefined) throw new Error("nothing came");
    const { headers, body } = message;
    const [id, time] = [String(headers["webhook-id"]), Number(headers["webhook-timestamp"])];
    expect(headers["webhook-signature"]).toBe(webhookSignature(webhookKey(secret), id, time, body));
    expect(Math.abs(time * 1000 - world.clock.now)).toBeLessThan(2000);
  });
});
