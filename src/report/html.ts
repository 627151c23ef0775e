import { type Diagnostic, placeOf } from "../core/diagnostic.ts";
import type { Finding } from "../core/finding.ts";
import { severities } from "../core/finding.ts";
import { explain } from "./explain.ts";
import type { Formatter } from "./format.ts";
import { contentPolicy } from "./html-page.ts";
import { htmlScript } from "./html-script.ts";
import { htmlStyle } from "./html-style.ts";
import {
  apiVersionOf,
  groupByResource,
  type Level,
  levelOf,
  type ResourceGroup,
  resourceTitle,
  shortPolicyNames,
} from "./order.ts";
import { isComplete, judgesText, type Report, type SummaryRow, summaryColumns, total } from "./report.ts";
import { count, groupDigits, visible } from "./text.ts";
import { escapeMarkup } from "./xml.ts";

const worstFirst = severities.toReversed();
const shownLevels: readonly Level[] = [...worstFirst, "warn", "error", "skip", "pass"];

/**
 * One self-contained file for an auditor: readable, searchable and printable without its script, which only filters.
 * A content policy lets nothing but that script and the style run, whatever the scanned objects hold.
 */
export const html: Formatter = (report) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy(htmlStyle, htmlScript)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Castellan report: ${text(verdict(report))}</title>
<style>${htmlStyle}</style>
</head>
<body>
<a class="skip-link" href="#findings">Skip to the findings</a>
<header>
<h1>Castellan report</h1>
<p><strong>${text(verdict(report))}</strong></p>
<p>${text(report.inputs.sources.join(", "))}</p>
<p class="soft">${text(scope(report))}</p>
${cards(report)}
</header>
<main>
${unchecked(report)}
<section aria-labelledby="summary"><h2 id="summary">Summary</h2><div class="tables">
${summaryTable("By policy", report.byPolicy, shortPolicyNames(report.byPolicy.map((row) => row.name)))}
${summaryTable("By namespace", report.byNamespace, nameOf)}
</div></section>
<section aria-labelledby="findings"><h2 id="findings">Findings</h2>
${filters(report)}
<p id="nothing" hidden>No finding fits these filters.</p>
${groupByResource(report.findings).map(groupArticle).join("\n")}
${report.findings.length === 0 ? "<p>None.</p>" : ""}
</section>
</main>
<footer>${footer(report)}</footer>
<script>${htmlScript}</script>
</body>
</html>
`;

function text(value: string): string {
  return escapeMarkup(visible(value));
}

function verdict(report: Report): string {
  const failures = total(report.failures);
  if (failures > 0) return count(failures, "finding");
  return isComplete(report) ? "No findings" : "No findings, but not everything could be checked";
}

function scope(report: Report): string {
  const { objects, files } = report.inputs;
  const parts = [count(objects, "object"), count(files, "file"), judgesText(report.inputs)];
  const { pass, warn, skip, error } = report.counts;
  const results = [
    `${groupDigits(pass)} results passed`,
    count(warn, "warning"),
    `${groupDigits(skip)} skipped`,
    `${groupDigits(error)} could not be checked`,
    ...(report.accepted > 0 ? [`${groupDigits(report.accepted)} accepted by the baseline`] : []),
  ];
  return `${parts.join(", ")}; ${results.join(", ")}. ${new Date(report.at).toISOString().replace("T", " ").slice(0, 16)} UTC.`;
}

function cards(report: Report): string {
  const card = (level: Level, n: number) => `<li class="${level}"><b>${groupDigits(n)}</b>${level}</li>`;
  return `<ul class="cards" aria-label="Findings by severity">${worstFirst.map((s) => card(s, report.failures[s])).join("")}</ul>`;
}

/** Errors in the open, as they decide what the report is worth; what was merely odd is folded. */
function unchecked(report: Report): string {
  const errors = report.diagnostics.filter((d) => d.severity === "error");
  const warnings = report.diagnostics.filter((d) => d.severity !== "error");
  const list = (diagnostics: readonly Diagnostic[]) => `<ul class="notes">${diagnostics.map(diagnosticItem).join("\n")}</ul>`;
  const shown =
    errors.length === 0
      ? ""
      : `<section aria-labelledby="unchecked"><h2 id="unchecked">Could not check</h2>${list(errors)}</section>`;
  const folded =
    warnings.length === 0
      ? ""
      : `<details><summary>${count(warnings.length, "note")} on the input</summary>${list(warnings)}</details>`;
  return shown + folded;
}

function diagnosticItem(d: Diagnostic): string {
  const place = placeOf(d);
  const where = place === "" ? "" : `<br><code>${text(place)}</code>`;
  const next = d.next === undefined ? "" : `<br>${text(d.next)}`;
  const level = d.severity === "error" ? "error" : "warn";
  return `<li class="${level}"><span class="level">${d.severity}</span> ${text(d.message)} <span class="soft">${d.code}</span>${where}${next}</li>`;
}

function summaryTable(title: string, rows: readonly SummaryRow[], shown: (name: string) => string): string {
  if (rows.length === 0) return "";
  const columns = summaryColumns.filter((c) => rows.some((row) => c.value(row) > 0));
  const heads = columns.map((c) => `<th scope="col">${c.head}</th>`).join("");
  const line = (row: SummaryRow) => {
    const cells = columns
      .map((c) => c.value(row))
      .map((n) => (n === 0 ? `<td class="none">0</td>` : `<td>${groupDigits(n)}</td>`));
    return `<tr><th scope="row">${text(shown(row.name))}</th>${cells.join("")}</tr>`;
  };
  const head = `<thead><tr><th scope="col">${title.replace("By ", "")}</th>${heads}</tr></thead>`;
  return `<section class="scroll" tabindex="0" aria-label="${title}"><table><caption>${title}</caption>${head}<tbody>${rows.map(line).join("\n")}</tbody></table></section>`;
}

function nameOf(namespace: string): string {
  return namespace === "" ? "(no namespace)" : namespace;
}

function filters(report: Report): string {
  const levels = shownLevels.filter((level) => report.findings.some((f) => levelOf(f) === level));
  const boxes = levels.map((l) => `<label><input type="checkbox" name="level" value="${l}" checked> ${l}</label>`);
  const option = (value: string, label: string) => `<option value="${text(value)}">${text(label)}</option>`;
  const select = (name: string, values: ReadonlySet<string>, label: (value: string) => string) =>
    `<div><label for="f-${name}">${name}</label><select id="f-${name}" name="${name}"><option value="*">all</option>${[...values]
      .sort()
      .map((v) => option(v, label(v)))
      .join("")}</select></div>`;
  return `<search><form id="filters" class="filters" hidden aria-label="Filter findings">
