import { describe, expect, test } from "vitest";
import { formatUrl, hostOf, parseRequestUri, parseUrl, queryValues, splitHost } from "./go-url.ts";

describe("what Go accepts", () => {
  test.each([
    ["https://u:p@h.example:80/a%20b/%2F?x=1#f%20g", "https://u:p@h.example:80/a%20b/%2F?x=1#f%20g"],
    ["HTTP://h", "http://h"],
    ["http://h/é", "http://h/%C3%A9"],
    ["mailto:a@b", "mailto:a@b"],
    ["/a b", "/a%20b"],
    ["//h/p", "//h/p"],
    ["http://[::1]:80/", "http://[::1]:80/"],
    ["a/b:c", "a/b:c"],
    ["http:///p?", "http:///p?"],
    ["", ""],
  ])("%j is written %j", (text, expected) => {
    const parsed = parseUrl(text);
    expect(parsed.ok ? formatUrl(parsed.value) : parsed.message).toBe(expected);
  });

  test.each([
    ["http://h/%zz", 'parse "http://h/%zz": invalid URL escape "%zz"'],
    ["http://h:a/", 'parse "http://h:a/": invalid port ":a" after host'],
    ["http://a b/", 'parse "http://a b/": invalid character " " in host name'],
    ["http://[::1", "parse \"http://[::1\": missing ']' in host"],
    ["http://[1.2.3.4]/", 'parse "http://[1.2.3.4]/": invalid IP-literal'],
    [":foo", 'parse ":foo": missing protocol scheme'],
    ["a:b\n", 'parse "a:b\\n": net/url: invalid control character in URL'],
    ["1:2", 'parse "1:2": first path segment in URL cannot contain colon'],
    ["http://é@h", 'parse "http://é@h": net/url: invalid userinfo'],
  ])("%j is none: %s", (text, message) => {
    expect(parseUrl(text)).toEqual({ ok: false, message });
  });

  test.each([
    ["", 'parse "": empty url'],
    ["a/b", 'parse "a/b": invalid URI for request'],
  ])("a request is not for %j", (text, message) => {
    expect(parseRequestUri(text)).toEqual({ ok: false, message });
  });
});

test("the parts of a URL", () => {
  const parsed = parseUrl("https://[fe80::1%25en0]:443/p?a=1&b=x+y&a=%32&c;d=1&e");
  if (!parsed.ok) throw new Error(parsed.message);
  expect(hostOf(parsed.value)).toBe("[fe80::1%en0]:443");
  expect(splitHost(parsed.value)).toEqual({ name: "fe80::1%en0", port: "443" });
  expect(Array.from(queryValues(parsed.value))).toEqual([
    ["a", ["1", "2"]],
    ["b", ["x y"]],
    ["e", [""]],
  ]);
});
