import type { Formatter } from "./format.ts";
import { github } from "./github.ts";
import { html } from "./html.ts";
import { json } from "./json.ts";
import { junit } from "./junit.ts";
import { markdown } from "./markdown.ts";
import { policyReport } from "./policy-report.ts";
import { sarif } from "./sarif.ts";
import { table, verdictLines } from "./table.ts";
import { writeYaml, yaml } from "./yaml.ts";

export type { FormatOptions, Formatter } from "./format.ts";
export { shortPolicyNames } from "./order.ts";
export { buildReport, isComplete, type Report, type ReportInputs, type ReportSource } from "./report.ts";
export { styleFor } from "./style.ts";
export { wrap } from "./text.ts";
export { verdictLines, writeYaml };

/** Every output format by the name that `--output` takes. */
export const formatters = {
  table,
  json,
  yaml,
  sarif,
  junit,
  html,
  markdown,
  github,
  "policy-report": policyReport,
} as const satisfies Record<string, Formatter>;

export type FormatName = keyof typeof formatters;

export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(formatters, name);
}
