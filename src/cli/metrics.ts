import { Command, Option } from "commander";
import { severities } from "../core/finding.ts";
import { formatters } from "../report/index.ts";
import { type CommandContext, describedCommand } from "./command.ts";
import { type LintAlertsFlags, lintAlertFiles } from "./run-metrics.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("metrics").description("Metrics and the alerts on them.").addCommand(
    describedCommand("lint-alerts", "Alerts that can never fire: on metrics, labels or values that no exporter has.", [
      ["castellan metrics lint-alerts rules.yaml", "PrometheusRules and Prometheus' own rule files"],
    ])
      .summary("Find alerts that can never fire")
      .argument("<paths...>", "files, folders, globs, or - for standard input")
      .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(formatters)).default("table"))
      .option("--output-file <file>", "write the report there, and only a summary to the terminal")
      .addOption(
        new Option("--fail-on <level>", "exit with 1 on findings at or over")
          .choices([...severities.toReversed(), "never"])
          .default("medium"),
      )
      .action((paths: readonly string[], flags: LintAlertsFlags) => lintAlertFiles(paths, flags, context)),
  );
}
