import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { type TemplateName, templateNames, templates } from "../analysis/rbac/template.ts";
import { unitMilliseconds } from "../core/duration.ts";
import { severities } from "../core/finding.ts";
import { formatters } from "../report/index.ts";
import { type CommandContext, collect, describedCommand, pathsArgument, withPaths } from "./command.ts";
import type { RbacFlags } from "./rbac-input.ts";
import { type LeastPrivilegeFlags, runLeastPrivilege } from "./run-least-privilege.ts";
import { type CanIFlags, type MatrixFlags, runCanI, runMatrix, runWhoCan, type WhoCanFlags } from "./run-rbac.ts";
import { type ApplyFlags, runApply } from "./run-rbac-apply.ts";
import { type AuditFlags, runAudit } from "./run-rbac-audit.ts";
import { type DedupeFlags, runDedupe, runDiff, runTemplate, type TemplateFlags } from "./run-rbac-change.ts";
import { type PathsFlags, runPaths } from "./run-rbac-paths.ts";

const worstFirst = severities.toReversed();

export function createCommand(context: CommandContext): Command {
  return new Command("rbac")
    .description("Simulate, audit and reduce permissions: who may do what, by which rule, and what follows from it.")
    .addCommand(canICommand(context))
    .addCommand(whoCanCommand(context))
    .addCommand(matrixCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(pathsCommand(context))
    .addCommand(leastPrivilegeCommand(context))
    .addCommand(diffCommand(context))
    .addCommand(dedupeCommand(context))
    .addCommand(applyCommand(context))
    .addCommand(templateCommand(context));
}

/** Where roles and bindings come from, and how the answer is written. */
function withInput(command: Command): Command {
  return withSources(command).addOption(outputOption());
}

function outputOption(): Option {
  return new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table");
}

function withSources(command: Command): Command {
  return command
    .argument(...pathsArgument)
    .option("-f, --file <path>", "the same as a path; repeatable", collect)
    .option("-c, --cluster", "the cluster of the current kubeconfig context")
    .option("--context <name>", "another kubeconfig context")
    .option("--identities <file>", "groups of users, as the identity provider gives them");
}

function canICommand(context: CommandContext): Command {
  const command = describedCommand("can-i", "Whether somebody may: the answer, and the rule and binding that give it.", [
    ["castellan rbac can-i get pods --as ada@example.com -n nlp rbac/", "from manifests"],
    ["castellan rbac can-i create pods --subresource exec --as system:serviceaccount:nlp:api -c", "from the cluster"],
    ["castellan rbac can-i get /metrics --as ada@example.com -c", "a path of the API server"],
  ])
    .summary("Whether somebody may do something, and why")
    .argument("<verb>", "get, list, create, impersonate, ...")
    .argument("<resource>", "TYPE[.GROUP][/NAME] or a path")
    .requiredOption("--as <user>", "who asks; system:serviceaccount:NAMESPACE:NAME for a service account")
    .option("--as-group <group>", "a group of theirs; repeatable", collect)
    .option("--subresource <name>", "such as log, exec, status")
    .option("-n, --namespace <name>", "where", "default")
    .option("-A, --all-namespaces", "in every namespace at once")
    .option("--explain", "on a no, the nearest rule that fails");
  return withInput(command).action((verb: string, resource: string, paths: readonly string[], flags: CanIFlags) =>
    runCanI(verb, resource, withPaths(flags, paths), context),
  );
}

function whoCanCommand(context: CommandContext): Command {
  const command = describedCommand("who-can", "Everybody who may, with the binding and the role that give it.", [
    ["castellan rbac who-can list secrets -n nlp rbac/", "in one namespace"],
    ["castellan rbac who-can create pods --subresource exec -A -c", "in any namespace"],
    ["castellan rbac who-can impersonate users -c", "verbs that kubectl does not list, too"],
  ])
    .summary("Everybody who may do something")
    .argument("<verb>", "get, list, create, impersonate, escalate, bind, ...")
    .argument("<resource>", "TYPE[.GROUP][/NAME] or a path")
    .option("--subresource <name>", "such as log, exec, status")
    .option("-n, --namespace <name>", "where", "default")
    .option("-A, --all-namespaces", "rights in any namespace count");
  return withInput(command).action((verb: string, resource: string, paths: readonly string[], flags: WhoCanFlags) =>
    runWhoCan(verb, resource, withPaths(flags, paths), context),
  );
}

function matrixCommand(context: CommandContext): Command {
  const command = describedCommand("matrix", "Subjects and their sensitive rights over all namespaces.", [
    ["castellan rbac matrix rbac/", "of manifests"],
    ["castellan rbac matrix -c -o json", "of the cluster, for scripts"],
  ])
    .summary("Subjects and their sensitive rights")
    .option("--include-system", "also what Kubernetes' own bindings give");
  return withInput(command).action((paths: readonly string[], flags: MatrixFlags) => runMatrix(withPaths(flags, paths), context));
}

function auditCommand(context: CommandContext): Command {
  const command = describedCommand(
    "audit",
    "Rights that lead further than they say, and what is untidy; with the rule, the binding and a fix.",
    [
      ["castellan rbac audit rbac/", "of manifests; scan says the same"],
      ["castellan rbac audit -c -o sarif", "of the cluster"],
      ["castellan rbac audit -c --include-system", "also what Kubernetes gives to itself"],
    ],
  )
    .summary("Find dangerous and untidy rights")
    .option("--include-system", "also what Kubernetes' own roles and bindings give")
    .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(formatters)).default("table"))
    .option("--output-file <file>", "write the report there, and only a summary to the terminal")
    .addOption(
      new Option("--fail-on <level>", "exit with 1 on findings at or over").choices([...worstFirst, "never"]).default("low"),
    )
    .option("--explain", "say why: the evidence, the field, the patch");
  return withSources(command).action((paths: readonly string[], flags: AuditFlags) => runAudit(withPaths(flags, paths), context));
}

