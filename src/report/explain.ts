import type { Finding } from "../core/finding.ts";
import { toDotted } from "../core/json.ts";
import { toPlain } from "./plain.ts";

/** Why a finding is one, line by line: what the check is, the field, the evidence, the controls, where to read on. */
export function explain(finding: Finding): readonly string[] {
  const { check, path, evidence, fix, controls } = finding;
  const about = [check.title, check.category].filter((s) => s !== undefined && s !== "");
  return [
    ...(about.length > 0 ? [`About: ${about.join(" - ")}`] : []),
    ...(path !== undefined && path.length > 0 ? [`Field: ${toDotted(path)}`] : []),
    ...(evidence !== undefined ? [`Evidence: ${JSON.stringify(toPlain(evidence))}`] : []),
    ...(fix?.patch !== undefined ? [`Patch: ${JSON.stringify(toPlain(fix.patch))}`] : []),
    ...(controls.length > 0 ? [`Controls: ${controls.join(", ")}`] : []),
    ...(check.url !== undefined ? [`Read more: ${check.url}`] : []),
    `Id: ${finding.id}`,
  ];
}
