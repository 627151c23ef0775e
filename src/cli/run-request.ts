import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { loadKubernetesSchemas } from "../adapters/files/catalog.ts";
import { loadPaths } from "../adapters/files/load-paths.ts";
import { isArray, type JsonObject, type JsonValue, member } from "../core/json.ts";
import { isKubernetesObject } from "../core/kubernetes.ts";
import type { RequestView } from "../services/access/request-view.ts";
import { type AskServer, accessClient, objectOf, type ServerFlags } from "./access-client.ts";
import { type CommandContext, UsageError } from "./command.ts";
import { exitCodes } from "./exit-code.ts";
import { applyCall, kubectlCall, type PlannedCall } from "./planned-call.ts";
import { writeAnswer } from "./rbac-table.ts";
import { type RequestDetail, requestsText, requestText } from "./request-text.ts";
import { writeDiagnostics } from "./run-audit-text.ts";

export interface OutputFlags extends ServerFlags {
  readonly output: "table" | "json" | "yaml";
}

export interface CreateFlags extends OutputFlags {
  readonly namespace?: string;
  readonly cluster?: string;
  readonly reason?: string;
  readonly rule?: string;
  readonly breakGlass?: boolean;
  readonly fromManifest?: string;
  readonly session?: string;
  readonly for?: number;
  readonly mode: "gateway" | "rolebinding";
  readonly exception?: string;
  readonly policyRule?: readonly string[];
  readonly object?: string;
  readonly apiVersion?: string;
  readonly method?: string;
  readonly target?: string;
  readonly contentType?: string;
  readonly body?: string;
  /** Milliseconds; true: as long as it takes. */
  readonly wait?: number | true;
}

export interface ListFlags extends OutputFlags {
  readonly toDecide?: boolean;
  readonly toReview?: boolean;
  readonly all?: boolean;
  readonly phase?: string;
  readonly limit: number;
}

export interface WaitFlags extends OutputFlags {
  /** Milliseconds. */
  readonly timeout?: number;
}

const requests = "/api/v1/access/requests";
const at = (id: string) => `${requests}/${encodeURIComponent(id)}`;
const hour = 3_600_000;
const usualNamespace = "default";

export async function createRequest(words: readonly string[], flags: CreateFlags, context: CommandContext): Promise<void> {
  const asks = await asksOf(words, flags, context);
  const ask = await accessClient(flags, context);
  const { cluster, breakGlass = false, reason = "" } = flags;
  const rule = flags.session ?? flags.rule;
  const opened: RequestDetail[] = [];
  for (const one of asks) {
    const body: JsonObject = {
      ask: one,
      reason,
      breakGlass,
      ...(cluster === undefined ? {} : { cluster }),
      ...(rule === undefined ? {} : { rule }),
    };
    const answer = await ask({ method: "POST", path: requests, body });
    if (!answer.ok) return refused(answer.message, context, opened, flags);
    opened.push(asRequest(answer.body));
  }
  const settled =
    flags.wait === undefined ? opened : await Promise.all(opened.map(({ id }) => waitFor(id, ask, context, flags.wait)));
  show(settled, flags, context);
  const first = settled[0];
  if (flags.wait !== undefined) exitFor(settled, context);
  else if (flags.output === "table" && first?.phase === "pending")
    context.io.err(`Wait with: castellan request wait ${first.id}\n`);
}

export async function listRequests(flags: ListFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const query = new URLSearchParams({ limit: String(flags.limit) });
  if (flags.toDecide === true) query.set("decidable", "true");
  else if (flags.toReview === true) query.set("reviewable", "true");
  else if (flags.all !== true) query.set("mine", "true");
  if (flags.phase !== undefined) query.set("phase", flags.phase);
  const answer = await ask({ method: "GET", path: `${requests}?${query}` });
  if (!answer.ok) return refused(answer.message, context);
  const items = member(objectOf(answer.body), "items");
  const found = isArray(items) ? items.map(asRequest) : [];
  writeAnswer({ items: found }, () => requestsText(found, context.io), flags.output, context);
}

export async function showRequest(id: string, flags: OutputFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "GET", path: at(id) });
  if (answer.ok) show([asRequest(answer.body)], flags, context);
  else refused(answer.message, context);
}

export async function waitForRequest(id: string, flags: WaitFlags, context: CommandContext): Promise<void> {
  const ask = await accessClient(flags, context);
  const settled = await waitFor(id, ask, context, flags.timeout ?? true);
  show([settled], flags, context);
  exitFor([settled], context);
}

/** One of the things that may be done to a request. */
export async function actOnRequest(
  id: string,
  verb: "approve" | "deny" | "cancel" | "revoke" | "review",
  body: JsonObject,
  flags: OutputFlags,
  context: CommandContext,
): Promise<void> {
  const ask = await accessClient(flags, context);
  const answer = await ask({ method: "POST", path: `${at(id)}/${verb}`, body });
  if (answer.ok) show([asRequest(answer.body)], flags, context);
  else refused(answer.message, context);
}

function show(found: readonly RequestDetail[], flags: OutputFlags, context: CommandContext): void {
  const [only, ...others] = found;
  const answer = only !== undefined && others.length === 0 ? only : { items: found };
  const text = () => found.map((one) => requestText(one, context.io, context.io.now())).join("\n");
  writeAnswer(answer, text, flags.output, context);
}

