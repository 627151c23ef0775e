import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { authorizeByRules, rulesFor, whoCan } from "../../../src/analysis/rbac/authorize.ts";
import { missingFrom } from "../../../src/analysis/rbac/covers.ts";
import type { RbacIndex } from "../../../src/analysis/rbac/rbac-index.ts";
import type { RequestAttributes } from "../../../src/core/request-attributes.ts";
import { type Case, type Corpus, expectJson, failure } from "../corpus.ts";
import { labels } from "../rbac-labels/labels.ts";
import { fullRule, indexOf, jsonFiles, type OracleRule } from "../rbac-oracle.ts";
import { corpus as audit2rbac } from "./audit2rbac.ts";
import { corpus as authzCel } from "./authz-cel.ts";
import { corpus as impersonation } from "./impersonation.ts";
import { corpus as requestInfo } from "./request-info.ts";

type OracleRequest = Partial<Omit<RequestAttributes, "isResourceRequest">>;

interface OracleSubject {
  readonly kind: string;
  readonly apiGroup?: string;
  readonly name: string;
  readonly namespace?: string;
}

interface Decisions {
  readonly fixture?: string;
  readonly objects?: object;
  readonly decisions: readonly { readonly request: OracleRequest; readonly decision: string; readonly reason?: string }[];
}

interface WhoCan {
  readonly fixture: string;
  readonly cases: readonly {
    readonly request: OracleRequest;
    readonly subjects: readonly OracleSubject[];
    readonly error?: string;
  }[];
}

interface RulesFor {
  readonly fixture: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly cases: readonly { readonly namespace: string; readonly rules: readonly OracleRule[] | null; readonly error: string }[];
}

interface RandomCovers {
  readonly covers: boolean;
  readonly owner: readonly OracleRule[] | null;
  readonly servant: readonly OracleRule[] | null;
  readonly missing?: readonly OracleRule[] | null;
}

interface RoleCovers {
  readonly fixture: string;
  readonly owner: string;
  readonly results: readonly { readonly role: string; readonly covers: boolean; readonly missingCount: number }[];
}

function attributes(request: OracleRequest): RequestAttributes {
  const path = request.path ?? "";
  const nothing = { user: "", groups: [], verb: "", namespace: "", apiGroup: "", resource: "", subresource: "", name: "" };
  return { ...nothing, ...request, path, isResourceRequest: path === "" };
}

/** Loads each fixture once. */
function fixtures(directory: string): (file: string) => Promise<RbacIndex> {
  const cache = new Map<string, Promise<RbacIndex>>();
  return (file) => {
    const found = cache.get(file) ?? readFile(join(directory, file), "utf8").then(indexOf);
    cache.set(file, found);
    return found;
  };
}

const subjects = (list: readonly OracleSubject[]) =>
  list.map(({ kind, apiGroup = "", name, namespace = "" }) => ({ kind, apiGroup, name, namespace }));

async function* decisions(directory: string, load: (file: string) => Promise<RbacIndex>): AsyncIterable<Case> {
  for (const { id, value } of await jsonFiles<Decisions>(join(directory, "rbac-decisions"))) {
    const index = value.fixture === undefined ? indexOf(JSON.stringify(value.objects)) : await load(value.fixture);
    for (const [i, { request, decision, reason = "" }] of value.decisions.entries()) {
      yield {
        id: `rbac-decisions/${id}#${i}`,
        run: () => {
          const got = authorizeByRules(index, attributes(request));
          return expectJson({ decision: got.decision, reason: got.reason }, { decision, reason });
        },
      };
    }
  }
}

async function* whoCanCases(directory: string, load: (file: string) => Promise<RbacIndex>): AsyncIterable<Case> {
  for (const { id, value } of await jsonFiles<WhoCan>(join(directory, "who-can"))) {
    const index = await load(value.fixture);
    for (const [i, { request, subjects: want, error = "" }] of value.cases.entries()) {
      yield {
        id: `who-can/${id}#${i}`,
        run: () => {
          const got = whoCan(index, attributes(request));
          return expectJson({ subjects: subjects(got.subjects), error: got.error }, { subjects: subjects(want), error });
        },
      };
    }
  }
}

async function* rulesForCases(directory: string, load: (file: string) => Promise<RbacIndex>): AsyncIterable<Case> {
  for (const { id, value } of await jsonFiles<RulesFor>(join(directory, "rules-for"))) {
    const index = await load(value.fixture);
    for (const { namespace, rules, error } of value.cases) {
      yield {
        id: `rules-for/${id}/${namespace}`,
        run: () => {
          const got = rulesFor(index, value.user, value.groups, namespace);
          return expectJson({ rules: got.rules.map(fullRule), error: got.error }, { rules: (rules ?? []).map(fullRule), error });
        },
      };
    }
  }
}

async function* coversCases(directory: string, load: (file: string) => Promise<RbacIndex>): AsyncIterable<Case> {
  for (const { id, value } of await jsonFiles<RandomCovers>(join(directory, "covers/random"))) {
    yield {
      id: `covers/random/${id}`,
      run: () => {
        const missing = missingFrom((value.owner ?? []).map(fullRule), (value.servant ?? []).map(fullRule));
        return expectJson(missing, (value.missing ?? []).map(fullRule));
      },
    };
  }
  for (const { id, value } of await jsonFiles<RoleCovers>(join(directory, "covers/bootstrap"))) {
    const index = await load(value.fixture);
    for (const { role, missingCount } of value.results) {
      yield {
        id: `covers/bootstrap/${id}/${role}`,
        run: () => {
          const [owner, servant] = [value.owner, role].map((name) => index.role("ClusterRole", "", name));
          if (owner === undefined || servant === undefined) return failure("no such role");
          return expectJson(missingFrom(owner.rules, servant.rules).length, missingCount);
        },
      };
    }
  }
}

/** Answers of the real Kubernetes 1.36.3 packages, and what other scanners label. */
export const corpus: Corpus = {
  name: "rbac",
  folder: "rbac/oracle",
  async *cases(directory) {
    const load = fixtures(directory);
    yield* decisions(directory, load);
    yield* whoCanCases(directory, load);
    yield* rulesForCases(directory, load);
    yield* coversCases(directory, load);
    for (const part of [requestInfo, impersonation, audit2rbac, authzCel]) {
      for await (const one of part.cases(join(directory, part.name))) yield { id: `${part.name}/${one.id}`, run: one.run };
    }
    // The labelled sets of other scanners lie beside the oracle.
    yield* labels(join(directory, ".."));
  },
};
