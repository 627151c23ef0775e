import { describe, expect, test } from "vitest";
import type { JsonValue } from "../../core/json.ts";
import { runPolicy } from "./policy-run.testing.ts";

const policy = (mode: string, validations: readonly string[], more = "") => `
apiVersion: policies.kyverno.io/v1
kind: ValidatingPolicy
metadata: {name: p}
spec:
  evaluation: {mode: ${mode}}
${more}
  validations: ${JSON.stringify(validations.map((expression) => ({ expression })))}`;

const pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}}";

function judge(mode: "Envoy" | "HTTP", validations: readonly string[], payload: JsonValue, more = "") {
  const payloadKind = mode === "Envoy" ? "envoy" : "http";
  const text = policy(mode, validations, more);
  return runPolicy(text, pod, { action: { object: undefined, payload, payloadKind, at: 0 } });
}

const asked = (http: JsonValue) => ({ attributes: { request: { http } } });

describe("a policy about Envoy's requests", () => {
  const byHeader = `object.attributes.request.http.headers[?"x-team"].orValue("") == "a" ? envoy.Allowed().Response() : null`;

  test.each<[string, readonly string[], JsonValue, readonly string[]]>([
    ["allows", ["envoy.Allowed().WithHeader('a', 'b').Response()"], asked({}), ["validations pass: request allowed"]],
    [
      "denies",
      ["envoy.Denied(403).WithBody('no').Response()"],
      asked({}),
      ["validations fail: request denied with status code 403"],
    ],
    [
      "takes the first response",
      [byHeader, "envoy.Denied(401).Response()"],
      asked({ headers: { "x-team": "a" } }),
      ["validations pass: request allowed"],
    ],
    [
      "goes on where there is none",
      [byHeader, "envoy.Denied(401).Response()"],
      asked({}),
      ["validations fail: request denied with status code 401"],
    ],
    ["says nothing where none answers", [byHeader], asked({}), ["validations skip: request does not match"]],
    [
      "knows the empty value of what is absent",
      [
        "object.attributes.request.http.method == '' && !has(object.attributes.request.http.method) && object.attributes.source.address.socket_address.port_value == 0 ? envoy.Allowed().Response() : null",
      ],
      {},
      ["validations pass: request allowed"],
    ],
    [
      "is an error where an expression fails",
      ["object.attributes.request.http.headers['gone'] == '' ? envoy.Allowed().Response() : null"],
      asked({}),
      ["validations error: no such key: gone"],
    ],
  ])("%s", (_, validations, payload, expected) => {
    expect(judge("Envoy", validations, payload).said).toEqual(expected);
  });

  test("keeps the response for whoever sends it", () => {
    const made =
      "envoy.Allowed().WithoutHeader('x').WithResponseHeader(envoy.Header('k', 'v').KeepEmptyValue()).WithQueryParam('q', '1').Response().WithMessage('ok')";
    expect(judge("Envoy", [made], {}).results[0]?.evidence).toEqual({
      response: {
        okResponse: {
          headersToRemove: ["x"],
          responseHeadersToAdd: [{ header: { key: "k", value: "v" }, keepEmptyValue: true }],
          queryParametersToSet: [{ key: "q", value: "1" }],
        },
        message: "ok",
      },
    });
  });

  test("does not compile where a field is misspelt or the result is no response", () => {
    expect(
      judge("Envoy", ["object.attributes.request.http.verb == '' ? envoy.Allowed().Response() : null"], {}).said[0],
    ).toContain("undefined field 'verb'");
    expect(judge("Envoy", ["true"], {}).said[0]).toContain("must evaluate to");
  });

  test("is asked only where its condition holds", () => {
    const conditions = `  matchConditions: [{name: m, expression: "object.attributes.request.http.path == '/x'"}]`;
    const deny = ["envoy.Denied(403).Response()"];
    expect(judge("Envoy", deny, asked({ path: "/y" }), conditions).said).toEqual(["validations skip: request does not match"]);
    expect(judge("Envoy", deny, asked({ path: "/x" }), conditions).said).toEqual([
      "validations fail: request denied with status code 403",
    ]);
  });

  test("says nothing of objects, of other payloads, and of what other policies judge", () => {
    const text = policy("Envoy", ["envoy.Denied(403).Response()"]);
    expect(runPolicy(text, pod).said).toEqual([]);
    expect(runPolicy(text, pod, { action: { object: undefined, payload: {} } }).said).toEqual([]);
    const json = policy("JSON", ["false"]);
    expect(runPolicy(json, pod, { action: { object: undefined, payload: {}, payloadKind: "envoy" } }).said).toEqual([]);
  });
});

describe("a policy about plain HTTP requests", () => {
  test.each<[string, string, JsonValue, string]>([
    ["allows", "http.Allowed().Response()", {}, "validations pass: request allowed"],
    ["denies with a reason", "http.Denied('not you').Response()", {}, "validations fail: request denied, reason: not you"],
    [
      "reads headers by their canonical names",
      "object.attributes.Header('x-team') == ['a'] ? http.Allowed().Response() : null",
      { attributes: { header: { "X-Team": ["a"] } } },
      "validations pass: request allowed",
    ],
    [
      "reads parameters",
      "object.attributes.QueryParam('page') == ['2'] && object.attributes.QueryParam('none') == [] ? http.Allowed().Response() : null",
      { attributes: { query: { page: ["2"] } } },
      "validations pass: request allowed",
    ],
  ])("%s", (_, validation, payload, expected) => {
    expect(judge("HTTP", [validation], payload).said).toEqual([expected]);
  });
});

describe("tokens", () => {
  // {"exp":2241081539,"nbf":1514851139,"role":"guest","sub":"YWxpY2U="}, signed with the text `secret`
  const token =
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjIyNDEwODE1MzksIm5iZiI6MTUxNDg1MTEzOSwicm9sZSI6Imd1ZXN0Iiwic3ViIjoiWVd4cFkyVT0ifQ.ja1bgvIt47393ba_WbSBm35NrUhdxM4mOVQN8iXz8lk";
  const role = (text: string, secret: string) => `jwt.Decode(${JSON.stringify(text)}, ${JSON.stringify(secret)})`;

  test.each<[string, string, string]>([
    [
      "their claims are read",
      `${role(token, "secret")}.Claims.role == 'guest' ? http.Allowed().Response() : null`,
      "validations pass: request allowed",
    ],
    [
      "they are not in force before their time",
      `${role(token, "secret")}.Valid ? null : http.Denied('too early').Response()`,
      "validations fail: request denied, reason: too early",
    ],
    [
      "another secret did not sign them",
      `${role(token, "other")}.Valid ? null : null`,
      "validations error: could not verify message using any of the signatures or keys",
    ],
    [
      "a changed one is refused",
      `${role(token.replace("ja1b", "ja1c"), "secret")}.Valid ? null : null`,
      "validations error: could not verify message using any of the signatures or keys",
    ],
    [
      "no token is no token",
      `${role("a.b", "secret")}.Valid ? null : null`,
      "validations error: failed to parse token: it is no signed JSON web token",
    ],
    [
      "an unsigned one is refused",
      `${role("eyJhbGciOiJub25lIn0.e30.", "secret")}.Valid ? null : null`,
      "validations error: tokens signed with none cannot be verified by a shared secret",
    ],
  ])("%s", (_, validation, expected) => {
    expect(judge("HTTP", [validation], {}).said).toEqual([expected]);
  });
});
