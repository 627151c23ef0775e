import { createHmac } from "node:crypto";
import { request as send } from "undici";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { action } from "../../src/access/machine/people.testing.ts";
import { isObject, type JsonObject, type JsonValue, member, valueAt } from "../../src/core/json.ts";
import { addAccessAdministrationRoutes } from "../../src/server/api/access-administration-routes.ts";
import { addSlackRoutes } from "../../src/server/chat/slack.ts";
import { ChatLinks } from "../../src/services/access/chat-links.ts";
import { slackVoice } from "../../src/services/access/slack-app.ts";
import { type DeskServer, type DeskWorld, openDeskWorld, people, startDeskServer } from "./desk-server.ts";
import { type HttpReceiver, startHttpReceiver } from "./receivers.ts";

const signingSecret = "8f742231b10e8888abcd99yyyzzz85a5";
const hour = 3_600_000;
let world: DeskWorld;
let slack: HttpReceiver;
/** Two replicas over one database. */
let servers: DeskServer[];

beforeAll(async () => {
  world = await openDeskWorld();
  slack = await startHttpReceiver();
  servers = [];
  for (let i = 0; i < 2; i++) servers.push(await startReplica());
});

/** What the notifications say by now. */
let hasApp = true;

async function startReplica(): Promise<DeskServer> {
  const now = () => world.clock.now;
  const links = new ChatLinks({ store: world.store, ledger: world.ledger, now });
  return startDeskServer(world, {
    chatLinks: links,
    routes: (api, desk) => {
      const voice = slackVoice({ botToken: "xoxb-secret", apiUrl: new URL(`${slack.url}/api`) });
      const onTrouble = (error: unknown) => world.troubles.push(error);
      const app = { desk, links, signingSecret, ...voice, consoleUrl: "https://console.example", now, onTrouble };
      addSlackRoutes(api, () => (hasApp ? app : undefined));
      addAccessAdministrationRoutes(api, { desk, humanNamed: async (name) => name, locks: async () => [], chatLinks: links });
    },
  });
}

beforeEach(() => {
  slack.received.length = 0;
  slack.answer({ status: 200, body: '{"ok":true}' });
});

afterAll(async () => {
  for (const server of servers) await server.close();
  await slack.close();
  await world.close();
});

const first = (): DeskServer => {
  const [server] = servers;
  if (server === undefined) throw new Error("no server");
  return server;
};

interface Message {
  readonly path: string;
  readonly body: string;
  readonly headers: Record<string, string>;
}

let times = 0;

