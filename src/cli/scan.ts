import { type Command, InvalidArgumentError, Option } from "commander";
import { type Severity, severities } from "../core/finding.ts";
import { type FormatName, formatters } from "../report/index.ts";
import { type ScanCheck, scanChecks } from "../services/scan.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { runScan } from "./run-scan.ts";

/** As commander hands them over. */
export interface ScanFlags {
  readonly policies?: readonly string[];
  readonly exceptions?: readonly string[];
  readonly cluster?: boolean;
  readonly context?: string;
  readonly namespace?: string;
  readonly severity?: Severity;
  readonly baseline?: string;
  readonly writeBaseline?: string;
  readonly output: FormatName;
  readonly outputFile?: string;
  readonly failOn: Severity | "never";
  readonly explain?: boolean;
  readonly checks: readonly ScanCheck[];
  readonly schema?: boolean;
  readonly crds?: readonly string[];
  readonly old?: readonly string[];
  readonly workloads: "autogen" | "all";
  readonly passes?: boolean;
  readonly render: "given" | "all" | "never";
}

const worstFirst = severities.toReversed();

/** `policies,resources` */
function parseChecks(value: string): readonly ScanCheck[] {
  return value.split(",").map((name) => {
    const check = scanChecks.find((c) => c === name.trim());
    if (check === undefined) throw new InvalidArgumentError(`${JSON.stringify(name)} is not one of ${scanChecks.join(", ")}.`);
    return check;
  });
}

export function createCommand(context: CommandContext): Command {
  return describedCommand("scan", "Check manifests, or what a cluster holds, against policies and for traps.", [
    ["castellan scan manifests/", "Pod Security, the AI platform pack, the linter and RBAC over a folder"],
    ["castellan scan manifests/ --policies policies/", "your own policies"],
    ["helm template app charts/app | castellan scan -", "standard input"],
    ["castellan scan --cluster -n team-a", "what runs in a namespace"],
    ["castellan scan gadgets/ --schema --crds crds/", "custom resources by their definitions, validation rules included"],
    ["castellan scan . -o sarif --output-file castellan.sarif", "for code scanning"],
    ["castellan scan . --write-baseline baseline.yaml", "accept what is there ..."],
    ["castellan scan . --baseline baseline.yaml", "... and fail on what is new"],
  ])
    .argument("[paths...]", "files, folders, globs, or - for standard input")
    .option("-p, --policies <path>", "policies instead of the built-in ones; repeatable, - for standard input", collect)
    .option("--exceptions <path>", "policy exceptions; repeatable", collect)
    .option("--schema", "check custom resources by the schema and the validation rules of their definitions")
    .option("--crds <path>", "with --schema: definitions besides the scanned ones; repeatable", collect)
    .option("--old <path>", "with --schema: the objects as they were, for rules about changes; repeatable", collect)
    .option("-c, --cluster", "scan the cluster of the current kubeconfig context")
    .option("--context <name>", "another kubeconfig context")
    .option("-n, --namespace <name>", "with --cluster: only this namespace; else: where objects that name none would be applied")
    .addOption(new Option("-s, --severity <level>", "leave out findings below").choices(worstFirst))
    .option("--baseline <file>", "leave out the findings that this file accepts")
    .option("--write-baseline <file>", "write a file that accepts all findings of this run")
    .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(formatters)).default("table"))
    .option("--output-file <file>", "write the report there, and only a summary to the terminal")
    .addOption(
      new Option("--fail-on <level>", "exit with 1 on findings at or over").choices([...worstFirst, "never"]).default("low"),
    )
    .option("--explain", "say why: the evidence, the field, the patch, where to read more")
    .option("--checks <names>", `which checks, by comma: ${scanChecks.join(", ")}`, parseChecks, scanChecks)
    .addOption(
      new Option(
        "--workloads <which>",
        "pods that Kyverno policies see: those that autogen reaches, or all, custom kinds included",
      )
        .choices(["autogen", "all"])
        .default("autogen"),
    )
    .addOption(
      new Option(
        "--render <which>",
        "Helm charts and kustomizations to render: folders that were named, all that are met, or none",
      )
        .choices(["given", "all", "never"])
        .default("given"),
    )
    .option("--passes", "report passed and skipped results, too")
    .action((paths: readonly string[], flags: ScanFlags) => runScan(paths, flags, context));
}