function pathsCommand(context: CommandContext): Command {
  const command = describedCommand(
    "paths",
    "How identities become more than they are, hop by hop, with the binding behind each; and which binding to cut.",
    [
      ["castellan rbac paths manifests/", "everybody's shortest way to cluster-admin"],
      ["castellan rbac paths -c --from nlp/default --to secrets", "one account, another target"],
      ["castellan rbac paths -c --to node -o json", "for scripts"],
    ],
  )
    .summary("Find ways to escalate")
    .option("--from <subject>", "NAMESPACE/NAME of a service account, group:NAME, or a user")
    .option("--to <target>", "cluster-admin, secrets, node, or a subject", "cluster-admin")
    .option("--top <number>", "how many to show in a table", parseCount, 10);
  return withInput(command).action((paths: readonly string[], flags: PathsFlags) => runPaths(withPaths(flags, paths), context));
}

function parseCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return count;
}

function leastPrivilegeCommand(context: CommandContext): Command {
  const command = describedCommand(
    "least-privilege",
    "Roles that allow what was done, and nothing else; rights that nobody used.",
    [
      ["castellan rbac least-privilege --audit-log audit.log --subject nlp/api -c", "one service account"],
      ["castellan rbac least-privilege --audit-log logs/ --all rbac/ --verify", "everybody, replayed"],
      ["zcat audit.gz | castellan rbac least-privilege --audit-log - --all -c --proposal p.yaml", "for rbac apply"],
    ],
  )
    .summary("Derive minimal roles from an audit log")
    .requiredOption("--audit-log <path>", "a file, gzipped or not, a folder of them, or -; repeatable", collect)
    .option("--subject <subject>", "a user, or sa:NAMESPACE:NAME; repeatable", collect)
    .option("--all", "everybody in the log but the control plane")
    .option("--window <duration>", "only what was done in so long before the newest event, such as 30d or 12h", parseWindow)
    .option("--verify", "replay the log against the proposal; fail on a new denial")
    .option(
      "--proposal <file>",
      "verify, and write what rbac apply takes: the new objects, and the end of those that they replace",
    );
  return withInput(command).action((paths: readonly string[], flags: LeastPrivilegeFlags) =>
    runLeastPrivilege(withPaths(flags, paths), context),
  );
}

