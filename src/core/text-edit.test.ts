import { describe, expect, test } from "vitest";
import type { JsonPatch } from "./finding.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { type TextEdit, textEdits } from "./text-edit.ts";
import { parseDocuments } from "./yaml/parse-documents.ts";

const pod = `# a pod
apiVersion: v1
kind: Pod
spec:
  hostNetwork: true # for now
  containers:
  - name: a
    image: x
    securityContext:
      privileged: true
  - image: y
    name: b
`;

function apply(text: string, edits: readonly TextEdit[]): string {
  const backwards = edits.toSorted((a, b) => b.span.start.offset - a.span.start.offset);
  return backwards.reduce((t, { span, text: added }) => t.slice(0, span.start.offset) + added + t.slice(span.end.offset), text);
}

function edited(text: string, patch: JsonPatch): string | undefined {
  const [document] = parseDocuments(text, "p.yaml").documents;
  const edits = document === undefined ? undefined : textEdits(document, patch);
  return edits === undefined ? undefined : apply(text, edits);
}

describe("edits of the text come to the same as the patch", () => {
  test.each<[string, JsonPatch]>([
    ["a scalar", [{ op: "replace", path: "/spec/hostNetwork", value: false }]],
    ["a scalar in a list", [{ op: "replace", path: "/spec/containers/0/securityContext/privileged", value: false }]],
    [
      "a member of a list's item",
      [{ op: "add", path: "/spec/containers/1/securityContext", value: { runAsNonRoot: true, capabilities: { drop: ["ALL"] } } }],
    ],
    ["a member of the root", [{ op: "add", path: "/metadata", value: { name: "p" } }]],
    ["a member with an odd name", [{ op: "add", path: "/spec/a~1b c", value: "x: y" }]],
    ["an addition to what is there", [{ op: "add", path: "/kind", value: "Job" }]],
    [
      "several",
      [
        { op: "add", path: "/spec/containers/0/tty", value: true },
        { op: "add", path: "/spec/containers/1/tty", value: true },
        { op: "replace", path: "/spec/hostNetwork", value: false },
      ],
    ],
  ])("%s", (_, patch) => {
    const text = edited(pod, patch);
    const [before] = parseDocuments(pod, "p.yaml").documents;
    const [after] = parseDocuments(text ?? "", "p.yaml").documents;
    const patched = applyJsonPatch(before?.value ?? null, patch);
    expect(patched.ok && patched.value).toEqual(after?.value);
    expect(text).toContain("# a pod\n");
  });

  test("comments and layout stay", () => {
    expect(edited(pod, [{ op: "replace", path: "/spec/hostNetwork", value: false }])).toBe(
      pod.replace("hostNetwork: true", "hostNetwork: false"),
    );
  });
});

describe("what cannot be made in place", () => {
  test.each<[string, string, JsonPatch]>([
    ["a removal", pod, [{ op: "remove", path: "/spec/hostNetwork" }]],
    ["an appended item", pod, [{ op: "add", path: "/spec/containers/-", value: {} }]],
    ["a list of one line", "a:\n- b\n", [{ op: "replace", path: "/a", value: [] }]],
    ["a value of several lines", pod, [{ op: "replace", path: "/spec", value: {} }]],
    ["an object in flow style", "a: {b: 1}\n", [{ op: "add", path: "/a/c", value: 2 }]],
    ["JSON", '{"a": {"b": 1}}', [{ op: "add", path: "/a/c", value: 2 }]],
    ["an empty object", "a: {}\n", [{ op: "add", path: "/a/c", value: 2 }]],
    [
      "one of two",
      pod,
      [
        { op: "replace", path: "/spec/hostNetwork", value: false },
        { op: "remove", path: "/kind" },
      ],
    ],
  ])("%s", (_, text, patch) => expect(edited(text, patch)).toBeUndefined());
});
