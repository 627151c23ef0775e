import type { AccessRules } from "../../access/rules/types.ts";
import { spendToken } from "../../adapters/store/grant-tokens.ts";
import type { Store } from "../../adapters/store/store.ts";
import type { Action } from "../../core/action.ts";
import type { Instant } from "../../core/host.ts";
import { asString, member } from "../../core/json.ts";
import { nameOf } from "../../core/kubernetes.ts";
import { type Excuse, policyName } from "../../engine/index.ts";
import type { CompiledPolicy } from "../../policies/policy.ts";
import { type Approvals, isGuardrail, type Lift } from "../admission/approvals.ts";
import { claimsProblem, type GrantClaims, grantExtraKey, objectProblem, openGrant } from "./guardrail-grant.ts";
import type { LiveExceptions } from "./live-exceptions.ts";

export interface AdmissionApprovalsOptions {
  readonly cluster: string;
  readonly store: Pick<Store, "db">;
  /** Shared by gateways and webhooks. */
  readonly key: Uint8Array;
  readonly exceptions: LiveExceptions;
  readonly rules: () => AccessRules | undefined;
  /** By which address people reach the console, where there is one. */
  readonly consoleUrl?: (() => string | undefined) | undefined;
  readonly now: () => Instant;
}

/**
 * The API server judges a write again when the object was stored by somebody else in between, and then its resource version is
 * another. Each version may be judged once, and so many at most; the digest sees to it that what was approved is unchanged.
 */
const mostVersions = 5;
const keepMilliseconds = 300_000;

const quoted = (text: string): string => (/^[\w./:@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

interface Denied {
  readonly cluster: string;
  readonly policy: string;
  readonly rule: string;
  /** The object's name. */
  readonly of: string;
  readonly target: Action["target"];
}

/** Where the console has the request filled in; asking still takes a reason and a button. */
function exceptionPage(console: string, { cluster, policy, rule, of, target }: Denied): string {
  const { group, version, kind, namespace } = target;
  const query = new URLSearchParams({
    exception: policy,
    rule,
    object: `${kind}/${namespace}/${of}`,
    apiVersion: group === "" ? version : `${group}/${version}`,
    cluster,
  });
  // Slashes and colons may stand in a query as they are, and are easier to read.
  return `${console}/access/new?${query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":")}`;
}

/** What people approved, as admission sees it. */
export class AdmissionApprovals implements Approvals {
  readonly #options: AdmissionApprovalsOptions;

  constructor(options: AdmissionApprovalsOptions) {
    this.#options = options;
  }

  liftOf(action: Action): Lift | undefined {
    const { key, cluster, now } = this.#options;
    const sent = action.actor?.extra?.[grantExtraKey] ?? [];
    const [token, second] = sent;
    if (token === undefined) return undefined;
    if (second !== undefined) return { ok: false, why: "several approvals came along" };
    const opened = openGrant(key, token, now());
    const { claims } = opened;
    if (claims === undefined) return { ok: false, why: opened.ok ? "" : opened.why };
    const other = claimsProblem(claims, action, cluster);
    if (other !== undefined) return { ok: false, why: other };
    // However old: what was approved is not done to something else.
    const changed = objectProblem(key, claims, action);
    if (changed !== undefined) return { ok: false, why: changed, isVoid: claims.single };
    if (!opened.ok) return { ok: false, why: opened.why };
    const name = `request ${claims.request}`;
    return { ok: true, guardrails: new Set(claims.guardrails), name, spend: () => this.#spend(claims, action) };
  }

  exceptionsOf(action: Action): Excuse | undefined {
    return this.#options.exceptions.excuseFor(action);
  }

  advice(policy: CompiledPolicy, rule: string, action: Action): string | undefined {
    const { target, object, oldObject } = action;
    const name = policyName(policy.id);
    const subject = object ?? oldObject;
    const of = target.name || (subject === undefined ? "" : nameOf(subject));
    // What has no name yet, or is no object of its own, cannot be excepted.
    if (isGuardrail(policy) || of === "" || target.subresource !== "") return undefined;
    const { rules, cluster } = this.#options;
    if (rules()?.offersException(name, target.namespace, cluster) !== true) return undefined;
    const version = target.group === "" ? "" : ` --api-version ${quoted(`${target.group}/${target.version}`)}`;
    const namespace = target.namespace === "" ? "" : ` -n ${quoted(target.namespace)}`;
    const command =
      `castellan request create --exception ${quoted(name)} --policy-rule ${quoted(rule)} ` +
      `--object ${quoted(`${target.kind}/${of}`)}${version}${namespace} --for 24h --reason "..."`;
    const console = this.#options.consoleUrl?.();
    return console === undefined
      ? command
      : `${command}\nor ${exceptionPage(console, { cluster, policy: name, rule, of, target })}`;
  }

  #spend(claims: GrantClaims, { oldObject }: Action): Promise<boolean> {
    const { store, now } = this.#options;
    const metadata = oldObject?.metadata;
    const each = claims.verb === "deletecollection" ? `/${asString(member(metadata, "uid")) ?? ""}` : "";
    const version = asString(member(metadata, "resourceVersion")) ?? "";
    const until = claims.until + keepMilliseconds;
    return spendToken(store.db, { id: `${claims.id}${each}`, version, until }, mostVersions, now());
  }
}
