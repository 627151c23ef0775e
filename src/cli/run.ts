import { Command, CommanderError } from "commander";
import { type CommandContext, type CommandModule, UnansweredError, UsageError } from "./command.ts";
import { type ExitCode, exitCodes } from "./exit-code.ts";
import type { Io } from "./io.ts";

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** Every command; its module is loaded when it is used. */
const entries: readonly Entry[] = [
  { name: "init", summary: "Look at a cluster, and propose what to begin with", load: () => import("./init.ts") },
  { name: "scan", summary: "Check manifests or a cluster against policies", load: () => import("./scan.ts") },
  { name: "test", summary: "Run policy tests", load: () => import("./test.ts") },
  { name: "policy", summary: "Lint, show, explain and compare policies", load: () => import("./policy.ts") },
  { name: "cel", summary: "Evaluate a CEL expression on objects", load: () => import("./cel.ts") },
  { name: "rego", summary: "Evaluate, check and parse Rego", load: () => import("./rego.ts") },
  { name: "net", summary: "Ask, explain, draw, compare and propose network policies", load: () => import("./net.ts") },
  { name: "rbac", summary: "Simulate, audit and reduce permissions", load: () => import("./rbac.ts") },
  { name: "serve", summary: "Govern a cluster: admission, background checks, evidence", load: () => import("./serve.ts") },
  { name: "cluster", summary: "Register the clusters that a server governs", load: () => import("./cluster.ts") },
  { name: "request", summary: "Ask for access, and wait for it", load: () => import("./request.ts") },
  { name: "approve", summary: "Approve a request for access", load: async () => (await import("./decide.ts")).approve },
  { name: "deny", summary: "Deny a request for access", load: async () => (await import("./decide.ts")).deny },
  { name: "revoke", summary: "End a request or a grant at once", load: async () => (await import("./decide.ts")).revoke },
  { name: "access", summary: "Prepare a cluster for grants; locks, messages, recordings", load: () => import("./access.ts") },
  { name: "login", summary: "Log in to a server, for its API and its gateway", load: () => import("./login.ts") },
  { name: "logout", summary: "End a login", load: () => import("./logout.ts") },
  { name: "kubeconfig", summary: "Let kubectl reach clusters through the gateway", load: () => import("./kubeconfig.ts") },
  { name: "kube-credential", summary: "Print a token for kubectl", load: () => import("./kube-credential.ts") },
  { name: "drift", summary: "Compare a cluster with what was declared, and heal it", load: () => import("./drift.ts") },
  { name: "audit", summary: "Query, verify and export the ledger", load: () => import("./audit.ts") },
  { name: "review", summary: "Let owners keep or revoke bindings", load: () => import("./review.ts") },
  { name: "store", summary: "Back up, move and prune the database", load: () => import("./store.ts") },
  { name: "metrics", summary: "Find alerts that can never fire", load: () => import("./metrics.ts") },
  { name: "completion", summary: "Print the shell completion script", load: () => import("./completion.ts") },
];

/** Runs one command line (without node and script) and answers with the exit code. */
export async function run(argv: readonly string[], version: string, io: Io): Promise<ExitCode> {
  let code: ExitCode = exitCodes.clean;
  const context: CommandContext = {
    io,
    version,
    exit: (wanted) => {
      code = wanted;
    },
  };
  try {
    const program = await createProgram(
      argv.find((a) => !a.startsWith("-")),
      context,
    );
    if (argv.length === 0) io.out(program.helpInformation());
    else await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.clean : exitCodes.usage;
    if (!(error instanceof UsageError || error instanceof UnansweredError)) throw error;
    for (const line of error.message.split("\n")) io.err(`castellan: ${line}\n`);
    return error instanceof UsageError ? exitCodes.usage : exitCodes.incomplete;
  }
  return code;
}

/** The whole program; only the commands in `used` (all where it is "*") are loaded, the others are known by name. */
export async function createProgram(used: string | undefined, context: CommandContext): Promise<Command> {
  const program = new Command("castellan")
    .description("The governor of a Kubernetes AI platform: policies, RBAC, network, access and evidence in one engine.")
    .version(context.version)
    .helpCommand("help [command]", "Show help for a command")
    .addHelpText("after", "\nExit codes: 0 clean, 1 findings, 2 not everything could be checked, 3 wrong command line.");
  for (const entry of entries) {
    const wanted = used === "*" || used === entry.name || used === "help";
    const command = wanted ? (await entry.load()).createCommand(context) : new Command(entry.name).description(entry.summary);
    program.addCommand(command.summary(entry.summary));
  }
  withOutput(program, context.io);
  return program;
}

/** Commander writes through `io` and throws instead of ending the process; subcommands do not inherit this. */
function withOutput(command: Command, io: Io): void {
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err, getOutHelpWidth: () => io.outColumns ?? 80 });
  for (const child of command.commands) withOutput(child, io);
}
