import { describe, expect, test } from "vitest";
import type { JsonPath } from "../json.ts";
import { formatSpan } from "../source.ts";
import { parseDocuments } from "./parse-documents.ts";
import { readYaml } from "./read-yaml.ts";

const values = (text: string) => parseDocuments(text, "t").documents.map((d) => d.value);
const codes = (text: string) =>
  parseDocuments(text, "t").diagnostics.map((d) => `${d.code} ${d.span === undefined ? "" : formatSpan(d.span)}`);

describe("documents of a text", () => {
  test.each<[string, string, unknown[]]>([
    ["nothing", "", []],
    ["comments only", "# a\n---\n# b\n", []],
    ["two documents", "a: 1\n---\nb: 2\n", [{ a: 1 }, { b: 2 }]],
    ["end markers", "a: 1\n...\n---\nb: 2\n...\n", [{ a: 1 }, { b: 2 }]],
    ["directives", "%YAML 1.1\n---\na: 1\n", [{ a: 1 }]],
    ["a byte order mark", "\uFEFFa: 1\n", [{ a: 1 }]],
    ["CR LF", "a: 1\r\nb: |\r\n  x\r\n  y\r\n---\r\nc: 2\r\n", [{ a: 1, b: "x\ny\n" }, { c: 2 }]],
    ["a value on the marker's line", "--- {a: 1}\n--- text\n", [{ a: 1 }, "text"]],
    ["markers inside block scalars", "a: |\n  ---\n  b: 1\n", [{ a: "---\nb: 1\n" }]],
    ["a block scalar that ends the file without a line break", "a: |\n  x", [{ a: "x\n" }]],
    ["JSON", '{"a": 1}', [{ a: 1 }]],
    ["JSON values in a row", '{"a":1}{"b":2}\n[3]', [{ a: 1 }, { b: 2 }, [3]]],
    ["YAML in flow style", '{a: 1, b: [x, "y"]}\n---\nc: 2', [{ a: 1, b: ["x", "y"] }, { c: 2 }]],
    ["JSON, then YAML", '{"a": 1}\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ["a prototype", '{"__proto__": {"x": 1}}', [JSON.parse('{"__proto__": {"x": 1}}')]],
    ["a prototype in YAML", "__proto__: {x: 1}", [JSON.parse('{"__proto__": {"x": 1}}')]],
    ["a list", "apiVersion: v1\nkind: List\nitems:\n- {a: 1}\n- {b: 2}\n", [{ a: 1 }, { b: 2 }]],
    [
      "a typed list",
      '{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{}}]}',
      [{ apiVersion: "v1", kind: "Pod", metadata: {} }],
    ],
    ["aliases", "a: &x {b: 1}\nc: *x\n", [{ a: { b: 1 }, c: { b: 1 } }]],
    ["merge keys", "a: &x {b: 1, c: 1}\nd: {b: 0, <<: *x, c: 2}\n", [{ a: { b: 1, c: 1 }, d: { b: 1, c: 2 } }]],
    [
      "64-bit integers",
      "a: 9223372036854775807\nb: 18446744073709551615",
      [{ a: 9223372036854775807n, b: 18446744073709551615n }],
    ],
    ["64-bit integers in JSON", '{"a":9223372036854775807}', [{ a: 9223372036854775807n }]],
  ])("%s", (_, text, expected) => {
    expect(values(text)).toEqual(expected);
    expect(codes(text)).toEqual([]);
  });

  test.each<[string, string, unknown[], string[]]>([
    ["one broken among others", "a: 1\n---\nb: [\n---\nc: 3\n", [{ a: 1 }, { c: 3 }], ["YAML_SYNTAX t:4:1"]],
    ["duplicate keys", "a: 1\nb: 2\na: 3\n", [{ a: 3, b: 2 }], ["DUPLICATE_KEY t:3:1"]],
    ["duplicate keys in JSON", '{"a":1,"a":2}', [{ a: 2 }], ["DUPLICATE_KEY t:1:8"]],
    [
      "duplicate keys without end",
      "a: 1\n".repeat(30),
      [{ a: 1 }],
      Array.from({ length: 21 }, (_, i) => `DUPLICATE_KEY t:${i + 2}:1`),
    ],
    ["unknown anchor", "a: *x\n", [], ["YAML_ALIASES t:1:4"]],
    ["an anchor in itself", "a: &x\n  b: *x\n", [], ["YAML_ALIASES t:2:6"]],
    ["infinity", "a: .inf\n", [], ["YAML_VALUE t:1:4"]],
    ["null key", "a: 1\n~: 2\n", [], ["YAML_VALUE t:2:1"]],
    ["a comma too many in JSON", '{"a":[1,],}', [{ a: [1] }], ["JSON_SYNTAX t:1:9"]],
    ["a comma too many in YAML", "{a: [1,],}", [{ a: [1] }], []],
    ["broken after two JSON values", '{"a":1}{"b":2}{', [{ a: 1 }, { b: 2 }], ["JSON_SYNTAX t:1:16"]],
    ["endless nesting", `${"[".repeat(2000)}`, [], ["YAML_TOO_DEEP t:1:500"]],
    [
      "an alias bomb",
      `a: &a [${"x,".repeat(9)}]\n${[..."bcdefghi"].map((c, i) => `${c}: &${c} [${`*${"abcdefgh"[i]},`.repeat(9)}]\n`).join("")}`,
      [],
      ["YAML_ALIASES t:4:17"],
    ],
  ])("%s", (_, text, expected, diagnostics) => {
    expect(values(text)).toEqual(expected);
    expect(codes(text)).toEqual(diagnostics);
  });
});

describe("positions", () => {
  const text = `# comment
a: 1
b:
  - x
  - w: "quoted"   # why
    z: |
      text
---
c: &anchor
  d: {e: 'f', g: [1, 2]}
h: *anchor
i:
  <<: *anchor
  j: !!str 5
k:
`;
  const { documents } = parseDocuments(text, "t.yaml");
  test.each<[number, JsonPath, string, string]>([
    [0, ["a"], "t.yaml:2:4", "1"],
    [0, ["b", 0], "t.yaml:4:5", "x"],
    [0, ["b", 1, "w"], "t.yaml:5:8", '"quoted"'],
    [0, ["b", 1, "z"], "t.yaml:6:8", "|\n      text\n"],
    [0, ["b", 7], "t.yaml:4:3", text.slice(text.indexOf("- x"), text.indexOf("---"))],
    [1, ["c", "d"], "t.yaml:10:6", "{e: 'f', g: [1, 2]}"],
    [1, ["c", "d", "g"], "t.yaml:10:18", "[1, 2]"],
    [1, ["h"], "t.yaml:11:4", "*anchor"],
    [1, ["h", "d", "e"], "t.yaml:10:10", "'f'"],
    [1, ["i", "d", "e"], "t.yaml:10:10", "'f'"],
    [1, ["i", "j"], "t.yaml:14:6", "!!str 5"],
    [1, ["k"], "t.yaml:15:3", ""],
  ])("document %i, %j", (index, path, where, content) => {
    const span = documents[index]?.locate(path);
    expect(span && formatSpan(span)).toBe(where);
    expect(span && text.slice(span.start.offset, span.end.offset)).toBe(content);
  });

  test("keys, list items and JSON", () => {
    const yaml = parseDocuments("kind: List\napiVersion: v1\nitems:\n- a: 1\n- a: 2\n", "l");
    const json = parseDocuments('{"kind":"List","apiVersion":"v1",\n"items":[{"a":1},\n{"a":2}]}', "j");
    const at = (d: (typeof yaml.documents)[number] | undefined) =>
      [d?.locate([]), d?.locate(["a"]), d?.locateKey(["a"])].map((s) => s && formatSpan(s));
    expect(at(yaml.documents[1])).toEqual(["l:5:3", "l:5:6", "l:5:3"]);
    expect(at(json.documents[1])).toEqual(["j:3:1", "j:3:6", "j:3:2"]);
    expect(yaml.documents[1]?.locateKey(["b"])).toBeUndefined();
  });
});

test("a text that is no file keeps its last line as it is", () => {
  const read = (text: string) => {
    const result = readYaml(text);
    return result.ok ? result.value : result.diagnostics.map((d) => d.code);
  };
  expect(read("a: |\n  x")).toEqual({ a: "x" });
  expect(read("a: |\n  x\n")).toEqual({ a: "x\n" });
  expect(read("")).toBeNull();
  expect(read("a: [")).toEqual(["YAML_SYNTAX"]);
});

test("braces without quotes are explained", () => {
  const [diagnostic] = parseDocuments("a: 1\nb: {{ request.object }}\n", "t").diagnostics;
  expect(diagnostic?.message).toContain("quote the text");
  expect(diagnostic?.span && formatSpan(diagnostic.span)).toBe("t:2:5");
});
