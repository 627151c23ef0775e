import type { AccessRequest } from "../../access/request.ts";
import { describeObject, describeRule, describeSubject } from "../../analysis/rbac/describe.ts";
import { Identities } from "../../analysis/rbac/identities.ts";
import { escalations } from "../../analysis/rbac/paths/paths.ts";
import { parseResourceArgument } from "../../analysis/rbac/resource-argument.ts";
import { holdersOf } from "../../analysis/rbac/who-can.ts";
import { type RbacWorld, rbacWorld, type WorldInput } from "../../analysis/rbac/world.ts";
import type { ApiResources } from "../../core/api-resources.ts";
import { type AccessRisk, askedRights, type RoleReference, riskOf } from "../access/risk.ts";
import type { Escalations } from "./escalation-view.ts";

/** One way by which somebody may do what was asked. */
export interface HolderRow {
  readonly subject: string;
  /** Empty: in the whole cluster. */
  readonly namespace: string;
  readonly binding: string;
  readonly role: string;
  readonly rule: string;
}

export interface WhoCanQuestion {
  readonly verb: string;
  /** `TYPE[.GROUP][/SUBRESOURCE]`, or a path of the API server. */
  readonly resource: string;
  /** Undefined: in any namespace. */
  readonly namespace?: string | undefined;
}

/** Answers about rights from the objects of the moment; the index is kept until they change. */
export class RightsView {
  readonly #input: () => WorldInput;
  readonly #risks = new Map<string, AccessRisk>();
  readonly #resources: () => ApiResources;
  #world: RbacWorld | undefined;
  #escalations: Escalations | undefined;

  constructor(input: () => WorldInput, resources: () => ApiResources) {
    this.#input = input;
    this.#resources = resources;
  }

  /** The objects have changed. */
  changed(): void {
    this.#world = undefined;
    this.#escalations = undefined;
    this.#risks.clear();
  }

  /** What asked rights could lead to; undefined: not known, as of a role that does not exist. */
  riskOf(request: Pick<AccessRequest, "ask">, role: RoleReference | undefined): AccessRisk | undefined {
    this.#world ??= rbacWorld(this.#input());
    const rights = askedRights(request, role, this.#world);
    if (rights === undefined) return undefined;
    const key = JSON.stringify(rights);
    const risk = this.#risks.get(key) ?? riskOf(this.#input(), rights);
    this.#risks.set(key, risk);
    return risk;
  }

  /** Ways by which identities become more than they are. */
  escalations(): Escalations {
    if (this.#escalations === undefined) {
      this.#world ??= rbacWorld(this.#input());
      const waysTo = escalations(this.#world, new Identities(), undefined);
      this.#escalations = {
        "cluster-admin": waysTo({ kind: "cluster-admin" }),
        secrets: waysTo({ kind: "secrets" }),
        node: waysTo({ kind: "node" }),
      };
    }
    return this.#escalations;
  }

  whoCan({ verb, resource, namespace }: WhoCanQuestion): {
    readonly holders: readonly HolderRow[];
    readonly unresolved: readonly string[];
  } {
    this.#world ??= rbacWorld(this.#input());
    const [type = "", subresource = ""] = resource.startsWith("/") ? [resource] : resource.split("/");
    const { namespaced, ...target } = parseResourceArgument(type, this.#resources());
    const nowhere = namespaced === false || !target.isResourceRequest;
    const request = {
      ...target,
      subresource,
      verb: verb.toLowerCase(),
      namespace: nowhere ? "" : (namespace ?? ""),
      user: "",
      groups: [],
    };
    const scope = namespace === undefined && !nowhere ? "anywhere" : { namespace: request.namespace };
    const { holders, unresolved } = holdersOf(this.#world, request, scope, new Identities());
    return {
      holders: holders.map(({ subject, namespace: where, binding, role, rule }) => ({
        subject: describeSubject(subject, binding.namespace),
        namespace: where,
        binding: describeObject(binding),
        role: describeObject(role),
        rule: describeRule(rule),
      })),
      unresolved,
    };
  }
}
