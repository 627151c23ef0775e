import { type DeclType, SchemaTypes } from "./decl-type.ts";
import { escapeName } from "./escape.ts";
import { type CompiledRule, compileRules, type RuleOptions } from "./rules.ts";
import { type CelSchema, isEmbedded, selfContained, valueSchema } from "./schema.ts";

/** The compiled rules of a schema, node by node; nodes without rules below them are left out. */
export interface RuleNode {
  readonly schema: CelSchema;
  /** Whether the node is a resource. */
  readonly isRoot: boolean;
  /** A text says why no rule of the node can be compiled. */
  readonly rules: readonly CompiledRule[] | string;
  readonly items: RuleNode | undefined;
  readonly values: RuleNode | undefined;
  readonly properties: ReadonlyMap<string, RuleNode>;
  readonly allOf: readonly RuleNode[];
}

type Declare = (types: SchemaTypes) => DeclType | undefined;

function hasRules(schema: CelSchema | undefined): boolean {
  if (schema === undefined) return false;
  if ((schema["x-kubernetes-validations"] ?? []).length > 0 || hasRules(schema.items) || hasRules(valueSchema(schema)))
    return true;
  return Object.values(schema.properties ?? {}).some(hasRules);
}

/** Compiles every rule of a structural schema; undefined where there is none outside `allOf`, as in an API server. */
export function compileSchema(schema: CelSchema, isRoot: boolean, options: RuleOptions): RuleNode | undefined {
  return hasRules(schema) ? compileAll(schema, isRoot, options) : undefined;
}

/** Compiles every rule, also where all are in `allOf`. */
export function compileAll(schema: CelSchema, isRoot: boolean, options: RuleOptions): RuleNode | undefined {
  return compileNode(schema, schema, isRoot, (types) => types.declare(schema, "selfType", isRoot), options);
}

/** `rules` is `schema`, or a part of its `allOf`, which may only add rules to what `schema` describes. */
function compileNode(
  rules: CelSchema,
  schema: CelSchema,
  isRoot: boolean,
  declare: Declare,
  options: RuleOptions,
): RuleNode | undefined {
  const node: RuleNode = {
    schema,
    isRoot,
    rules: compileRules({ ...schema, "x-kubernetes-validations": rules["x-kubernetes-validations"] ?? [] }, declare, options),
    items: compileElement(rules.items, schema.items, declare, options),
    values: compileElement(valueSchema(rules), valueSchema(schema), declare, options),
    properties: compileProperties(rules, schema, declare, options),
    allOf: (rules.allOf ?? []).flatMap((part) => compileNode(part, schema, isRoot, declare, options) ?? []),
  };
  const isEmpty =
    node.rules.length === 0 &&
    node.items === undefined &&
    node.values === undefined &&
    node.properties.size === 0 &&
    node.allOf.length === 0;
  return isEmpty ? undefined : node;
}

function compileElement(
  rules: CelSchema | undefined,
  schema: CelSchema | undefined,
  declare: Declare,
  options: RuleOptions,
): RuleNode | undefined {
  if (rules === undefined || schema === undefined) return undefined;
  return compileNode(rules, schema, isEmbedded(schema), (types) => declare(types)?.element, options);
}

function compileProperties(
  rules: CelSchema,
  schema: CelSchema,
  declare: Declare,
  options: RuleOptions,
): ReadonlyMap<string, RuleNode> {
  const nodes = new Map<string, RuleNode>();
  for (const [name, inner] of Object.entries(rules.properties ?? {})) {
    const described = schema.properties?.[name];
    if (described === undefined || (!hasRules(inner) && inner.allOf === undefined && !hasNestedAllOf(inner))) continue;
    const escaped = escapeName(name);
    const ofProperty: Declare = (types) =>
      escaped === undefined ? types.declare(described, "selfType", isEmbedded(described)) : declare(types)?.field?.(escaped);
    // Fields of unknown types are left out altogether.
    if (ofProperty(new SchemaTypes({ resolve: options.resolve ?? selfContained })) === undefined) continue;
    const node = compileNode(inner, described, isEmbedded(described), ofProperty, options);
    if (node !== undefined) nodes.set(name, node);
  }
  return nodes;
}

function hasNestedAllOf(schema: CelSchema): boolean {
  const inner = [schema.items, valueSchema(schema), ...Object.values(schema.properties ?? {})];
  return inner.some((part) => part !== undefined && (part.allOf !== undefined || hasNestedAllOf(part)));
}
