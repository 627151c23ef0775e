import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { guardrailsMet } from "../../access/machine/grant.ts";
import type { Person } from "../../access/person.ts";
import type { AccessRequest } from "../../access/request.ts";
import type { RequestedAction } from "../../access/requested-action.ts";
import type { Action } from "../../core/action.ts";
import type { Instant } from "../../core/host.ts";
import { asString, isArray, isObject, type JsonObject, member } from "../../core/json.ts";
import { nameOf } from "../../core/kubernetes.ts";
import { sealedDigest } from "./sealed-digest.ts";

/** The key of Impersonate-Extra under which the gateway sends the token. */
export const grantExtraKey = "castellan.dev/grant";

/** What the gateway vouches for: this call, by this user, with these guardrails lifted. */
export interface GrantClaims {
  /** Of the token, at random. */
  readonly id: string;
  readonly request: string;
  readonly cluster: string;
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dryRun: boolean;
  /** The approval was for this call alone, and so for the object as it was. */
  readonly single: boolean;
  /** The object as it was approved; null: there was none, or the call is about many. */
  readonly object: { readonly uid: string; readonly digest: string } | null;
  readonly guardrails: readonly string[];
  readonly until: Instant;
}

/** Between the gateway and admission there is only the API server; it may queue a call for a while. */
const lifeMilliseconds = 60_000;
/** Clocks of replicas may differ by so much. */
const skewMilliseconds = 5_000;
const version = "v1";

const signature = (key: Uint8Array, text: string): Buffer => createHmac("sha256", key).update(`castellan grant ${text}`).digest();

/** The token for one forwarded call, of which these guardrails ask for an approval or a reason; each call gets one of its own. */
export function sealGrant(
  key: Uint8Array,
  request: AccessRequest,
  action: RequestedAction,
  person: Person,
  guardrails: readonly string[],
  now: Instant,
): string {
  const claims: GrantClaims = {
    id: randomBytes(16).toString("base64url"),
    request: request.id,
    cluster: action.cluster,
    user: person.user,
    verb: action.verb,
    group: action.apiGroup,
    resource: action.resource,
    subresource: action.subresource,
    namespace: action.namespace,
    name: action.name,
    dryRun: action.dryRun,
    single: request.ask.type === "action",
    object: action.pinned === undefined ? null : { uid: action.pinned.uid, digest: action.pinned.digest },
    guardrails: guardrailsMet(request, guardrails),
    until: Math.min(now + lifeMilliseconds, request.grant?.until ?? 0),
  };
  const text = `${version}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${text}.${signature(key, text).toString("base64url")}`;
}

export type OpenedGrant =
  | { readonly ok: true; readonly claims: GrantClaims }
  /** With the claims where they are ours, and only too old. */
  | { readonly ok: false; readonly why: string; readonly claims?: GrantClaims };

const no = (why: string): OpenedGrant => ({ ok: false, why });

/** Reads a token that we signed; whoever else wrote it is told nothing of why. */
export function openGrant(key: Uint8Array, token: string, now: Instant): OpenedGrant {
  const dot = token.lastIndexOf(".");
  const text = token.slice(0, Math.max(0, dot));
  const given = Buffer.from(token.slice(dot + 1), "base64url");
  const wanted = signature(key, text);
  if (!text.startsWith(`${version}.`) || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    return no("the approval that came along is not one of ours");
  }
  const claims = readClaims(Buffer.from(text.slice(version.length + 1), "base64url").toString("utf8"));
  if (claims === undefined) return no("the approval that came along cannot be read");
  if (now > claims.until + skewMilliseconds) return { ok: false, why: "the approval that came along is too old", claims };
  return { ok: true, claims };
}

