import { Command, InvalidArgumentError, Option } from "commander";
import { flowFormatNames } from "../analysis/network/flows/formats.ts";
import { cniProfiles } from "../analysis/network/model.ts";
import { policyTargets } from "../analysis/network/suggest/write-policies.ts";
import { severities } from "../core/finding.ts";
import { formatters } from "../report/index.ts";
import { type CommandContext, collect, describedCommand, pathsArgument, withPaths } from "./command.ts";
import { tableFormats } from "./net-output.ts";
import { type NetAuditFlags, runNetAudit } from "./run-net-audit.ts";
import { type CanFlags, runCan } from "./run-net-can.ts";
import { type DiffFlags, diffFormats, type ExposureFlags, runDiff, runExposure } from "./run-net-change.ts";
import { type GraphFlags, graphFormats, runGraph } from "./run-net-graph.ts";
import { type ListFlags, type MatrixFlags, runList, runMatrix } from "./run-net-list.ts";
import { type MinimiseFlags, runMinimise } from "./run-net-minimise.ts";
import { type ReplayFlags, runReplay } from "./run-net-replay.ts";
import { runSuggest, type SuggestFlags } from "./run-net-suggest.ts";
import { runNetTest, type TestFlags } from "./run-net-test.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("net")
    .description("Who can talk to whom by network policies: asked, explained, drawn, compared, proposed.")
    .addCommand(canCommand(context))
    .addCommand(listCommand(context))
    .addCommand(matrixCommand(context))
    .addCommand(graphCommand(context))
    .addCommand(exposureCommand(context))
    .addCommand(auditCommand(context))
    .addCommand(diffCommand(context))
    .addCommand(testCommand(context))
    .addCommand(suggestCommand(context))
    .addCommand(replayCommand(context))
    .addCommand(minimiseCommand(context));
}

/** Where objects come from, by position too, and what they do not say. */
function withInput(command: Command): Command {
  return withSources(command.argument(...pathsArgument));
}

/** As `withInput`, for commands whose arguments are something else. */
function withSources(command: Command): Command {
  return command
    .option("-f, --file <path>", "manifests or a dump of a cluster; repeatable, - for standard input", collect)
    .option("-c, --cluster", "the cluster of the current kubeconfig context")
    .option("--context <name>", "another kubeconfig context")
    .option("-n, --namespace <name>", "where objects go that name no namespace", "default")
    .addOption(
      new Option("--cni <name>", "who enforces the policies; answers that depend on it say so")
        .choices(cniProfiles)
        .default("unknown"),
    )
    .option("--pod-cidr <block>", "where pods get their addresses from; repeatable", collect)
    .addOption(
      new Option("--render <which>", "charts and kustomizations to render").choices(["given", "all", "never"]).default("given"),
    );
}

function tableOption(): Option {
  return new Option("-o, --output <format>", "how to answer").choices(tableFormats).default("table");
}

function canCommand(context: CommandContext): Command {
  const command = describedCommand("can", "Whether one may call another: yes, no, or on what it depends, in both directions.", [
    ["castellan net can nlp/gateway nlp/llm-service 8080 manifests/", "exits with 1 on a no"],
    ["castellan net can nlp/api internet 443 manifests/ --explain", "the policies and rules that decide"],
    ["castellan net can monitoring/prometheus nlp/llm -c", "without a port: all that passes"],
  ])
    .summary("Whether one may call another, and why")
    .argument("<from>", "a workload (namespace/name), an address or block, internet, apiserver, node")
    .argument("<to>", "the same, or dns:NAME")
    .argument("[port]", "8080, 53/udp, or the name of a port of the called workload")
    .option("--explain", "every policy that decides, its rules and where they stand")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table"));
  return withInput(command).action(
    (from: string, to: string, third: string | undefined, rest: readonly string[], flags: CanFlags) => {
      const [port, paths] = third !== undefined && isPath(third) ? [undefined, [third, ...rest]] : [third, rest];
      return runCan(from, to, port, withPaths(flags, paths), context);
    },
  );
}

/** What can be no port: `-`, a dot, or a slash that stands before or after no number and no protocol. */
function isPath(word: string): boolean {
  if (word === "-" || word.includes(".")) return true;
  const parts = word.split("/");
  return parts.length > 1 && !parts.some((part) => /^(?:\d+|tcp|udp|sctp|icmp)$/i.test(part));
}

