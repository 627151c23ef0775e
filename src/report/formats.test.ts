import { describe, expect, test } from "vitest";
import { emptyReport, sampleReport } from "../../test/sample-report.ts";
import { type FormatName, formatters } from "./index.ts";

const options = { color: false, width: 80, explain: false };
const extensions: { readonly [name in FormatName]: string } = {
  table: "txt",
  json: "json",
  yaml: "yaml",
  sarif: "sarif",
  junit: "xml",
  html: "html",
  markdown: "md",
  github: "github.txt",
  "policy-report": "policy-report.yaml",
};
const names = Object.keys(formatters) as readonly FormatName[];

describe.each(names)("%s", (name) => {
  const format = formatters[name];

  test("writes the sample report", async () => {
    await expect(format(sampleReport, options)).toMatchFileSnapshot(`./__snapshots__/sample.${extensions[name]}`);
  });

  test("writes a report without findings", async () => {
    await expect(format(emptyReport, options)).toMatchFileSnapshot(`./__snapshots__/empty.${extensions[name]}`);
  });

  test("ends with a line feed and holds no control character", () => {
    const text = format(sampleReport, { ...options, explain: true });
    expect(text.endsWith("\n")).toBe(true);
    expect(/(?![\n\t])\p{Cc}/u.exec(text)).toBeNull();
  });
});
