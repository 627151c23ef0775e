import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type OutsideCall, OutsideCalls } from "./outside-calls.ts";

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let origin = "";
let asked: Asked[] = [];

const answers: {
  readonly [path: string]: readonly [status: number, body: string, headers?: { readonly [name: string]: string }];
} = {
  "/v1/scores": [200, '{"n": 12345678901234567890}'],
  "/v1/html": [200, "<p>hello</p>"],
  "/v1/failing": [500, "{}"],
  "/v1/moved": [302, "{}", { location: "/v1/scores" }],
  "/v1/large": [200, `"${"x".repeat(3 * 1024 * 1024)}"`],
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const { method, url, headers } = request;
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      asked.push({ method, url, headers, body });
      const [status, text, more] = answers[url ?? ""] ?? [404, "{}"];
      response.writeHead(status, more).end(text);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  origin = typeof address === "object" ? `http://127.0.0.1:${address?.port}` : "";
});
afterAll(() => server.close());
beforeEach(() => {
  asked = [];
});

async function call(path: string, allowed: string, more: Partial<OutsideCall> = {}) {
  const calls = new OutsideCalls([new URL(allowed, origin)]);
  try {
    const need: OutsideCall = { kind: "http-call", method: "GET", url: `${origin}${path}`, headers: {}, ...more };
    return await calls.call(need, AbortSignal.timeout(5000));
  } finally {
    await calls.close();
  }
}

describe("where calls may go", () => {
  test.each([
    ["/v1/scores", "/"],
    ["/v1/scores", "/v1"],
    ["/v1/scores", "/v1/"],
    ["/v1/scores", "/v1/scores"],
    ["/v2/../v1/scores", "/v1"],
  ])("%s is allowed by %s", async (path, allowed) => {
    expect(await call(path, allowed)).toEqual({ ok: true, value: { n: 12_345_678_901_234_567_890n } });
  });

  test.each([
    ["/v1/scores", "/v"],
    ["/v1/scores", "/v1/score"],
    ["/v1/../v2", "/v1"],
    ["/v1/%2e%2e/v2", "/v1"],
    ["/v1/..%2fv2", "/v1"],
    ["/v1/..%5Cv2", "/v1"],
    ["/v1/..%252fv2", "/v1"],
    ["/v1/..;/v2", "/v1"],
    ["/v1/scores", "https://127.0.0.1/"],
    ["/v1/scores", "http://127.0.0.1:1/"],
  ])("%s is not allowed by %s", async (path, allowed) => {
    expect(await call(path, allowed)).toEqual({ ok: false, message: expect.stringContaining("--allow-calls") });
    expect(asked).toEqual([]);
  });

  test("nowhere with somebody's password, or what is no URL", async () => {
    for (const url of [`${origin.replace("//", "//me:secret@")}/?token=secret`, "scores"]) {
      const answer = await call("", "/", { url });
      expect(answer).toEqual({ ok: false, message: expect.stringContaining("--allow-calls") });
      expect(JSON.stringify(answer)).not.toContain("secret");
    }
    expect(asked).toEqual([]);
  });
});

test("a POST sends its body and headers, but none that is the connection's", async () => {
  await call("/v1/scores", "/", {
    method: "POST",
    body: { a: 1n },
    headers: { "X-Team": "nlp", Host: "other", Connection: "close" },
  });
  expect(asked).toMatchObject([
    { method: "POST", body: '{"a":1}', headers: { "x-team": "nlp", "content-type": "application/json" } },
  ]);
  expect(asked[0]?.headers.host).toBe(new URL(origin).host);
});

test.each([
  ["/v1/html", "no JSON"],
  ["/v1/failing", "the status 500"],
  ["/v1/moved", "the status 302"],
  ["/v1/large", "more than"],
])("%s is no answer", async (path, why) => {
  expect(await call(path, "/")).toEqual({ ok: false, message: expect.stringContaining(why) });
  expect(asked).toHaveLength(1);
});

test("nobody there is no answer", async () => {
  const url = "http://127.0.0.1:9/x";
  expect(await call("", url, { url })).toEqual({ ok: false, message: expect.stringContaining("does not answer") });
});
