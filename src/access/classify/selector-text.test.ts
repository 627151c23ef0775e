import { describe, expect, test } from "vitest";
import { type ParsedSelector, parseFieldSelector, parseLabelSelector } from "./selector-text.ts";

function text(parsed: ParsedSelector): string | readonly string[] {
  if (!parsed.ok) return `error: ${parsed.message}`;
  return parsed.requirements.map(({ key, operator, values }) => [key, operator, values.join("|")].join(" ").trim());
}

describe("parseFieldSelector", () => {
  test.each<[string, readonly string[]]>([
    ["", []],
    ["metadata.name=a", ["metadata.name = a"]],
    ["metadata.name==a", ["metadata.name = a"]],
    ["metadata.name!=a", ["metadata.name != a"]],
    ["metadata.name=", ["metadata.name ="]],
    ["b=1,a=2", ["a = 2", "b = 1"]],
    ["a=1,,b=2", ["a = 1", "b = 2"]],
    ["a=b\\,c", ["a = b,c"]],
    ["a=b\\=c", ["a = b=c"]],
    ["a=b\\\\", ["a = b\\"]],
    [" a = b ", ["a  =  b"]],
  ])("%j", (selector, want) => expect(text(parseFieldSelector(selector))).toEqual(want));

  test.each(["metadata.name", "a=b=c", "a=\\x", "a=b\\", "a,b=c"])("%j is refused", (selector) => {
    expect(text(parseFieldSelector(selector))).toMatch(/^error: invalid selector: /);
  });
});

describe("parseLabelSelector", () => {
  test.each<[string, readonly string[]]>([
    ["", []],
    ["a", ["a exists"]],
    ["!a", ["a !"]],
    ["a=b", ["a = b"]],
    ["a==b", ["a == b"]],
    ["a != b", ["a != b"]],
    ["a=", ["a ="]],
    ["a=,b", ["a =", "b exists"]],
    ["a in (x)", ["a in x"]],
    ["a in (z, x,x)", ["a in x|z"]],
    ["a in (,x)", ["a in |x"]],
    ["a notin (x,y),b", ["a notin x|y", "b exists"]],
    ["a>5", ["a > 5"]],
    ["a < 5", ["a < 5"]],
    ["z=1,a=2", ["a = 2", "z = 1"]],
    ["example.com/app=web", ["example.com/app = web"]],
    ["in=x", ["in = x"]],
    ["\ta\n=\r b", ["a = b"]],
  ])("%j", (selector, want) => expect(text(parseLabelSelector(selector))).toEqual(want));

  test.each([
    ",",
    "a,",
    "a b",
    "=a",
    "a in x",
    "a in (x",
    "a in ()",
    "a>b",
    "a>99999999999999999999",
    "a=b=c",
    "a=-b",
    "-a=b",
    "a in (x) b",
    "!a=b",
    "a\u00a0=b",
  ])("%j is refused", (selector) => expect(text(parseLabelSelector(selector))).toMatch(/^error: /));
});
