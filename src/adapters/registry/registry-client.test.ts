import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { RegistryClient, type Repository } from "./registry-client.ts";

const content = Buffer.from('{"schemaVersion":2}');
const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`;
const asked: string[] = [];
let server: Server;
let origin = "";
let client: RegistryClient;

type Answer = readonly [status: number, headers: { readonly [name: string]: string }, body: Buffer | string];

/** By path; a registry whose tokens come from itself. */
const answers: { readonly [path: string]: (request: IncomingMessage) => Answer } = {
  "/v2/team/secret/manifests/v1": ({ headers }) =>
    headers.authorization === "Bearer t1"
      ? [200, {}, content]
      : [401, { "www-authenticate": `Bearer realm="${origin}/token",service="here"` }, "{}"],
  "/v2/team/basic/manifests/v1": ({ headers }) =>
    headers.authorization === "Basic YWRhOnB3" ? [200, {}, content] : [401, { "www-authenticate": 'Basic realm="x"' }, "{}"],
  "/v2/team/leaking/manifests/v1": () => [401, { "www-authenticate": 'Bearer realm="http://elsewhere.example/token"' }, "{}"],
  "/v2/team/inward/manifests/v1": () => [401, { "www-authenticate": 'Bearer realm="https://169.254.169.254/token"' }, "{}"],
  "/v2/team/digest/manifests/v1": () => [401, { "www-authenticate": 'Digest realm="x"' }, "{}"],
  "/v2/team/closed/manifests/v1": () => [401, { "www-authenticate": `Bearer realm="${origin}/no-token"` }, "{}"],
  "/token?service=here&scope=repository%3Ateam%2Fsecret%3Apull": ({ headers }) => [
    200,
    {},
    JSON.stringify({ token: headers.authorization === "Basic YWRhOnB3" ? "t1" : "t2" }),
  ],
  [`/v2/team/open/blobs/${digest}`]: () => [307, { location: "/kept/blob" }, ""],
  "/kept/blob": ({ headers }) => [headers.authorization === undefined ? 200 : 400, {}, content],
  "/v2/team/open/manifests/loop": () => [302, { location: "/v2/team/open/manifests/loop" }, ""],
  "/v2/team/open/manifests/away": () => [302, { location: "http://elsewhere.example/x" }, ""],
  "/v2/team/open/manifests/large": () => [200, {}, Buffer.alloc(5 * 1024 * 1024)],
  [`/v2/team/open/referrers/${digest}`]: () => [200, {}, content],
  [`/v2/team/old/referrers/${digest}`]: () => [406, {}, "{}"],
  [`/v2/team/broken/referrers/${digest}`]: () => [500, {}, "{}"],
  [`/v2/team/open/manifests/${digest}`]: () => [200, {}, "something else"],
};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const [status, headers, body] = answers[request.url ?? ""]?.(request) ?? [404, {}, "{}"];
    response.writeHead(status, headers).end(body);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
});

beforeEach(() => {
  asked.length = 0;
  client = new RegistryClient(Date.now);
  return () => client.close();
});

afterAll(() => void server.close());

const at = (path: string, credentials?: string): Repository => ({ access: { origin, credentials }, path });
const manifest = (path: string, tag: string, credentials?: string) =>
  client.manifest(at(path, credentials), { tag, digest: "" }, AbortSignal.timeout(5000));

describe("who asks", () => {
  test("by token, which is used again", async () => {
    expect(await manifest("team/secret", "v1", "ada:pw")).toEqual({ bytes: content, digest });
    await manifest("team/secret", "v1", "ada:pw");
    expect(asked.filter((path) => path.startsWith("/token"))).toHaveLength(1);
  });

  test("by name and password", async () => {
    expect(await manifest("team/basic", "v1", "ada:pw")).toEqual({ bytes: content, digest });
  });

  test.for([
    ["as anybody where credentials are wanted", "team/basic", undefined, /wants credentials/],
    ["whose token is not taken", "team/secret", undefined, /HTTP status 401/],
    ["where tokens would come from elsewhere without TLS", "team/leaking", "ada:pw", /not https/],
    ["where tokens would come from the cloud's metadata", "team/inward", "ada:pw", /an address of the machine that asks/],
    ["in a way that is not known", "team/digest", "ada:pw", /wants credentials/],
    ["who gets no token", "team/closed", "ada:pw", /gives no token/],
  ] as const)("%s", async ([, path, credentials, message]) => {
    await expect(manifest(path, "v1", credentials)).rejects.toThrow(message);
  });
});

describe("what is given", () => {
  test("blobs by redirect, without credentials", async () => {
    expect(await client.blob(at("team/open", "ada:pw"), digest, 1000, AbortSignal.timeout(5000))).toEqual({
      bytes: content,
      digest,
    });
  });

  test.for([
    ["nothing", { tag: "v0", digest: "" }, /HTTP status 404/],
    ["redirects without end", { tag: "loop", digest: "" }, /redirects more than 3 times/],
    ["a redirect elsewhere without TLS", { tag: "away", digest: "" }, /not https/],
    ["too much", { tag: "large", digest: "" }, /more than 4194304 bytes/],
    ["what has no place below the repository", { tag: "", digest: "../../secret/manifests/v1" }, /neither a tag nor a digest/],
    ["something else than was asked for", { tag: "", digest }, /has the digest sha256:/],
  ] as const)("%s", async ([, reference, message]) => {
    await expect(client.manifest(at("team/open"), reference, AbortSignal.timeout(5000))).rejects.toThrow(message);
  });

  test("what refers to an image, and registries that do not know of that", async () => {
    const referrers = (path: string) => client.referrers(at(path), digest, AbortSignal.timeout(5000));
    expect((await referrers("team/open")).bytes).toEqual(content);
    await expect(referrers("team/none")).rejects.toMatchObject({ isFinal: true });
    await expect(referrers("team/old")).rejects.toMatchObject({ isFinal: true });
    await expect(referrers("team/broken")).rejects.toMatchObject({ isFinal: false });
  });

  test("more than a blob may have", async () => {
    await expect(client.blob(at("team/open"), digest, 5, AbortSignal.timeout(5000))).rejects.toThrow(/more than 5 bytes/);
  });
});