function listCommand(context: CommandContext): Command {
  const command = describedCommand("list", "All that passes, pair by pair.", [
    ["castellan net list manifests/", "restricted pairs; what nobody restricts is told in words"],
    ["castellan net list manifests/ --to nlp/vector-db", "who may call one workload"],
    ["castellan net list -c --all -o csv", "everything"],
  ])
    .summary("All that passes")
    .option("--from <endpoint>", "only from there")
    .option("--to <endpoint>", "only to there")
    .option("--all", "also pairs that nobody restricts")
    .addOption(tableOption());
  return withInput(command).action((paths: readonly string[], flags: ListFlags) => runList(withPaths(flags, paths), context));
}

function matrixCommand(context: CommandContext): Command {
  const command = describedCommand("matrix", "Namespace by namespace: how much of the way is open.", [
    ["castellan net matrix manifests/", "of manifests"],
    ["castellan net matrix -c -o csv", "of the cluster, for a spreadsheet"],
  ])
    .summary("How much is open between namespaces")
    .addOption(tableOption());
  return withInput(command).action((paths: readonly string[], flags: MatrixFlags) => runMatrix(withPaths(flags, paths), context));
}

function graphCommand(context: CommandContext): Command {
  const command = describedCommand(
    "graph",
    "A drawing that can be read: workloads with the same peers as one node, namespaces where there are too many, one hop around a workload.",
    [
      ["castellan net graph manifests/ -o html --output-file network.html", "a page to explore"],
      ["castellan net graph manifests/ --focus nlp/vector-db -o svg > peers.svg", "one workload and its peers"],
      ["castellan net graph -c -o mermaid", "for a page or a pull request"],
    ],
  )
    .summary("Draw who may talk to whom")
    .option("--focus <workload>", "one hop around this one")
    .addOption(new Option("--view <what>", "nodes").choices(["auto", "workloads", "namespaces"]).default("auto"))
    .addOption(new Option("-o, --output <format>", "how to draw").choices(graphFormats).default("mermaid"))
    .option("--output-file <file>", "write it there");
  return withInput(command).action((paths: readonly string[], flags: GraphFlags) => runGraph(withPaths(flags, paths), context));
}

function exposureCommand(context: CommandContext): Command {
  const command = describedCommand(
    "exposure",
    "What is reachable from outside and from the whole cluster, and what may go out.",
    [
      ["castellan net exposure manifests/", "Services, Ingresses, Gateway routes and policies together"],
      ["castellan net exposure -c -o json", "for scripts"],
    ],
  )
    .summary("What is open to the outside and to the whole cluster")
    .addOption(tableOption());
  return withInput(command).action((paths: readonly string[], flags: ExposureFlags) =>
    runExposure(withPaths(flags, paths), context),
  );
}

const worstFirst = severities.toReversed();

function auditCommand(context: CommandContext): Command {
  const command = describedCommand(
    "audit",
    "What is wrong with network policies, with the place, a fix as YAML, and what it changes.",
    [
      ["castellan net audit manifests/", "scan says the same"],
      ["castellan net audit -c -o sarif", "of the cluster"],
      ["castellan net audit manifests/ --explain", "with the evidence and the fix"],
    ],
  )
    .summary("Find what is wrong with network policies")
    .option("--catalogue <path>", "more components; repeatable", collect)
    .addOption(new Option("-o, --output <format>", "how to report").choices(Object.keys(formatters)).default("table"))
    .option("--output-file <file>", "write the report there, and only a summary to the terminal")
    .addOption(
      new Option("--fail-on <level>", "exit with 1 on findings at or over").choices([...worstFirst, "never"]).default("low"),
    )
    .option("--explain", "say why: the evidence, the field, the patch");
  return withInput(command).action((paths: readonly string[], flags: NetAuditFlags) =>
    runNetAudit(withPaths(flags, paths), context),
  );
}

