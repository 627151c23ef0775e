import { gzipSync } from "node:zlib";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { Agent } from "undici";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createAuthority, issueServerCertificate } from "../../src/adapters/certificates.ts";
import type { Ledger } from "../../src/adapters/store/ledger.ts";
import { batchHandlers } from "../../src/cli/serve-batches.ts";
import { BadBatch } from "../../src/server/webhook/batches.ts";
import { listenForReviews, type WebhookServer } from "../../src/server/webhook/webhook.ts";

/** The listener of flows as the server runs it, and what arrives. */
let webhook: WebhookServer;
let agent: Agent;
const taken: string[] = [];
const noLedger: Pick<Ledger, "append"> = { append: () => Promise.reject(new Error("flows are in no ledger")) };

beforeAll(async () => {
  const authority = await createAuthority("test", Date.now(), 1);
  agent = new Agent({ connect: { ca: authority.certificate } });
  const flows = (cluster: string, lines: readonly string[]) => {
    if (cluster !== "prod") throw new BadBatch(`no cluster ${cluster} is governed here`);
    taken.push(...lines);
  };
  webhook = await listenForReviews({
    host: "127.0.0.1",
    port: 0,
    identity: await issueServerCertificate(authority, { dns: [], ips: ["127.0.0.1"] }, Date.now(), 1),
    callers: { open: () => undefined, onRefused: () => {} },
    batches: { isAuthorized: () => true, handlers: batchHandlers({ ledger: noLedger, flows, trouble: () => {} }) },
    handle: async () => undefined,
    onError: () => {},
  });
});
beforeEach(() => void taken.splice(0));
afterAll(async () => {
  await agent.close();
  await webhook.close();
});

const inside = (number: number, bytes: Uint8Array) =>
  new BinaryWriter().tag(number, WireType.LengthDelimited).bytes(bytes).finish();
const line = '{"flow":{"verdict":"FORWARDED"}}';
/** A request with one line, as a collector's otlphttp exporter encodes it. */
const protobuf = [5, 2, 2, 1].reduce((bytes, number) => inside(number, bytes), inside(1, new TextEncoder().encode(line)));
const json = JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: line } }] }] }] });

const asProtobuf = { "content-type": "application/x-protobuf" };
const asJson = { "content-type": "application/json; charset=utf-8" };
const byGzip = { "content-encoding": "gzip" };

async function post(path: string, body: string | Uint8Array, headers: { readonly [name: string]: string }) {
  const origin = `https://127.0.0.1:${webhook.port}`;
  const answer = await agent.request({ origin, path, method: "POST", headers, body });
  const bytes = new Uint8Array(await answer.body.arrayBuffer());
  return { status: answer.statusCode, type: answer.headers["content-type"], body: Buffer.from(bytes).toString("latin1") };
}

test.each([
  [
    "protobuf by gzip, as collectors do by themselves",
    gzipSync(protobuf),
    { ...asProtobuf, ...byGzip },
    "application/x-protobuf",
    "",
  ],
  ["protobuf", protobuf, asProtobuf, "application/x-protobuf", ""],
  ["JSON", json, asJson, "application/json", "{}"],
  ["JSON by gzip", gzipSync(json), { ...asJson, ...byGzip }, "application/json", "{}"],
])("logs are taken and answered as OTLP says: %s", async (_, body, headers, type, answer) => {
  expect(await post("/v1/logs?cluster=prod", body, headers)).toEqual({ status: 200, type, body: answer });
  expect(taken).toEqual([line]);
});

test.each([
  [
    "a request that ends early",
    "/v1/logs?cluster=prod",
    protobuf.subarray(0, 20),
    "the body is no OTLP request for logs in protobuf",
  ],
  ["of a cluster that is not governed", "/v1/logs?cluster=else", protobuf, "no cluster else is governed here"],
])("what is refused comes with a status in protobuf: %s", async (_, path, body, message) => {
  const status = new BinaryWriter().tag(1, WireType.Varint).int32(3).tag(2, WireType.LengthDelimited).string(message).finish();
  const answer = { status: 400, type: "application/x-protobuf", body: Buffer.from(status).toString("latin1") };
  expect(await post(path, body, asProtobuf)).toEqual(answer);
  expect(taken).toEqual([]);
});
