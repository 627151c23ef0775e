import { styleFor, wrap } from "../report/index.ts";
import type { PolicyExplanation, Statement } from "../services/explain/explanation.ts";
import type { PolicySummary } from "../services/policy-list.ts";
import { type Io, wantsColor } from "./io.ts";

const labelWidth = 16;
/** Longer lines are hard to read. */
const widest = 110;

function widthOf(io: Io): number {
  return Math.min(io.outColumns ?? 80, widest);
}

export function explanationText(explanation: PolicyExplanation, io: Io): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const lines = [
    `${bold(explanation.policy)} ${dim(explanation.location)}`,
    ...explanation.statements.flatMap((s) => statementLines(s, "  ", io)),
    ...explanation.rules.flatMap((rule) => [
      "",
      `  ${bold(`Rule ${rule.name}`)}`,
      ...rule.statements.flatMap((s) => statementLines(s, "    ", io)),
    ]),
  ];
  return `${lines.join("\n")}\n\n`;
}

/** The label once, then every text, wrapped beside it. */
function statementLines({ label, texts }: Statement, indent: string, io: Io): readonly string[] {
  const { dim } = styleFor(wantsColor(io));
  const room = widthOf(io) - indent.length - labelWidth;
  const beside = indent + " ".repeat(labelWidth);
  return texts.flatMap((text, i) =>
    wrap(text, room).map((line, j) => (i === 0 && j === 0 ? indent + dim(label.padEnd(labelWidth)) : beside) + line),
  );
}

export function summaryText(summary: PolicySummary, io: Io): string {
  const { bold, dim } = styleFor(wantsColor(io));
  const facts = [summary.title, summary.severity, ...summary.onFailure].filter((t) => t !== "");
  const rules = summary.rules.flatMap((rule) => {
    const lines = wrap(`${rule.kind} ${rule.applies.join(", ")}`, widthOf(io) - 8);
    return [`    ${rule.name}`, ...lines.map((line) => `        ${dim(line)}`)];
  });
  return `${[bold(summary.policy), `  ${facts.join(", ")}`, `  ${dim(summary.location)}`, ...rules].join("\n")}\n\n`;
}