function parseWindow(value: string): number {
  const [, number = "", unit = ""] = /^(\d+)([hdw])$/.exec(value) ?? [];
  const length = unitMilliseconds[unit];
  if (length === undefined) throw new InvalidArgumentError("It must be a number of hours, days or weeks, such as 30d.");
  return Number(number) * length;
}

function diffCommand(context: CommandContext): Command {
  return describedCommand("diff", "Who gains and who loses which rights between two sets of objects.", [
    ["castellan rbac diff before.yaml after.yaml", "in words; exits with 1 where anything changes"],
    ["castellan rbac diff main/ branch/ -o json", "for scripts"],
  ])
    .summary("Who gains and loses what")
    .argument("<before>", "a file or folder")
    .argument("<after>", "a file or folder")
    .option("--identities <file>", "groups of users, as the identity provider gives them")
    .addOption(outputOption())
    .action((before: string, after: string, flags: Pick<RbacFlags, "identities" | "output">) =>
      runDiff(before, after, flags, context),
    );
}

function dedupeCommand(context: CommandContext): Command {
  const command = describedCommand(
    "dedupe",
    "Equal and subsumed roles, redundant bindings; and a proposal that changes nobody's rights.",
    [
      ["castellan rbac dedupe rbac/", "of manifests"],
      ["castellan rbac dedupe -c --proposal cleanup.yaml", "of the cluster, for rbac apply"],
    ],
  )
    .summary("Find superfluous roles and bindings")
    .option("--proposal <file>", "write what rbac apply takes, where it is proven");
  return withInput(command).action((paths: readonly string[], flags: DedupeFlags) => runDedupe(withPaths(flags, paths), context));
}

function templateCommand(context: CommandContext): Command {
  const about = templateNames.map((name) => `  ${name.padEnd(15)} ${templates[name].about}`).join("\n");
  return describedCommand("template", `Roles for an AI project, with a proof of what they give and what they do not:\n${about}`, [
    ["castellan rbac template data-scientist -n nlp --group nlp@example.com", "objects and proof"],
    ["castellan rbac template ci-cd -n nlp -o yaml | kubectl apply -f -", "objects alone"],
  ])
    .summary("Make roles for an AI project")
    .addArgument(new Argument("<template>", "whose role").choices(templateNames))
    .requiredOption("-n, --namespace <name>", "of the project")
    .option("--group <name>", "who holds a role made for people; NAMESPACE-TEMPLATE unless told")
    .addOption(outputOption())
    .action((template: TemplateName, flags: TemplateFlags) => runTemplate(template, flags, context));
}

function applyCommand(context: CommandContext): Command {
  return describedCommand("apply", "Preview a change of rights, check it with the API server, and apply it with a way back.", [
    ["castellan rbac apply proposal.yaml", "what would change; the server validates, nothing is stored"],
    ["castellan rbac apply proposal.yaml --dry-run=none", "apply; the undo file is written first"],
    ["castellan rbac apply castellan-undo.yaml --dry-run=none", "put everything back"],
  ])
    .summary("Apply a change of rights, with an undo file")
    .argument(
      "<proposal>",
      "service accounts, roles and bindings to apply; or an RbacProposal, which deletes, too; or an undo file",
    )
    .option("--context <name>", "another kubeconfig context")
    .addOption(
      new Option("--dry-run <where>", "server: store nothing; none: apply").choices(["server", "none"]).default("server"),
    )
    .option("--undo-file <file>", "where to write what puts the cluster back; castellan-undo.yaml unless told")
    .addOption(outputOption())
    .action((proposal: string, flags: ApplyFlags) => runApply(proposal, flags, context));
}
