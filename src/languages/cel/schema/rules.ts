import { check } from "../checker.ts";
import { estimateCost } from "../cost/estimate.ts";
import type { Range, SizeEstimator } from "../cost/size.ts";
import type { Env } from "../env.ts";
import { formatIssues } from "../issue.ts";
import type { Environments } from "../libraries/kubernetes/environment.ts";
import { parse } from "../parser.ts";
import { compile, type Program } from "../program.ts";
import { type CelType, formatType, optionalOf } from "../types.ts";
import { type DeclType, SchemaTypes } from "./decl-type.ts";
import { normalizeFieldPath } from "./field-path.ts";
import type { CelSchema, Resolve, ValidationRule } from "./schema.ts";

/** A rule that can be evaluated, or why it cannot. */
export interface CompiledRule {
  readonly rule: ValidationRule;
  /** Undefined for an empty rule, or one with an error. */
  readonly program: Program | undefined;
  readonly error: string | undefined;
  /** Whether it compares with the value before. */
  readonly usesOldSelf: boolean;
  /** What an evaluation costs at most, by the bounds of the schema. */
  readonly maxCost: bigint;
  /** How often the value may occur at most in one object. */
  readonly maxCardinality: number;
  readonly message: Program | undefined;
  readonly messageError: string | undefined;
  readonly messageMaxCost: bigint;
  /** As errors show it; empty without. */
  readonly fieldPath: string;
}

export interface RuleOptions {
  readonly environments: Environments;
  /** Whether the rules are new ones, which only use what the version before understands. */
  readonly isNew?: boolean;
  readonly resolve?: Resolve;
}

/** Bytes of the largest request. */
const maxRequestSize = 3 * 1024 * 1024;

interface Compiled {
  readonly program?: Program;
  readonly error?: string;
  readonly usesOldSelf: boolean;
  readonly cost: Range;
}

const nothing = { min: 0n, max: 0n };

/** Compiles an expression that has to give a value of `kind`. */
function compileExpression(source: string, env: Env, kind: "bool" | "string", prefix: string, sizes: SizeEstimator): Compiled {
  const failed = (error: string): Compiled => ({ error: prefix + error, usesOldSelf: false, cost: nothing });
  const parsed = parse(source, env.syntax);
  if (!parsed.ok) return failed(`compilation failed: ${formatIssues(source, parsed.issues)}`);
  const typed = check(parsed.value, env);
  if (!typed.ok) return failed(`compilation failed: ${formatIssues(source, typed.issues)}`);
  if (formatType(typed.value.resultType) !== kind) {
    const wanted = kind === "bool" ? "a bool" : "a string";
    return {
      error: `${prefix === "" ? "cel expression" : prefix.trim()} must evaluate to ${wanted}`,
      usesOldSelf: false,
      cost: nothing,
    };
  }
  const usesOldSelf = typed.value.references.some((reference) => reference?.kind === "variable" && reference.name === "oldSelf");
  const program = compile(typed.value, env);
  if (!program.ok) {
    const what = prefix === "" ? "program instantiation failed" : "instantiation failed";
    return { error: `${prefix}${what}: ${program.issues[0]?.message}`, usesOldSelf, cost: nothing };
  }
  return { program: program.value, usesOldSelf, cost: estimateCost(typed.value, env, sizes, false) };
}

/** Bounds by the schema: the path of a node leads there from `self`. */
function sizesOf(root: DeclType): SizeEstimator {
  return {
    sizeOf({ path }) {
      if (path === undefined || path.length === 0) return undefined;
      let node: DeclType | undefined = root;
      for (const step of path.slice(1)) {
        if (step === "@items" || step === "@values") node = node.element;
        else if (step === "@keys") node = node.key;
        else node = node.field?.(step);
        if (node === undefined) return undefined;
      }
      return { min: 0n, max: BigInt(node.maxElements) };
    },
  };
}

/** The rules of one schema node, which describes `self`. */
export function compileRules(
  schema: CelSchema,
  declare: (types: SchemaTypes) => DeclType | undefined,
  options: RuleOptions,
): readonly CompiledRule[] | string {
  const rules = schema["x-kubernetes-validations"] ?? [];
  if (rules.length === 0) return [];
  const { environments, isNew = false, resolve } = options;
  const keywordFields = !isNew || environments.compatibility >= 31;
  const types = new SchemaTypes({ keywordFields, ...(resolve === undefined ? {} : { resolve }) });
  const decl = declare(types);
  if (decl === undefined) return "failed to convert to declType for CEL validation rules";
  const base = isNew ? environments.newExpressions : environments.storedExpressions;
  const envWith = (oldSelf: CelType) =>
    base.extend({
      variables: [
        { name: "self", type: decl.type },
        { name: "oldSelf", type: oldSelf },
      ],
      structsByName: (name) => types.struct(name),
    });
  const plain = envWith(decl.type);
  const sizes = sizesOf(decl);
  const maxCardinality = Math.trunc(maxRequestSize / (decl.minSize + 1));
  return rules.map((rule) =>
    compileRule(rule, rule.optionalOldSelf === true ? envWith(optionalOf(decl.type)) : plain, sizes, schema, maxCardinality),
  );
}

function compileRule(
  rule: ValidationRule,
  env: Env,
  sizes: SizeEstimator,
  schema: CelSchema,
  maxCardinality: number,
): CompiledRule {
  const isEmpty = rule.rule.trim() === "";
  const compiled: Compiled = isEmpty
    ? { usesOldSelf: false, cost: nothing }
    : compileExpression(rule.rule, env, "bool", "", sizes);
  const wantsMessage = compiled.program !== undefined && rule.messageExpression !== undefined && rule.messageExpression !== "";
  const message = wantsMessage
    ? compileExpression(rule.messageExpression ?? "", env, "string", "messageExpression ", sizes)
    : undefined;
  const fieldPath =
    rule.fieldPath === undefined || rule.fieldPath === "" ? "" : (normalizeFieldPath(rule.fieldPath, schema) ?? "");
  return {
    rule,
    program: compiled.program,
    error: compiled.error,
    usesOldSelf: compiled.usesOldSelf,
    maxCost: compiled.cost.max,
    maxCardinality,
    message: message?.program,
    messageError: message?.error,
    messageMaxCost: message?.cost.max ?? 0n,
    fieldPath,
  };
}