/** A message as Slack sends it; each has its own time, so that two of one content are two. */
function signed(path: string, form: Record<string, string>, secret = signingSecret, time = world.clock.now): Message {
  const body = new URLSearchParams({ ...form, trigger: String(times++) }).toString();
  const timestamp = String(Math.floor(time / 1000));
  const signature = `v0=${createHmac("sha256", secret).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": signature,
  };
  return { path, body, headers };
}

async function say(
  { path, body, headers }: Message,
  server = first(),
): Promise<{ readonly status: number; readonly body: JsonValue }> {
  const answer = await send(`${server.origin}${path}`, { method: "POST", headers, body });
  const text = await answer.body.text();
  return { status: answer.statusCode, body: text.startsWith("{") ? JSON.parse(text) : null };
}

const command = (user: string, text: string): Message =>
  signed("/chat/slack/command", { command: "/castellan", text, user_id: user, user_name: "bob", team_id: "T1" });
const interactive = (payload: JsonObject): Message => signed("/chat/slack/interactive", { payload: JSON.stringify(payload) });
const press = (user: string, verb: "approve" | "deny", id: string, more: JsonObject = {}): Message =>
  interactive({
    type: "block_actions",
    user: { id: user, username: "bob", email: "bob@example.com" },
    team: { id: "T1" },
    trigger_id: "123.456",
    response_url: `${slack.url}/response`,
    actions: [{ action_id: `castellan.${verb}`, value: id }],
    ...more,
  });
const submit = (user: string, verb: "approve" | "deny", id: string, comment: string, team = "T1"): Message =>
  interactive({
    type: "view_submission",
    user: { id: user },
    team: { id: team },
    view: {
      callback_id: "castellan.decision",
      private_metadata: JSON.stringify({ request: id, verdict: verb }),
      state: { values: { comment: { text: { value: comment } } } },
    },
  });

let pods = 0;

async function pending(): Promise<string> {
  const name = `p${pods++}`;
  const http = { ...action().http, target: `/api/v1/namespaces/ml/pods/${name}` };
  const opened = await first().desk.open({
    requester: people.ada,
    ask: { type: "action", action: action({ cluster: "prod", name, http }), digest: "" },
    reason: "stuck",
  });
  if (!opened.ok) throw new Error(opened.message);
  return opened.value.id;
}

const phase = async (id: string) => (await first().desk.get(id))?.phase;
const codeOf = (body: JsonValue): string => /[?&]code=([\w-]+)/.exec(String(member(body, "text")))?.[1] ?? "";
const viewText = (body: JsonValue): JsonValue | undefined => valueAt(body, ["view", "blocks", 0, "text", "text"]);

/** `user` of Slack becomes `name`. */
async function link(user: string, name: "bob" | "eve" | "ada"): Promise<void> {
  const { body } = await say(command(user, "link"));
  const code = codeOf(body);
  expect((await first().get(name, `/api/v1/access/chat-links?code=${code}`)).body).toEqual({
    chat: "slack",
    team: "T1",
    user,
    name: "bob",
  });
  expect((await first().post(name, "/api/v1/access/chat-links", { code })).status).toBe(200);
}

test("an app that the notifications no longer name takes nothing, and does once they name it again", async () => {
  hasApp = false;
  expect((await say(command("U9", "whoami"))).status).toBe(404);
  hasApp = true;
  expect((await say(command("U9", "whoami"))).status).toBe(200);
});

describe("T40: forged, replayed and unlinked chat callbacks", () => {
  test.each<[string, (message: Message) => Message]>([
    ["unsigned", (m) => ({ ...m, headers: { "content-type": "application/x-www-form-urlencoded" } })],
    ["signed with another secret", () => signed("/chat/slack/interactive", { payload: "{}" }, "another")],
    ["changed after it was signed", (m) => ({ ...m, body: m.body.replace("deny", "approve").replace("T1", "T2") })],
    ["of six minutes ago", () => signed("/chat/slack/interactive", { payload: "{}" }, signingSecret, world.clock.now - 360_000)],
    ["of the future", () => signed("/chat/slack/interactive", { payload: "{}" }, signingSecret, world.clock.now + 360_000)],
  ])("%s: refused", async (_, change) => {
    const id = await pending();
    expect((await say(change(submit("U-bob", "deny", id, "no")))).status).toBe(401);
    expect(await phase(id)).toBe("pending");
  });

  test("seen before, on whichever replica: refused", async () => {
    await link("U-replay", "bob");
    const id = await pending();
    const message = submit("U-replay", "approve", id, "go");
    expect((await say(message)).status).toBe(200);
    expect(await phase(id)).toBe("granted");
    for (const server of servers) expect((await say(message, server)).status).toBe(401);
  });

  test("JSON instead of a form: refused", async () => {
    const answer = await send(`${first().origin}/chat/slack/interactive`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    expect(answer.statusCode).toBeGreaterThanOrEqual(400);
  });

  test("a Slack user who is linked to nobody decides nothing, whatever e-mail address Slack tells", async () => {
    const id = await pending();
    await say(press("U-nobody", "approve", id));
    await expect.poll(() => slack.received.length).toBe(1);
    expect(slack.received[0]).toMatchObject({ path: "/response", body: expect.stringContaining("/castellan link") });
    const { body } = await say(submit("U-nobody", "approve", id, ""));
    expect(viewText(body)).toMatch(/does not know who you are/);
    expect(await phase(id)).toBe("pending");
  });

  test("the same user of another workspace is somebody else", async () => {
    await link("U-team", "bob");
    const id = await pending();
    expect(viewText((await say(submit("U-team", "approve", id, "", "T2"))).body)).toMatch(/does not know who you are/);
    expect(await phase(id)).toBe("pending");
  });

  test("a link code works once, for ten minutes, and not without a login", async () => {
    const code = codeOf((await say(command("U-once", "link"))).body);
    const anonymous = await send(`${first().origin}/api/v1/access/chat-links`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
    expect(anonymous.statusCode).toBe(401);
    expect((await first().get("bob", `/api/v1/access/chat-links?code=${code}`)).status).toBe(200);
    // To look links nobody.
    expect(member((await say(command("U-once", "whoami"))).body, "text")).toMatch(/does not know who you are/);
    expect((await first().post("bob", "/api/v1/access/chat-links", { code })).status).toBe(200);
    expect((await first().post("eve", "/api/v1/access/chat-links", { code })).status).toBe(404);
    expect(member((await say(command("U-once", "whoami"))).body, "text")).toBe("You decide as oidc:bob.");
    const late = codeOf((await say(command("U-late", "link"))).body);
    world.clock.now += 601_000;
    expect((await first().post("bob", "/api/v1/access/chat-links", { code: late })).status).toBe(404);
  });
});

describe("deciding in Slack", () => {
  test("a button opens a form, the form decides with its comment", async () => {
    await link("U-bob", "bob");
    const id = await pending();
    slack.received.length = 0;
    expect((await say(press("U-bob", "deny", id))).status).toBe(200);
    await expect.poll(() => slack.received.length).toBe(1);
    expect(slack.received[0]).toMatchObject({ path: "/api/views.open", headers: { authorization: "Bearer xoxb-secret" } });
    const shown: JsonValue = JSON.parse(slack.received[0]?.body ?? "");
    expect(member(shown, "trigger_id")).toBe("123.456");
    expect(valueAt(shown, ["view", "private_metadata"])).toBe(JSON.stringify({ request: id, verdict: "deny" }));
    expect(await phase(id)).toBe("pending");
    const { body } = await say(submit("U-bob", "deny", id, "use staging"));
    expect(viewText(body)).toBe("The request is denied.");
    expect(await first().desk.get(id)).toMatchObject({
      phase: "denied",
      approvals: [{ by: { user: "oidc:bob" }, channel: "slack", comment: "use staging" }],
    });
  });

  test("where Slack cannot show the form it is said where to decide", async () => {
    await link("U-form", "bob");
    const id = await pending();
    slack.received.length = 0;
    slack.answer({ status: 200, body: '{"ok":false,"error":"expired_trigger_id"}' });
    await say(press("U-form", "approve", id));
    await expect.poll(() => slack.received.length).toBe(2);
    expect(slack.received[1]?.body).toContain(`https://console.example/access/requests/${id}`);
    expect(slack.received[1]?.body).toContain("expired_trigger_id");
  });

  test.each<[string, "eve" | "ada", RegExp]>([
    ["T34: an approver of other rules", "eve", /not an approver/],
    ["T30: the requester", "ada", /own request/],
  ])("%s decides nothing", async (_, name, why) => {
    await link(`U-${name}`, name);
    const id = await pending();
    expect(viewText((await say(submit(`U-${name}`, "approve", id, ""))).body)).toMatch(why);
    expect(await phase(id)).toBe("pending");
  });

  test("a login that is too long ago decides nothing, until there is a new one", async () => {
    await link("U-stale", "bob");
    world.clock.now += 13 * hour;
    const id = await pending();
    expect(viewText((await say(submit("U-stale", "approve", id, ""))).body)).toMatch(/log in/);
    expect(await phase(id)).toBe("pending");
    await first().get("bob", "/api/v1/access/requests");
    expect(viewText((await say(submit("U-stale", "approve", id, ""))).body)).toBe("The request is granted.");
  });

  test("T45 one who is locked out decides nothing in a chat either", async () => {
    await link("U-locked", "bob");
    const id = await pending();
    await first().desk.lock(people.bob.human, people.root, "laptop stolen");
    expect(viewText((await say(submit("U-locked", "approve", id, ""))).body)).toMatch(/locked/);
    expect(await phase(id)).toBe("pending");
    await first().desk.unlock(people.bob.human, people.root);
    world.clock.now += 1;
    expect(viewText((await say(submit("U-locked", "approve", id, ""))).body)).toBe("The request is granted.");
  });

  test("one who unlinks decides nothing any more", async () => {
    await link("U-gone", "bob");
    const { body } = await first().ask("bob", { method: "DELETE", path: "/api/v1/access/chat-links" });
    expect(isObject(body) && Number(body["ended"])).toBeGreaterThan(0);
    const id = await pending();
    expect(viewText((await say(submit("U-gone", "approve", id, ""))).body)).toMatch(/does not know who you are/);
  });

  test("a form that is none of ours, and a request that does not exist", async () => {
    await link("U-odd", "bob");
    const odd = interactive({
      type: "view_submission",
      user: { id: "U-odd" },
      team: { id: "T1" },
      view: { callback_id: "x", private_metadata: "{}", state: { values: {} } },
    });
    expect(viewText((await say(odd)).body)).toMatch(/does not know this form/);
    expect(viewText((await say(submit("U-odd", "approve", "none", ""))).body)).toBe("There is no such request.");
    expect((await say(interactive({ type: "shortcut" }))).status).toBe(200);
  });
});