<div><label for="f-text">text</label><input type="search" id="f-text" name="text" autocomplete="off"></div>
${select("namespace", new Set(report.findings.map((f) => f.resource.namespace)), nameOf)}
${select("policy", new Set(report.findings.map((f) => f.check.policy)), (p) => p)}
<fieldset><legend class="soft">severity</legend>${boxes.join("")}</fieldset>
<button type="reset">Clear</button> <span id="shown" role="status" class="soft"></span>
</form></search>`;
}

function groupArticle(group: ResourceGroup): string {
  const { resource, file, findings } = group;
  const where = file === "" ? "" : `<code>${text(file)}</code>`;
  return `<article data-namespace="${text(resource.namespace)}"><div><h3>${text(resourceTitle(resource))} <span class="soft">${text(apiVersionOf(resource))}</span></h3>${where}</div>
<ul>${findings.map(item).join("\n")}</ul></article>`;
}

function item(finding: Finding): string {
  const { check, location, fix, message } = finding;
  const level = levelOf(finding);
  const place = location === undefined ? "" : ` · line ${location.start.line}:${location.start.column}`;
  const correction = fix === undefined ? "" : `<p class="message fix">${text(fix.description)}</p>`;
  const more = explain(finding).map((line) => `<p>${text(line)}</p>`);
  return `<li data-level="${level}" data-policy="${text(check.policy)}"><span class="level ${level}">${level}</span><div><p class="message">${text(message.trim())}</p>${correction}<p class="soft"><code>${text(`${check.policy} ${check.rule}`)}</code>${text(place)}</p><details><summary>Why</summary>${more.join("")}</details></div></li>`;
}

function footer(report: Report): string {
  const { tool, at, inputs } = report;
  return `<p>${text(`Written by ${tool.name} ${tool.version} at ${new Date(at).toISOString()} from ${inputs.sources.join(", ")}.`)}</p>
<p>Policies and analyses: ${[...inputs.policies, ...inputs.analyses].map((p) => `<code>${text(p)}</code>`).join(", ")}.</p>
${report.notes.map((note) => `<p>${text(note)}</p>`).join("\n")}
<p>A result that could not be checked is not a pass.</p>`;
}
