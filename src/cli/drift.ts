import { type Command, InvalidArgumentError, Option } from "commander";
import { deletions } from "../services/drift/heal.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { type DriftFlags, runDrift } from "./run-drift.ts";

const rule = `
What must be declared whole: RBAC; network policies; quotas and limits; the policies of each engine. Where
one object of such a group is declared in a namespace, every object of the group in it must be; where a
cluster-scoped one is declared, every cluster-scoped one. Not those that have an owner, nor the roles and
bindings that the API server makes. Healing deletes what is left over in namespaces; but in those of
Kubernetes (kube-*), of what Helm, Argo CD, Flux, OLM or Castellan deploy, and cluster-scoped, only with --delete all,
and never what has a name or label of Kubernetes' own.
`;

export function createCommand(context: CommandContext): Command {
  return describedCommand("drift", "What is live and not as declared: exit 1 where something differs.", [
    ["castellan drift platform/", "RBAC, network policies, quotas, policies: whatever the directory declares"],
    ["castellan drift platform/ --heal", "what would be changed, asked of the server"],
    ["castellan drift platform/ --heal --yes --undo before.yaml", "changes it, and keeps what was there"],
  ])
    .argument("<paths...>", "declared manifests: files, directories, a Git checkout, whose commit is told")
    .option("--context <name>", "the kubeconfig context of the cluster; else the current one")
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option("-n, --namespace <name>", "of objects that name none; else the context's")
    .option("--heal", "put back what was declared; without --yes it is only tried, as a dry run")
    .option("--yes", "change the cluster, where the server would refuse nothing")
    .addOption(
      new Option(
        "--delete <which>",
        "undeclared objects that healing deletes: in namespaces those that no deployer keeps, all, or none",
      )
        .choices([...deletions])
        .default("namespaced"),
    )
    .option("--undo <file>", "a new file for the objects as they were; else castellan-undo-<time>.yaml")
    .option("--at-most <n>", "change nothing where more than so many objects would be", limit, 20)
    .option("--per-second <n>", "changes at most", limit, 5)
    .option("--on <cluster>", "the cluster, as the ledger names it; else the context's name; repeatable", collect)
    .option("--data <directory>", "the ledger that knows who made a change; DATABASE_URL names a PostgreSQL", ".castellan")
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json", "yaml"]).default("table"))
    .addHelpText("after", rule)
    .action((paths: readonly string[], flags: DriftFlags) => runDrift(paths, flags, context));
}

function limit(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number, 1 or more.");
  return value;
}