function refused(message: string, context: CommandContext, before: readonly RequestDetail[] = [], flags?: OutputFlags): void {
  // What was opened before the refusal is there.
  if (flags !== undefined && before.length > 0) show(before, flags, context);
  context.io.err(`castellan: ${message}\n`);
  context.exit(exitCodes.findings);
}

/** 0 granted, or used since; 1 refused or over; 2 still not decided. */
function exitFor(found: readonly RequestView[], context: CommandContext): void {
  const isGood = ({ phase, grant }: RequestView) => phase === "granted" || (phase === "ended" && grant?.use === "done");
  if (found.some(({ phase }) => phase === "pending")) context.exit(exitCodes.incomplete);
  else if (!found.every(isGood)) context.exit(exitCodes.findings);
}

const longPollSeconds = 30;

async function waitFor(
  id: string,
  ask: AskServer,
  { io }: CommandContext,
  wait: number | true | undefined,
): Promise<RequestDetail> {
  const end = wait === undefined || wait === true ? Number.POSITIVE_INFINITY : performance.now() + wait;
  for (let failures = 0; ; ) {
    const left = Math.max(0, end - performance.now());
    const seconds = Math.min(longPollSeconds, Math.ceil(left / 1000));
    try {
      const answer = await ask({ method: "GET", path: `${at(id)}/wait?seconds=${seconds}`, timeout: (seconds + 15) * 1000 });
      if (!answer.ok && answer.status < 500) throw new Refused(answer.message);
      if (answer.ok) {
        failures = 0;
        const request = asRequest(answer.body);
        if (request.phase !== "pending" || performance.now() >= end) return request;
      } else failures++;
    } catch (error) {
      // A server that starts again has forgotten nothing.
      if (error instanceof Refused || failures >= 20 || performance.now() >= end) throw new UsageError(messageOf(error));
      if (failures++ === 0) io.err(`castellan: ${messageOf(error)}; trying again\n`);
    }
    if (failures > 0) await sleep(Math.min(10_000, 500 * failures));
  }
}

class Refused extends Error {}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function asksOf(words: readonly string[], flags: CreateFlags, context: CommandContext): Promise<readonly JsonObject[]> {
  const given = [words.length > 0, flags.fromManifest, flags.session, flags.exception, flags.target].filter(
    (one) => one !== undefined && one !== false,
  );
  if (given.length !== 1)
    throw new UsageError("say what for, one of: -- KUBECTL ARGUMENTS, --from-manifest, --session, --exception, --target");
  const { namespace = usualNamespace } = flags;
  if (flags.session !== undefined) return [sessionAsk(flags)];
  const resources = loadKubernetesSchemas().resources();
  if (flags.exception !== undefined) return [exceptionAsk(flags, context)];
  if (flags.fromManifest !== undefined) {
    const { documents, diagnostics } = await loadPaths([flags.fromManifest]);
    writeDiagnostics(diagnostics, context);
    const objects = documents.map(({ value }) => value).filter(isKubernetesObject);
    if (objects.length === 0) throw new UsageError(`${flags.fromManifest} holds no object`);
    return objects.map((object) => actionAsk(applyCall(object, namespace, resources)));
  }
  if (flags.target !== undefined) {
    const { method = "GET", target, contentType = "", body } = flags;
    return [actionAsk({ method, target, contentType, body: body === undefined ? "" : readBody(body) })];
  }
  return [actionAsk(kubectlCall(words, namespace, resources))];
}

function readBody(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`${file} cannot be read`);
  }
}

function actionAsk({ method, target, contentType, body }: PlannedCall): JsonObject {
  return { type: "action", method, target, contentType, body: Buffer.from(body).toString("base64") };
}

function sessionAsk({ namespace = usualNamespace, for: milliseconds = hour, mode }: CreateFlags): JsonObject {
  return { type: "session", namespace, milliseconds, mode };
}

function exceptionAsk(flags: CreateFlags, { io }: CommandContext): JsonObject {
  const { exception: policy = "", policyRule = [], object = "", apiVersion, namespace } = flags;
  const [kind, name, more] = object.split("/");
  if (kind === undefined || kind === "" || name === undefined || name === "" || more !== undefined)
    throw new UsageError("name the object: --object KIND/NAME, with --namespace");
  const known = loadKubernetesSchemas()
    .resources()
    .all()
    .find((one) => one.kind.toLowerCase() === kind.toLowerCase());
  const version =
    apiVersion ?? (known === undefined ? undefined : known.group === "" ? known.version : `${known.group}/${known.version}`);
  if (version === undefined) throw new UsageError(`the API version of ${kind} is not known here: name --api-version`);
  // Of a kind that is not known here a namespace is said, or there is none.
  const place = known?.namespaced === false ? "" : (namespace ?? (known === undefined ? "" : usualNamespace));
  const until = io.now() + (flags.for ?? 7 * 24 * hour);
  const of = { apiVersion: version, kind: known?.kind ?? kind, namespace: place, name };
  return { type: "exception", policy, rules: policyRule, object: of, until };
}

/** The server is of our own version: its answer has the shape that it has here. */
function asRequest(body: JsonValue): RequestDetail {
  return objectOf(body) as unknown as RequestDetail;
}
