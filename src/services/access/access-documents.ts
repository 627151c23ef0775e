import { type AccessRule, compileAccessRule } from "../../access/rules/access-rule.ts";
import { accessRuleKind } from "../../access/rules/access-rule-kind.ts";
import { parseApproverSource } from "../../access/rules/approver-source.ts";
import { compileDirectory, type Directory } from "../../access/rules/directory.ts";
import { directoryKind } from "../../access/rules/directory-kind.ts";
import { loadPaths } from "../../adapters/files/load-paths.ts";
import type { ApiResource, ApiResources } from "../../core/api-resources.ts";
import type { Diagnostic, Loaded } from "../../core/diagnostic.ts";
import { asString, member } from "../../core/json.ts";
import { castellanGroup, isOfKind, readResource } from "../../core/resource-kind.ts";
import { compileSchedule, type Schedule } from "../../core/schedule/schedule.ts";
import { scheduleKind } from "../../core/schedule/schedule-kind.ts";
import type { SourceDocument } from "../../core/source.ts";
import { compileGuardrail, type Guardrail } from "../../policies/guardrail/guardrail.ts";
import { guardrailKind } from "../../policies/guardrail/guardrail-kind.ts";
import type { OnCallSchedule } from "./approvers.ts";

/** The kinds that access is governed by. */
export const accessKinds = [accessRuleKind, directoryKind, scheduleKind, guardrailKind] as const;

export const isAccessDocument = ({ value }: SourceDocument): boolean => accessKinds.some((kind) => isOfKind(value, kind));

/** Of these kinds what an API server serves. */
export function accessResources(resources: ApiResources): readonly ApiResource[] {
  return accessKinds
    .flatMap(({ kind }) => resources.byKind(castellanGroup, kind) ?? [])
    .filter((resource) => resource.verbs.includes("watch"));
}

/** The documents of files and directories, with what cannot be read; other kinds are left out. */
export async function loadAccessDocuments(
  paths: readonly string[],
): Promise<{ readonly documents: readonly SourceDocument[]; readonly diagnostics: readonly Diagnostic[] }> {
  const { documents, diagnostics } = await loadPaths(paths, { render: "never" });
  return { documents: documents.filter(isAccessDocument), diagnostics };
}

/** What the documents say together. */
export interface CompiledAccess {
  readonly rules: readonly AccessRule[];
  readonly guardrails: readonly Guardrail[];
  readonly schedules: ReadonlyMap<string, Schedule>;
  /** Undefined: it contradicts itself, so nobody can be told from anybody. */
  readonly directory: Directory | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Documents that are not in force. */
  readonly broken: readonly SourceDocument[];
}

export const nameOfDocument = ({ value }: SourceDocument): string =>
  `${asString(member(value, "kind")) ?? ""}/${asString(member(member(value, "metadata"), "name")) ?? ""}`;

class Compilation {
  readonly diagnostics: Diagnostic[] = [];
  readonly broken: SourceDocument[] = [];
  readonly #documents: readonly SourceDocument[];

  constructor(documents: readonly SourceDocument[]) {
    this.#documents = documents;
  }

  /** Each document of a kind, compiled; two of one name are one too many, and the first counts. */
  all<T extends { readonly name: string }>(
    kind: { readonly kind: string },
    compile: (document: SourceDocument) => Loaded<T>,
  ): readonly T[] {
    const compiled = new Map<string, T>();
    for (const document of this.of(kind)) {
      const one = compile(document);
      this.diagnostics.push(...one.diagnostics);
      if (!one.ok) this.broken.push(document);
      else if (compiled.has(one.value.name)) {
        const message = `there are two ${kind.kind} documents ${one.value.name}; the first counts`;
        this.diagnostics.push({
          code: "RESOURCE_INVALID",
          severity: "error",
          message,
          span: document.locate(["metadata", "name"]),
        });
      } else compiled.set(one.value.name, one.value);
    }
    return [...compiled.values()];
  }

  of(kind: { readonly kind: string }): readonly SourceDocument[] {
    return this.#documents.filter(({ value }) => isOfKind(value, kind));
  }
}

/** Compiles access documents together: rules and guardrails name schedules, and rules the people of the directory. */
export function compileAccess(documents: readonly SourceDocument[]): CompiledAccess {
  const compilation = new Compilation(documents);
  const schedules = new Map(compilation.all(scheduleKind, compileSchedule).map((schedule) => [schedule.name, schedule]));
  const directory = compileDirectory(compilation.of(directoryKind));
  compilation.diagnostics.push(...directory.diagnostics);
  if (!directory.ok) compilation.broken.push(...compilation.of(directoryKind));
  const guardrails = compilation.all(guardrailKind, (document) => compileGuardrail(document, schedules));
  const rules = compilation.all(accessRuleKind, (document) => compileAccessRule(document, { schedules }));
  const { diagnostics, broken } = compilation;
  return { rules, guardrails, schedules, directory: directory.ok ? directory.value : undefined, diagnostics, broken };
}

/** What is wrong with one document by itself: what it says of others is not asked. */
export function accessProblems(document: SourceDocument): readonly string[] {
  // People of one directory may be led by those of another.
  const isDirectory = isOfKind(document.value, directoryKind);
  const { diagnostics } = isDirectory ? readResource(document, directoryKind) : compileAccess([document]);
  return diagnostics.filter(({ severity }) => severity === "error").map(({ message }) => message);
}

/** The schedules of outside services that rules name. */
export function onCallSchedules(rules: readonly AccessRule[]): readonly OnCallSchedule[] {
  const slots = rules.flatMap(({ spec }) => [
    ...(spec.approvals ?? []),
    ...(spec.conditions ?? []).flatMap(({ require }) => require ?? []),
  ]);
  return slots.flatMap(({ from }) =>
    from.flatMap((text) => {
      const source = parseApproverSource(text);
      return source?.kind === "service" ? [{ service: source.service, id: source.id }] : [];
    }),
  );
}
