import { describe, expect, test } from "vitest";
import { foreignOrigin, isForHost } from "./browser.ts";
import type { HeaderFields } from "./header-fields.ts";

test.each<[string, boolean]>([
  ["127.0.0.1:8443", true],
  ["LOCALHOST", true],
  ["[::1]:8443", true],
  ["rebound.example.com:8443", false],
  ["127.0.0.1.example.com", false],
  ["", false],
])("a request for the host %j is taken: %s", (host, wanted) => {
  expect(isForHost([["Host", host]], new Set(["127.0.0.1", "localhost", "::1"]))).toBe(wanted);
});

describe("pages of other sites", () => {
  test.each<[string, HeaderFields, string | undefined]>([
    ["no browser", [["Host", "a:1"]], undefined],
    [
      "its own page",
      [
        ["Host", "a:1"],
        ["Origin", "https://a:1"],
      ],
      undefined,
    ],
    ["one that is let in", [["Origin", "https://ok.example.com"]], undefined],
    ["another", [["Origin", "https://evil.example.com"]], "https://evil.example.com"],
    ["one without an origin", [["Origin", "null"]], "null"],
    ["a form or an image", [["Sec-Fetch-Site", "cross-site"]], "another site"],
    ["an address that was typed", [["Sec-Fetch-Site", "none"]], undefined],
  ])("%s", (_name, fields, wanted) => expect(foreignOrigin(fields, ["https://ok.example.com"])).toBe(wanted));
});
