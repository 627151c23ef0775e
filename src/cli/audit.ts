import { Command, InvalidArgumentError, Option } from "commander";
import { exportFormats } from "../services/audit/export.ts";
import { savedQueryNames } from "../services/audit/saved-queries.ts";
import { usualLearning } from "../services/audit/unusual-use.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import {
  type ExportFlags,
  type IngestFlags,
  type ProofFlags,
  type QueryFlags,
  runCheckpoint,
  runExport,
  runIngest,
  runProof,
  runQuery,
  runRotateKey,
  runTail,
  runVerify,
  type StoreFlags,
  type VerifyFlags,
} from "./run-audit.ts";
import { runUnusual, type UnusualFlags } from "./run-unusual.ts";

export function createCommand(context: CommandContext): Command {
  return new Command("audit")
    .description("The ledger: who did what, kept so that no record can be changed or removed unseen.")
    .addCommand(queryCommand(context))
    .addCommand(tailCommand(context))
    .addCommand(unusualCommand(context))
    .addCommand(verifyCommand(context))
    .addCommand(checkpointCommand(context))
    .addCommand(proofCommand(context))
    .addCommand(exportCommand(context))
    .addCommand(ingestCommand(context))
    .addCommand(rotateCommand(context));
}

function withStore(command: Command): Command {
  return command.option(
    "--data <directory>",
    "where the embedded database and the keys are; DATABASE_URL names a PostgreSQL",
    ".castellan",
  );
}

function withFilter(command: Command): Command {
  return withStore(command)
    .option("--kind <kind>", "audit.event, admission.decision, ...; repeatable", collect)
    .option("--actor <user>", "who; repeatable, a trailing * matches the rest", collect)
    .option("--verb <verb>", "repeatable", collect)
    .option("--group <group>", 'API group, "" for the core group; repeatable', collect)
    .option("--resource <resource>", "plural, with its subresource: pods/exec; repeatable", collect)
    .option("-n, --namespace <name>", "repeatable", collect)
    .option("--name <name>", "repeatable", collect)
    .option("--on <cluster>", "repeatable", collect)
    .option("--outcome <outcome>", "HTTP status code, allow, deny, ...; repeatable", collect)
    .option("--since <time>", "RFC 3339, or a duration before now: 24h, 7d")
    .option("--until <time>", "RFC 3339, or a duration before now")
    .addOption(new Option("--saved <question>", "one of the questions auditors ask").choices([...savedQueryNames]));
}

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number, 1 or more.");
  return value;
};

const index = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError("must be a record's number, 0 or more.");
  return value;
};

function queryCommand(context: CommandContext): Command {
  const command = describedCommand("query", "The records that match, newest first.", [
    ["castellan audit query --saved rbac-changes --since 7d", "who changed roles and bindings"],
    ["castellan audit query --actor ada@example.com --resource secrets", "what one person did with secrets"],
    ["castellan audit query --saved denied -o json", "for other programs"],
  ]).summary("Who did what, where and when");
  return withFilter(command)
    .option("--limit <n>", "records at most", positive, 100)
    .option("--before <seq>", "only records before this one: the next page", index)
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table"))
    .action((flags: QueryFlags) => runQuery(flags, context));
}

function tailCommand(context: CommandContext): Command {
  const command = describedCommand("tail", "The newest records, and those that come, until interrupted.", [
    ["castellan audit tail --outcome deny", "refusals as they happen"],
  ]).summary("Records as they come");
  return withFilter(command).action((flags: QueryFlags) => runTail(flags, context));
}

function unusualCommand(context: CommandContext): Command {
  const command = describedCommand(
    "unusual",
    "What subjects did that they had not done before: a verb, an hour, a program, many secrets at once.",
    [
      ["castellan audit unusual --since 24h", "of the last day, against the month before"],
      ["castellan audit unusual --learn 14d -o json", "with the records that show it"],
    ],
  ).summary("Use that its subject had not shown before");
  return withStore(command)
    .option("--since <time>", "RFC 3339, or a duration before now", "7d")
    .option("--learn <duration>", "how long a subject is watched before it can be unusual", "30d")
    .option("--bulk <n>", "so many secrets read within ten minutes are many", positive, usualLearning.bulkSecrets)
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table"))
    .action((flags: UnusualFlags) => runUnusual(flags, context));
}

