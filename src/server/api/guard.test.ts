import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Api, createApi } from "./api.ts";
import { Sessions } from "./session.ts";

let api: Api;
let port = 0;

beforeAll(async () => {
  const nobody = { upsert: async () => {}, find: async () => undefined, replace: async () => {}, destroy: async () => {} };
  const secret = randomBytes(32);
  const sessions = new Sessions({
    hosts: ["127.0.0.1", "castellan.example"],
    records: nobody,
    secret,
    settings: "",
    now: () => 0,
    lifetime: 1000,
  });
  const parts = {
    waitingFor: () => [],
    metrics: async () => ["measured"],
    onError: () => {},
    publicHosts: ["castellan.example"],
  };
  api = await createApi({ version: "0.0.0", pages: undefined, sessions, secure: false, ...parts });
  api.get("/api/v1/findings", async () => "found");
  api.get("/api/v1/requests/:id", async () => "requested");
  api.post("/api/v1/requests", async () => "asked");
  api.get("/login", async () => "who?");
  port = Number(new URL(await api.listen({ host: "127.0.0.1", port: 0 })).port);
});

afterAll(() => api.close());

/** Sent as it is written: clients of libraries spell addresses in one way. */
async function statusOf(line: string, fields = "Host: 127.0.0.1"): Promise<number> {
  const socket = connect(port, "127.0.0.1");
  socket.end(`${line} HTTP/1.1\r\n${fields}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  return Number((await text(socket)).split(" ")[1]);
}

test.each([
  ["GET /api/v1/findings", 401],
  ["GET /api/%761/findings", 401],
  ["GET /%61pi/v1/findings", 401],
  ["GET /api/v1/%66indings?a=b", 401],
  ["GET http://127.0.0.1/api/v1/findings", 401],
  ["GET http://127.0.0.1/%61pi/v1/requests/1", 401],
  ["HEAD /%61pi/v1/findings", 401],
  ["POST /%61pi/v1/requests", 401],
  ["GET /api/%761/requests/a%2Fb", 401],
  ["GET /api/v1/nothing", 401],
  ["GET //api/v1/findings", 404],
  ["GET /API/v1/findings", 404],
  ["GET /login", 200],
  ["GET /metrics", 200],
  ["GET /healthz", 200],
])("without a login, %s is answered by %i", async (line, status) => {
  expect(await statusOf(line)).toBe(status);
});

test.each([
  ["a pod", "Host: 10.1.2.3:8080", 200],
  ["a Service", "Host: castellan.castellan.svc", 200],
  ["the public name", "Host: castellan.example", 401],
  ["the public name as somebody else writes it", "Host: Castellan.Example.:443", 421],
  ["a proxy", "Host: 10.1.2.3\r\nX-Forwarded-For: 192.0.2.1", 421],
])("without a login, metrics asked of %s are answered by the status after it", async (_, fields, status) => {
  expect(await statusOf("GET /metrics", fields)).toBe(status);
  expect(await statusOf("GET /healthz", fields)).toBe(200);
});
