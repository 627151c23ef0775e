import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../core/diagnostic.ts";
import { documentOf } from "../../core/schedule/schedule.testing.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import { withCalendars } from "./calendar-files.ts";

const files: { readonly [path: string]: string } = { "policies/freeze.ics": "BEGIN:VCALENDAR" };
const read = (path: string) => {
  const text = files[path];
  return text === undefined ? { ok: false as const, message: `there is no ${path}` } : { ok: true as const, text };
};

describe("calendars beside a Schedule", () => {
  test.each([
    { file: "freeze.ics", freezes: [{ name: "f", calendar: "BEGIN:VCALENDAR" }], problems: [] },
    {
      file: "other.ics",
      freezes: [{ name: "f", file: "other.ics" }],
      problems: ["spec.freezes[0].file: there is no policies/other.ics"],
    },
    {
      file: "../policies/freeze.ics",
      freezes: [{ name: "f", file: "../policies/freeze.ics" }],
      problems: ["spec.freezes[0].file: ../policies/freeze.ics is not beside the document"],
    },
    {
      file: "/etc/passwd",
      freezes: [{ name: "f", file: "/etc/passwd" }],
      problems: ["spec.freezes[0].file: /etc/passwd is not beside the document"],
    },
    {
      file: "a/../../etc/passwd",
      freezes: [{ name: "f", file: "a/../../etc/passwd" }],
      problems: ["spec.freezes[0].file: a/../../etc/passwd is not beside the document"],
    },
  ])("$file", ({ file, freezes, problems }) => {
    const document = {
      ...documentOf("Schedule", "s", { timeZone: "Etc/UTC", freezes: [{ name: "f", file }] }),
      file: "policies/s.yaml",
    };
    const diagnostics: Diagnostic[] = [];
    expect(withCalendars(document, read, diagnostics).value).toMatchObject({ spec: { timeZone: "Etc/UTC", freezes } });
    expect(diagnostics.map(({ message }) => message)).toEqual(problems);
  });

  test("a document that was read from a file keeps its places", () => {
    const text = `apiVersion: castellan.dev/v1alpha1
kind: Schedule
metadata: {name: s}
spec:
  timeZone: Mars/Base
  freezes: [{name: f, file: freeze.ics}]
`;
    const [document] = parseDocuments(text, "policies/s.yaml").documents;
    if (document === undefined) throw new Error("no document");
    const filled = withCalendars(document, read, []);
    expect([filled.file, filled.index, filled.locateKey(["spec", "timeZone"])?.start.line]).toEqual(["policies/s.yaml", 0, 5]);
  });

  test("other documents are left as they are", () => {
    const document = documentOf("Guardrail", "g", { freezes: [{ file: "freeze.ics" }] });
    expect(withCalendars(document, read, [])).toBe(document);
  });
});
