import { dump } from "js-yaml";
import type { Formatter } from "./format.ts";
import { reportData } from "./json.ts";
import { toPlain } from "./plain.ts";

/** YAML that reads the same as 1.1 and 1.2, without anchors and folded lines. */
export function writeYaml(value: unknown): string {
  return dump(toPlain(value), { noRefs: true, lineWidth: -1 });
}

/** The same data as `json`. */
export const yaml: Formatter = (report) => writeYaml(reportData(report));
