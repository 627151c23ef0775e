import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { compileDirectory } from "../../access/rules/directory.ts";
import { onCallClients } from "../../adapters/on-call/from-environment.ts";
import { Opsgenie } from "../../adapters/on-call/opsgenie.ts";
import { PagerDuty } from "../../adapters/on-call/pagerduty.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import { Approvers } from "./approvers.ts";

/** Both services as their documentation says that they answer. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let url = "";
let asked: { readonly target: string; readonly authorization: string }[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ target: request.url ?? "", authorization: request.headers.authorization ?? "" });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  asked = [];
});

const json =
  (value: unknown, status = 200) =>
  (_: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
const duty = (user: string, schedule = "PSCHED") => ({
  user: { id: user, type: "user_reference", summary: user, self: null, html_url: null },
  schedule: { id: schedule, type: "schedule_reference", summary: "ML", self: null, html_url: null },
  escalation_policy: { id: "PESC", type: "escalation_policy_reference", summary: "ML", self: null, html_url: null },
  escalation_level: 1,
  start: "2026-11-20T08:00:00Z",
  end: "2026-11-27T08:00:00Z",
});
const page = (oncalls: readonly object[], more = false) => ({ oncalls, limit: 100, offset: 0, more, total: null });
const flat = (names: readonly string[], name = "ml") => ({
  data: { _parent: { id: "d875", name, enabled: true }, onCallRecipients: names },
  took: 0.01,
  requestId: "r",
});
const clientOf = (service: "pagerduty" | "opsgenie") =>
  service === "pagerduty" ? new PagerDuty({ url, token: "secret" }) : new Opsgenie({ url, token: "secret" });

describe("who is on call", () => {
  test.each([
    {
      of: "PagerDuty",
      service: "pagerduty",
      schedule: "PSCHED",
      says: json(page([duty("PADA"), duty("PBEN"), duty("PADA")])),
      users: ["PADA", "PBEN"],
    },
    { of: "PagerDuty, nobody", service: "pagerduty", schedule: "PSCHED", says: json(page([])), users: [] },
    {
      of: "PagerDuty, duties of other schedules",
      service: "pagerduty",
      schedule: "PSCHED",
      says: json(page([duty("PEVE", "POTHER")])),
      users: [],
    },
    {
      of: "Opsgenie",
      service: "opsgenie",
      schedule: "ml",
      says: json(flat(["ada@acme", "ben@acme"])),
      users: ["ada@acme", "ben@acme"],
    },
  ] as const)("by $of", async ({ service, schedule, says, users }) => {
    answer = says;
    const client = clientOf(service);
    expect(await client.onCall(schedule)).toEqual(users);
    expect(asked[0]).toEqual(
      service === "pagerduty"
        ? { target: "/oncalls?schedule_ids%5B%5D=PSCHED&limit=100&offset=0", authorization: "Token token=secret" }
        : { target: "/v2/schedules/ml/on-calls?scheduleIdentifierType=name&flat=true", authorization: "GenieKey secret" },
    );
    await client.close();
  });

  test("PagerDuty answers in pages", async () => {
    answer = (request, response) =>
      json(request.url?.endsWith("offset=0") ? page([duty("PADA")], true) : page([duty("PBEN")]))(request, response);
    const client = clientOf("pagerduty");
    expect(await client.onCall("PSCHED")).toEqual(["PADA", "PBEN"]);
    await client.close();
  });

  test.each([
    { of: "a wrong token", says: json({}, 401), message: "answered 401" },
    { of: "too many questions", says: json({}, 429), message: "answered 429" },
    {
      of: "a redirect, which is not followed",
      says: (_: IncomingMessage, response: ServerResponse) =>
        void response.writeHead(302, { location: `${url}/elsewhere` }).end(),
      message: "answered 302",
    },
    { of: "another form", says: json({ data: [] }), message: "no list" },
    { of: "no JSON", says: (_: IncomingMessage, response: ServerResponse) => void response.end("<html>"), message: "no JSON" },
    {
      of: "too much",
      says: (_: IncomingMessage, response: ServerResponse) => void response.end(" ".repeat(2_000_000)),
      message: "",
    },
    { of: "a broken connection", says: (request: IncomingMessage) => void request.socket.destroy(), message: "" },
  ])("$of is a failure, and the token is not told", async ({ says, message }) => {
    answer = says;
    for (const service of ["pagerduty", "opsgenie"] as const) {
      const client = clientOf(service);
      const error = await client.onCall("x").then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(Error);
      expect(String(error)).toContain(message);
      expect(String(error)).not.toContain("secret");
      await client.close();
    }
    expect(asked.every(({ target }) => !target.includes("elsewhere"))).toBe(true);
  });

  test("a schedule's name with a slash stays one segment", async () => {
    answer = json(flat([], "a/b"));
    const client = clientOf("opsgenie");
    await client.onCall("a/b");
    expect(asked[0]?.target).toContain("/v2/schedules/a%2Fb/on-calls");
    await client.close();
  });
});

const directory = compileDirectory([
  documentOf("Directory", "d", {
    people: [
      {
        id: "ada",
        aliases: [
          { issuer: "pagerduty", subject: "PADA" },
          { issuer: "https://idp", subject: "PBEN" },
        ],
      },
    ],
  }),
]);

describe("approvers of outside services (T33)", () => {
  function approvers(service: "pagerduty" | "opsgenie" = "pagerduty") {
    if (!directory.ok) throw new Error("no directory");
    const troubles: string[] = [];
    const state = { now: 0, changes: 0 };
    const watch = new Approvers({
      clients: new Map([["pagerduty", new PagerDuty({ url, token: "t" })]]),
      wanted: () => [{ service, id: "PSCHED" }],
      directory: () => directory.value,
      now: () => state.now,
      onChange: () => state.changes++,
      onTrouble: (error) => troubles.push(error.message),
    });
    return { watch, troubles, state };
  }

  test("are humans of the directory; who is not in it is nobody, and that is told once", async () => {
    answer = json(page([duty("PADA"), duty("PBEN")]));
    const { watch, troubles, state } = approvers();
    expect(watch.onCall("pagerduty", "PSCHED")).toEqual([]);
    await watch.refresh();
    await watch.refresh();
    expect(watch.onCall("pagerduty", "PSCHED")).toEqual(["ada"]);
    expect(watch.onCall("pagerduty", "POTHER")).toEqual([]);
    expect(troubles).toEqual(["PBEN is on call by pagerduty/PSCHED, and is no alias of anybody in the directory"]);
    expect(state.changes).toBe(1);
    await watch.stop();
  });

  test("a failure adds nobody, and its last answer grows old", async () => {
    answer = json({}, 500);
    const { watch, troubles, state } = approvers();
    await watch.refresh();
    expect(watch.onCall("pagerduty", "PSCHED")).toEqual([]);
    answer = json(page([duty("PADA")]));
    await watch.refresh();
    answer = json({}, 500);
    state.now = 100_000;
    await watch.refresh();
    expect(watch.onCall("pagerduty", "PSCHED")).toEqual(["ada"]);
    state.now = 120_001;
    expect(watch.onCall("pagerduty", "PSCHED")).toEqual([]);
    expect(troubles).toEqual(Array(2).fill("who is on call by pagerduty/PSCHED is not known: PagerDuty answered 500"));
    await watch.stop();
  });

  test("a service without a token is told of", async () => {
    const { watch, troubles } = approvers("opsgenie");
    await watch.refresh();
    expect(watch.onCall("opsgenie", "PSCHED")).toEqual([]);
    expect(troubles).toEqual(["a rule names on-call:opsgenie/PSCHED, and there is no token for opsgenie: nobody is on call"]);
    await watch.stop();
  });
});

describe("tokens come from the environment", () => {
  test.each([
    { of: "nothing", environment: {}, services: [] },
    { of: "a variable", environment: { PAGERDUTY_TOKEN: "a" }, services: ["pagerduty"] },
    { of: "an empty one", environment: { PAGERDUTY_TOKEN: " " }, services: [] },
    { of: "both", environment: { PAGERDUTY_TOKEN: "a", OPSGENIE_API_KEY: "b" }, services: ["pagerduty", "opsgenie"] },
  ])("$of", async ({ environment, services }) => {
    expect([...(await onCallClients(environment)).keys()]).toEqual(services);
  });

  test("or a file", async () => {
    const folder = await mkdtemp(join(tmpdir(), "castellan-token-"));
    await writeFile(join(folder, "token"), "from-file\n");
    answer = json(flat([]));
    const clients = await onCallClients({ OPSGENIE_API_KEY_FILE: join(folder, "token"), OPSGENIE_URL: url });
    await clients.get("opsgenie")?.onCall("ml");
    expect(asked[0]?.authorization).toBe("GenieKey from-file");
    await rm(folder, { recursive: true });
    await expect(onCallClients({ PAGERDUTY_TOKEN_FILE: join(folder, "gone") })).rejects.toThrow("ENOENT");
  });
});
