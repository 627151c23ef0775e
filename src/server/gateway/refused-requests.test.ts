import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Person } from "../../access/person.ts";
import { answeredFields, forwardedFields, type HeaderFields, headerProblem } from "./header-fields.ts";
import { identityFields } from "./identity-fields.ts";
import { readTarget } from "./target.ts";

describe("readTarget", () => {
  test.each([
    "/api/v1/pods",
    "/api/v1/namespaces/a/pods?labelSelector=a%2Fb%3Dc&watch",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode",
    "/api/v1/namespaces/a/services/http:s:80/proxy/a//b%2Fc",
    "/api/v1/pods/...",
    "/",
    "/healthz/",
  ])("%s is forwarded", (target) => expect(readTarget(target)).toMatchObject({ ok: true }));

  test.each([
    "",
    "*",
    "host:443",
    "//evil/api",
    "/a//b",
    "/a/./b",
    "/a/..",
    "/a/%2E%2e/b",
    "/a/.%2e",
    "/a%2fb",
    "/a\\b",
    "/a%5Cb",
    "/a%00",
    "/a%0d%0a",
    "/a b",
    "/ä",
    "/a#b",
    "/a%",
    "/a%c0%ae%c0%ae/b",
    "/api/v1/namespaces/a/services/s/proxy/%2e%2e/x",
    "/api/v1/namespaces//services/s/proxy/x",
  ])("%j is refused", (target) => expect(readTarget(target)).toMatchObject({ ok: false }));
});

const names = (fields: HeaderFields) => fields.map(([name]) => name);

describe("header fields", () => {
  test.each<[string, HeaderFields, number | undefined]>([
    ["nothing special", [["Accept", "*/*"]], undefined],
    ["an upgrade", [["Connection", "keep-alive, Upgrade"]], undefined],
    ["impersonation", [["impersonate-user", "x"]], 403],
    ["impersonation with an underscore", [["Impersonate_Extra_a", "x"]], 403],
    ["a hidden name", [["Connection", "close , X-Forwarded-For"]], 400],
    [
      "two lines of Connection",
      [
        ["Connection", "close"],
        ["connection", "authorization"],
      ],
      400,
    ],
    [
      "two types",
      [
        ["Content-Type", "a"],
        ["content-type", "b"],
      ],
      400,
    ],
    ["another coding", [["Transfer-Encoding", "gzip, chunked"]], 501],
  ])("%s", (_, fields, status) => expect(headerProblem(fields)?.status).toBe(status));

  test("what only we may say, and what is of one connection, does not go up", () => {
    const kept: HeaderFields = [
      ["Accept", "a"],
      ["Accept", "b"],
      ["User-Agent", "k"],
      ["X-Custom", "1"],
    ];
    const dropped = [
      "Authorization",
      "Cookie",
      "Host",
      "TE",
      "Upgrade",
      "Keep-Alive",
      "Audit-ID",
      "X-Remote-User",
      "X_REMOTE_GROUP",
    ];
    const more = [
      "X-Forwarded-Proto",
      "Forwarded",
      "Proxy-Authorization",
      "Expect",
      "Castellan-Reason",
      "Sec-WebSocket-Extensions",
    ];
    const all = [...dropped, ...more].map((name): readonly [string, string] => [name, "x"]);
    expect(forwardedFields([...all, ...kept])).toEqual(kept);
    expect(
      names(
        answeredFields([
          ["Connection", "X-A"],
          ["X-A", "1"],
          ["Set-Cookie", "1"],
          ["Warning", "w"],
        ]),
      ),
    ).toEqual(["Warning"]);
  });

  test("no spelling of an identity header goes up", () => {
    const separator = fc.constantFrom("-", "_");
    const word = fc.constantFrom("impersonate", "IMPERSONATE", "x-remote", "X_Remote", "authorization");
    const name = fc
      .tuple(word, separator, fc.stringMatching(/^[a-z]{0,8}$/))
      .map(([a, b, c]) => (a === "authorization" ? a : a + b + c));
    fc.assert(fc.property(fc.array(name, { maxLength: 5 }), (list) => forwardedFields(list.map((n) => [n, "x"])).length === 0));
  });
});

const ada: Person = { issuer: "i", subject: "s", user: "ada", groups: ["a", "b"], human: "ada", isProgram: false };

describe("identityFields", () => {
  test("the person, one group a line, and what a grant adds", () => {
    const said = identityFields({ ...ada, uid: "7" }, { group: "castellan:grant:r", token: "t" });
    expect(said).toEqual({
      ok: true,
      fields: [
        ["Impersonate-User", "ada"],
        ["Impersonate-Group", "a"],
        ["Impersonate-Group", "b"],
        ["Impersonate-Group", "castellan:grant:r"],
        ["Impersonate-Uid", "7"],
        ["Impersonate-Extra-castellan.dev%2Fgrant", "t"],
      ],
    });
  });

  test("T07 only the name of service accounts and nodes", () => {
    const robot = { ...ada, user: "system:serviceaccount:a:b", uid: "7", isProgram: true };
    expect(identityFields(robot, undefined)).toEqual({ ok: true, fields: [["Impersonate-User", robot.user]] });
    expect(identityFields(robot, { group: "castellan:grant:r", token: "t" }).ok).toBe(false);
  });

  test.each<[string, Partial<Person>]>([
    ["T03 no name", { user: "" }],
    ["a blank at the end", { user: "ada " }],
    ["a line break", { user: "ada\r\nImpersonate-Group: x" }],
    ["half a character", { user: "\ud800" }],
    ["T06 system:masters", { groups: ["system:masters"] }],
    ["a group of grants", { groups: ["castellan:grant:r"] }],
    ["a service account that a person claims to be", { user: "system:serviceaccount:a:b" }],
    ["an extra of ours", { extra: { "castellan.dev/grant": ["t"] } }],
    ["an extra with a line break", { extra: { "a.example/b": ["x\ny"] } }],
  ])("%s is refused", (_, more) => expect(identityFields({ ...ada, ...more }, undefined).ok).toBe(false));
});