/** Signed by us, so in the form that we write; an older version may have written another. */
function readClaims(text: string): GrantClaims | undefined {
  const value: JsonObject = JSON.parse(text);
  const object = value["object"];
  const uid = asString(member(object, "uid"));
  const digest = asString(member(object, "digest"));
  const texts = ["id", "request", "cluster", "user", "verb", "group", "resource", "subresource", "namespace", "name"] as const;
  const { guardrails, until, dryRun, single } = value;
  if (texts.some((field) => typeof value[field] !== "string") || !isArray(guardrails) || typeof until !== "number")
    return undefined;
  const read = (field: (typeof texts)[number]): string => asString(value[field]) ?? "";
  return {
    id: read("id"),
    request: read("request"),
    cluster: read("cluster"),
    user: read("user"),
    verb: read("verb"),
    group: read("group"),
    resource: read("resource"),
    subresource: read("subresource"),
    namespace: read("namespace"),
    name: read("name"),
    dryRun: dryRun === true,
    single: single === true,
    object: isObject(object) && uid !== undefined && digest !== undefined ? { uid, digest } : null,
    guardrails: guardrails.filter((name) => typeof name === "string"),
    until,
  };
}

/** What the API server calls what the gateway forwarded: who writes an object that is not there creates it. */
const operationsOf: { readonly [verb: string]: readonly Action["operation"][] } = {
  create: ["CREATE", "CONNECT"],
  get: ["CONNECT"],
  update: ["UPDATE", "CREATE", "CONNECT"],
  patch: ["UPDATE", "CREATE", "CONNECT"],
  delete: ["DELETE", "CONNECT"],
  deletecollection: ["DELETE"],
  proxy: ["CONNECT"],
};

/** Subresources of which admission is shown the whole object. */
const wholeSubresources: ReadonlySet<string> = new Set(["", "status", "ephemeralcontainers", "resize", "finalize", "approval"]);

/** Why a token's claims are not about the call that admission is asked about; undefined: they are. */
export function claimsProblem(claims: GrantClaims, action: Action, cluster: string): string | undefined {
  const { target, actor, oldObject, operation } = action;
  const another = (what: string) => `the approval that came along is for another ${what}`;
  if (claims.cluster !== cluster) return another("cluster");
  if (actor === undefined || claims.user !== actor.user) return another("user");
  if (operationsOf[claims.verb]?.includes(operation) !== true) return another("verb");
  const group = target.resourceGroup ?? target.group;
  if (claims.group !== group || claims.resource !== target.resource || claims.subresource !== target.subresource)
    return another("resource");
  if (claims.dryRun !== action.dryRun) return another("call: one of them is a dry run");
  const isNamespace = claims.group === "" && claims.resource === "namespaces";
  if (!isNamespace && claims.namespace !== target.namespace) return another("namespace");
  // Of a collection, and of a name that was in the object or is made by the server, the call itself names none.
  const unnamed = claims.verb === "deletecollection" || (claims.verb === "create" && claims.name === "");
  const name = target.name || (oldObject === undefined ? "" : nameOf(oldObject));
  return !unnamed && claims.name !== name ? another("object") : undefined;
}

/** Why the object of a call is not as it was approved; undefined: it is, or the call is about many. `key`: the token's. */
export function objectProblem(key: Uint8Array, claims: GrantClaims, action: Action): string | undefined {
  if (claims.verb === "deletecollection") return undefined;
  return action.oldObject === undefined ? createdProblem(claims, action) : changedProblem(key, claims, action);
}

function createdProblem({ object, verb }: GrantClaims, { operation }: Action): string | undefined {
  const writes = verb === "update" || verb === "patch";
  return operation === "CREATE" && writes && object !== null ? "the object that was approved to be changed is gone" : undefined;
}

/** The object must be what the approver saw; a Scale stands for its object without showing it. */
function changedProblem(key: Uint8Array, { object }: GrantClaims, { oldObject, target }: Action): string | undefined {
  if (oldObject === undefined) return undefined;
  if (object === null) return "the approval that came along is for an object that was not there";
  if (object.uid !== member(oldObject.metadata, "uid")) return "the object is another one of the same name than was approved";
  if (!wholeSubresources.has(target.subresource)) return undefined;
  return object.digest === sealedDigest(key, oldObject) ? undefined : "the object has changed since it was approved";
}