function verifyCommand(context: CommandContext): Command {
  const command = describedCommand("verify", "Whether every record is the one that was written: exit 1 where one is not.", [
    ["castellan audit verify", "with the keys beside the database"],
    ["castellan audit verify --keys trusted.txt --checkpoint yesterday.txt", "against a key and a checkpoint kept elsewhere"],
  ]).summary("Prove that nothing was changed, removed or reordered");
  return withStore(command)
    .option("--keys <file>", "public keys to trust, one a line; else ledger-keys.txt beside the database")
    .option("--checkpoint <file>", "a checkpoint that was kept elsewhere; repeatable", collect)
    .addOption(new Option("-o, --output <format>", "how to answer").choices(["table", "json"]).default("table"))
    .action((flags: VerifyFlags) => runVerify(flags, context));
}

function checkpointCommand(context: CommandContext): Command {
  const command = describedCommand(
    "checkpoint",
    "The newest signed checkpoint: kept elsewhere, it shows later what was cut off.",
    [["castellan audit checkpoint > yesterday.txt", "for audit verify --checkpoint yesterday.txt"]],
  ).summary("What the ledger is now, signed, to be kept elsewhere");
  return withStore(command).action((flags: StoreFlags) => runCheckpoint(flags, context));
}

function proofCommand(context: CommandContext): Command {
  const command = describedCommand("proof", "A record with its inclusion proof and the signed checkpoint, as JSON.", [
    ["castellan audit proof 4711 > proof.json", "evidence for one event"],
    ["castellan audit proof --check proof.json --keys trusted.txt", "checked without the database"],
  ]).summary("Evidence for one record, checked offline");
  return withStore(command)
    .argument("[seq]", "the record's number", index)
    .option("--check <file>", "check a proof instead")
    .option("--keys <file>", "public keys to trust, one a line; else ledger-keys.txt beside the database")
    .action((seq: number | undefined, flags: ProofFlags) => runProof(seq, flags, context));
}

function exportCommand(context: CommandContext): Command {
  const command = describedCommand("export", "All matching records, oldest first, one a line.", [
    ["castellan audit export --format ocsf --since 24h", "for a SIEM"],
    ["castellan audit export > ledger.jsonl", "the records as the tree holds them"],
  ]).summary("Records for other systems");
  return withFilter(command)
    .addOption(
      new Option("--format <format>", "jsonl, OCSF 1.8 API Activity, OTLP/JSON logs")
        .choices([...exportFormats])
        .default("jsonl"),
    )
    .action((flags: ExportFlags) => runExport(flags, context));
}

function ingestCommand(context: CommandContext): Command {
  const command = describedCommand(
    "ingest",
    "Takes Kubernetes audit logs into the ledger; events that are there already are left.",
    [
      ["castellan audit ingest --cluster prod audit.log", "files, gzipped ones, folders"],
      ["kubectl logs ... | castellan audit ingest --cluster prod -", "standard input"],
    ],
  ).summary("Take in Kubernetes audit logs");
  return withStore(command)
    .argument("<logs...>", "files, folders, - for standard input")
    .option("--cluster <name>", "which cluster they are from", "default")
    .option("--ledger-key <file>", "PEM: the key that signs the ledger, as the server has it; else the one in <data>")
    .action((paths: readonly string[], flags: IngestFlags) => runIngest(paths, flags, context));
}

function rotateCommand(context: CommandContext): Command {
  const command = describedCommand("rotate-key", "Signs from now on with a new key; what the old one signed stays verifiable.", [
    ["castellan audit rotate-key", "the server takes it up when it starts"],
  ]).summary("A new signing key");
  return withStore(command).action((flags: StoreFlags) => runRotateKey(flags, context));
}