function diffCommand(context: CommandContext): Command {
  const command = describedCommand("diff", "Connections gained and lost, in words; exits with 1 where anything changes.", [
    ["castellan net diff main/ branch/", "two states"],
    ["castellan net diff deny.yaml -f manifests/", "what one file would change"],
    ["castellan net diff proposal.yaml -c -o mermaid", "on the cluster, for a pull request"],
  ])
    .summary("Connections gained and lost")
    .argument("<before>", "a file or folder; with --file or --cluster: what is added to it")
    .argument("[after]", "a file or folder")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(diffFormats).default("table"));
  return withSources(command).action((before: string, after: string | undefined, flags: DiffFlags) =>
    runDiff(before, after, flags, context),
  );
}

function testCommand(context: CommandContext): Command {
  const command = describedCommand("test", "Assertions about the network as data; exits with 1 where one fails.", [
    ["castellan net test assertions.yaml -f manifests/", "from, to, port, expect"],
    ["castellan net test netassert.yaml -f manifests/", "also tests of netassert and truth tables of cyclonus"],
  ])
    .summary("Check assertions about the network")
    .argument("<file...>", "assertions")
    .addOption(tableOption());
  return withSources(command).action((files: readonly string[], flags: TestFlags) => runNetTest(files, flags, context));
}

function flowOptions(command: Command): Command {
  return command
    .option("--flows <path>", "flow logs, gzipped or not, a folder of them, or -; repeatable", collect)
    .addOption(new Option("--format <name>", "of the logs, where their lines do not tell").choices(flowFormatNames));
}

function suggestCommand(context: CommandContext): Command {
  const command = describedCommand(
    "suggest",
    "Policies that let through what was seen, or what the parts of an AI platform need; proven before anything is applied.",
    [
      ["castellan net suggest --intent manifests/", "default deny first, then step by step, each with its difference"],
      ["castellan net suggest --intent manifests/ -o yaml > policies.yaml", "objects to apply"],
      ["castellan net suggest --flows hubble.jsonl -c --target cilium", "from observed flows, replayed on what was held out"],
    ],
  )
    .summary("Propose policies from flows or from intent")
    .option("--intent", "from what the workloads are, by the catalogue of components");
  return withInput(flowOptions(command))
    .addOption(new Option("--target <kind>", "of policies").choices(policyTargets).default("networkpolicy"))
    .option("--in <namespace>", "isolate this one, and not those that the catalogue knows; repeatable", collect)
    .option("--catalogue <path>", "more components; repeatable", collect)
    .option("--default-deny", "with --flows: isolate what was not seen, too")
    .option("--hold-out <share>", "of the time of the logs, to try the proposal on", parseShare, 0.2)
    .option("--step <number>", "with --intent: up to this step", parseStep)
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"))
    .action((paths: readonly string[], flags: SuggestFlags) => runSuggest(withPaths(flags, paths), context));
}

function parseShare(value: string): number {
  const share = Number(value);
  if (!(share >= 0 && share < 1)) throw new InvalidArgumentError("It must be a share of the time, 0 to below 1.");
  return share;
}

function parseStep(value: string): number {
  const step = Number(value);
  if (!Number.isInteger(step) || step < 1) throw new InvalidArgumentError("It must be a whole number above 0.");
  return step;
}

function replayCommand(context: CommandContext): Command {
  const command = describedCommand(
    "replay",
    "Which recorded flows would be denied, by workload and team, before anything is applied.",
    [
      ["castellan net replay --flows flows.jsonl --policies candidate/ manifests/", "exits with 1 where one would be"],
      ["castellan net replay --flows - --policies candidate.yaml --replace -c", "instead of the policies that are there"],
    ],
  )
    .summary("Which recorded flows a policy would deny")
    .option("--policies <path>", "the candidate; repeatable", collect)
    .option("--replace", "without the policies that are there");
  return withInput(flowOptions(command))
    .addOption(tableOption())
    .action((paths: readonly string[], flags: ReplayFlags) => runReplay(withPaths(flags, paths), context));
}

function minimiseCommand(context: CommandContext): Command {
  const command = describedCommand(
    "minimise",
    "Fewer policies and rules that let exactly the same through, proven pair by pair.",
    [
      ["castellan net minimise manifests/", "what can go, and the proof"],
      ["castellan net minimise manifests/ -o yaml", "the smaller policies"],
    ],
  )
    .summary("Find smaller policies that do the same")
    .option("--merge", "also join policies that select the same pods")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"));
  return withInput(command).action((paths: readonly string[], flags: MinimiseFlags) =>
    runMinimise(withPaths(flags, paths), context),
  );
}
