import { type Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../core/duration.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import {
  actOnRequest,
  type CreateFlags,
  createRequest,
  type ListFlags,
  listRequests,
  type OutputFlags,
  showRequest,
  type WaitFlags,
  waitForRequest,
} from "./run-request.ts";

/** `90m`, `2h`, `7d` in milliseconds. */
export function spanOf(text: string): number {
  const days = /^(\d+)d$/.exec(text)?.[1];
  const nanoseconds = days === undefined ? parseDuration(text) : undefined;
  const milliseconds = days === undefined ? Number(nanoseconds ?? 0n) / 1e6 : Number(days) * 86_400_000;
  if (!(milliseconds >= 1000)) throw new InvalidArgumentError("must be a duration: 90m, 2h, 7d.");
  return Math.floor(milliseconds);
}

/** Which server is asked, and how its answer is written. */
export function withServer(command: Command): Command {
  return command
    .option("--server <url>", "the server; else CASTELLAN_SERVER, the one you are logged in to, or the one on this machine")
    .option("--data <directory>", "the data directory of a server on this machine", ".castellan")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"));
}

const exits = "\nExit codes: 0 granted, 1 refused or over, 2 not decided in time, 3 wrong command line or no server.";

export function createCommand(context: CommandContext): Command {
  const root = describedCommand("request", "Asks for access: one call, a while in a namespace, an exception from a policy.", [
    ['castellan request create --session ml-oncall -n prod --for 2h --reason "INC-1204"', "a rule's role for two hours"],
    ["castellan request wait 01J...", "until somebody has decided"],
    ["castellan request list --to-decide", "what waits for you"],
  ]);
  return root
    .addCommand(createSubcommand(context))
    .addCommand(listSubcommand(context))
    .addCommand(
      withServer(
        describedCommand("show", "One request: what exactly, why, who must agree, what it changes, what it could lead to.", [
          ["castellan request show 01J...", "for people"],
          ["castellan request show 01J... -o json", "for programs"],
        ]).argument("<id>", "the request"),
      ).action((id: string, flags: OutputFlags) => showRequest(id, flags, context)),
    )
    .addCommand(
      withServer(
        describedCommand("wait", "Waits until a request is decided.", [
          ["castellan request wait 01J... && kubectl delete pod web-0 -n prod", "and then does it"],
          ["castellan request wait 01J... --timeout 10m", "no longer than that"],
        ])
          .argument("<id>", "the request")
          .option("--timeout <time>", "no longer than that: 90s, 10m; else until it is decided or lapses", spanOf)
          .addHelpText("after", exits),
      ).action((id: string, flags: WaitFlags) => waitForRequest(id, flags, context)),
    )
    .addCommand(
      withServer(
        describedCommand("cancel", "Takes an own request back before it is decided.", [
          ["castellan request cancel 01J...", "it is no longer needed"],
        ]).argument("<id>", "the request"),
      ).action((id: string, flags: OutputFlags) => actOnRequest(id, "cancel", {}, flags, context)),
    );
}

function createSubcommand(context: CommandContext): Command {
  const command = describedCommand("create", "Opens a request. What it is for is exactly one of the options below.", [
    ['castellan request create -n prod --reason "stuck" -- delete pod web-0', "what that kubectl command sends"],
    ['castellan request create --from-manifest fix.yaml --reason "INC-7"', "what kubectl apply --server-side sends"],
    ["castellan request create --session ml-oncall -n prod --for 2h --wait", "a while in a namespace, and waits"],
    [
      "castellan request create --exception kyverno.io/ClusterPolicy/require-team --object Deployment/web -n prod --for 7d",
      "an exception",
    ],
  ])
    .summary("Open a request")
    .argument("[kubectl...]", "after --: a kubectl command: delete, scale, get")
    .option("--from-manifest <file>", "apply the objects of this file, a request for each")
    .option("--session <rule>", "the role of this access rule in the namespace")
    .option("--exception <policy>", "one object may break this policy")
    .option("--target <path>", "a call's path and query, as it is sent")
    .option("--method <method>", "with --target: its method")
    .option("--content-type <type>", "with --target: the type of its body")
    .option("--body <file>", "with --target: its body, byte for byte")
    .option("-n, --namespace <name>", "where; default unless told")
    .option("--for <time>", "a session's length (1h), an exception's time (7d)", spanOf)
    .addOption(new Option("--mode <mode>", "how a session works").choices(["gateway", "rolebinding"]).default("gateway"))
    .option("--object <kind/name>", "with --exception: of which object")
    .option("--api-version <version>", "with --exception: where its kind is not built in")
    .option("--policy-rule <name>", "with --exception: only this rule of the policy; repeatable", collect)
    .option("--reason <text>", "why; who decides reads it")
    .option("--rule <name>", "under this access rule, where several offer it")
    .option("--cluster <name>", "where several clusters are governed")
    .option("--break-glass", "take it at once, where a rule allows that: others are told at once, and it is reviewed")
    .option("--wait [time]", "wait for the decision, no longer than that", spanOf)
    .addHelpText("after", `\nWithout --wait it is 0 once the request is open.${exits}`);
  return withServer(command).action((words: readonly string[], flags: CreateFlags) => createRequest(words, flags, context));
}

function listSubcommand(context: CommandContext): Command {
  const command = describedCommand("list", "Own requests, newest first.", [
    ["castellan request list", "own ones"],
    ["castellan request list --to-decide", "those that you may decide now"],
    ["castellan request list --to-review", "break-glass that nobody has looked at"],
    ["castellan request list --all --phase granted", "all that you may see; auditors see every one"],
  ])
    .option("--to-decide", "those that you may decide now")
    .option("--to-review", "break-glass that you may look at now: its rule's approvals name you")
    .option("--all", "all that you may see")
    .addOption(
      new Option("--phase <phase>", "only these").choices(["pending", "granted", "denied", "cancelled", "lapsed", "ended"]),
    )
    .option("--limit <n>", "so many", Number, 50);
  return withServer(command).action((flags: ListFlags) => listRequests(flags, context));
}
