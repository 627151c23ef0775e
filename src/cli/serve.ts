import { type Command, InvalidArgumentError, Option } from "commander";
import { usualTimeoutSeconds } from "../services/admission/policy-groups.ts";
import { type CommandContext, collect, describedCommand } from "./command.ts";
import { runServe, type ServeFlags } from "./run-serve.ts";
import { addGatewayOptions } from "./serve-gateway.ts";
import { retentionDays } from "./serve-retention.ts";
import { logFormats } from "./server-log.ts";

export function createCommand(context: CommandContext): Command {
  const command = describedCommand(
    "serve",
    "Governs a cluster: judges at admission, keeps checking what runs, keeps the evidence.",
    [
      ["castellan serve --policies policies/ --context staging", "with policies from files and from the cluster"],
      ["castellan serve --context staging --context production", "two clusters in one console"],
      ["DATABASE_URL=postgresql://... castellan serve --policies policies/", "several replicas share a PostgreSQL"],
    ],
  )
    .addOption(
      new Option("--files <path>", "governs these manifests instead of a cluster; repeatable")
        .argParser(collect)
        .conflicts(["context", "kubeconfig", "clusters"]),
    )
    .option("--audit-log <path>", "takes a recorded audit log into the ledger at the start; repeatable", collect)
    .option(
      "--flows <[cluster=]file>",
      "follows a log of flows (Hubble's exporter, Calico, ...) of the named cluster, else of the first one; repeatable",
      collect,
    )
    .option("--listen <address>", "where the console and the API are: host:port", "127.0.0.1:8080")
    .option("--identities <file>", "who may log in and with which role: an OIDC issuer, or users for development")
    .option("--insecure-development-identities", "lets development users in where the address is not loopback")
    .option("--tls-certificate <file>", "PEM: the console and the API by TLS")
    .option("--tls-key <file>", "PEM: the certificate's key")
    .option(
      "--policies <path>",
      "policies to enforce beside those in the cluster: files or a Git checkout, followed as they change; repeatable",
      collect,
    )
    .option(
      "--desired <[cluster=]path>",
      "what is declared for the named cluster, or the only one: what is live and not so is a finding; followed; repeatable",
      collect,
    )
    .option("--data <directory>", "the embedded database, keys and certificates", ".castellan")
    .option("--context <name>", "the kubeconfig context of a cluster, else the current one; repeatable", collect)
    .option("--kubeconfig <file>", "a kubeconfig file, instead of the usual places")
    .option(
      "--clusters <file>",
      "registered clusters to govern as well (castellan cluster add), else those in <data>/clusters.yaml",
    )
    .option("--webhook-listen <address>", "where the API server's calls are taken: host:port", "127.0.0.1:9443")
    .option("--webhook-url <url>", "how the API server reaches that from outside the cluster; else https://<webhook-listen>")
    .option("--webhook-service <namespace/name>", "how it reaches it inside the cluster: a Service with port 443")
    .option(
      "--webhook-timeout <seconds>",
      "how long a request waits for policies that do not say it themselves: 1 to 30",
      seconds,
      usualTimeoutSeconds,
    )
    .option(
      "--webhook-certificates <directory>",
      "tls.crt, tls.key and ca.crt, as cert-manager keeps them; else they are made here",
    )
    .option(
      "--webhook-client-ca <file>",
      "PEM: reviews are taken only with a client certificate of this authority, which the API server is given by its AdmissionConfiguration",
    )
    .option("--webhook-client-name <name>", "the common name that such a certificate must have; repeatable", collect)
    .option("--audit-token <file>", "the token of audit webhooks and senders of flows; else one is made in <data>/audit-token")
    .option("--ledger-key <file>", "PEM: the Ed25519 key that signs the ledger, which replicas share; else one is made in <data>")
    .option("--retain <days>", "removes records of the ledger that are older, once a day: 365d; else never", retentionDays)
    .option(
      "--lease-namespace <name>",
      "where replicas that share a PostgreSQL agree who leads; else that of --webhook-service, or default",
    )
    .addOption(new Option("--log-format <format>", "for people, or one JSON object a line").choices(logFormats).default("text"))
    .option("--take-over-webhooks", "takes the webhooks of a cluster from another server that holds them")
    .option("--no-webhook", "judges nothing at admission")
    .option("--events", "tells of new findings of your policies by Kubernetes Events, which kubectl describe shows")
    .option(
      "--allow-calls <url>",
      "policies may call this service outside the API server, by what its URLs begin with; repeatable",
      callsTo,
    )
    .option(
      "--allow-registry <host>",
      "policies may ask this registry about images and their signatures, as images name it (ghcr.io, docker.io); repeatable",
      collect,
    )
    .option("--registry-config <file>", "credentials for registries, as docker login writes them")
    .option(
      "--sigstore-trusted-root <file>",
      "whose word about who signed an image counts: a trusted_root.json of Sigstore, or of your own authority and log",
    )
    .option(
      "--access <path>",
      "access rules, guardrails, schedules and the directory, followed as they change, and who is notified; repeatable",
      collect,
    )
    .option("--review-every <days>", "begins an access review of all bindings so often", days)
    .option("--grant-rolebindings", "sessions may be role bindings, for people who work without the gateway")
    .option("--recordings-keep <days>", "removes what recorded sessions showed so long after their end; else never", days)
    .option("--recordings-input", "records what people type, too, passwords included")
    .option("--recordings-fail-open", "lets sessions go on that cannot be recorded; that is recorded");
  return addGatewayOptions(command).action((flags: ServeFlags) => runServe(flags, context));
}

function callsTo(text: string, before: readonly URL[] = []): readonly URL[] {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "" || url.hash !== "")
    throw new InvalidArgumentError("write a URL such as https://scores.mlops.svc/v1");
  return [...before, url];
}

function seconds(text: string): number {
  if (!/^([1-9]|[12]\d|30)$/.test(text)) throw new InvalidArgumentError("write a number of seconds from 1 to 30");
  return Number(text);
}

function days(text: string): number {
  const count = Number(text);
  if (!/^\d{1,4}$/.test(text) || count === 0) throw new InvalidArgumentError("write a number of days");
  return count;
}
