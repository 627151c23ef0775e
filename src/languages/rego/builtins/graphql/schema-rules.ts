import { quote } from "../../values/print.ts";
import { child, GraphqlProblem, type Node, named, nodes, placeOf, text, texts, valueKind } from "./node.ts";
import { innermost, isInput, isNonNull, type Schema, type TypeDefinition, typeText, undefinedType } from "./schema.ts";

function fail(item: Node | undefined, message: string): never {
  throw new GraphqlProblem(message, item === undefined ? undefined : placeOf(item));
}

/** Checks all types and directives of a schema. @throws GraphqlProblem */
export function validateDefinitions(schema: Schema): void {
  for (const name of [...schema.types.keys()].sort()) {
    const type = schema.types.get(name);
    if (type !== undefined) validateType(schema, type);
  }
  validateInputCycles(schema);
  for (const name of [...schema.directives.keys()].sort()) {
    const directive = schema.directives.get(name);
    if (directive === undefined) continue;
    validateName(directive, name);
    validateArguments(schema, nodes(directive, "Arguments"), name);
  }
}

function validateName(item: Node, name: string): void {
  if (name.startsWith("__")) fail(item, `Name "${name}" must not begin with "__", which is reserved by GraphQL introspection.`);
}

function validateReference(schema: Schema, type: Node | undefined): void {
  const name = innermost(type);
  if (!schema.types.has(name)) fail(type, `Undefined type ${name}.`);
}

function validateArguments(schema: Schema, args: readonly Node[], directive: string): void {
  for (const arg of args) {
    const [name, type] = [text(arg, "Name"), child(arg, "Type")];
    validateName(arg, name);
    validateReference(schema, type);
    const definition = schema.types.get(innermost(type));
    if (definition !== undefined && !isInput(definition)) {
      fail(arg, `cannot use ${typeText(type)} as argument ${name} because ${definition.kind} is not a valid input type`);
    }
    validateUses(schema, nodes(arg, "Directives"), "ARGUMENT_DEFINITION", true, directive);
  }
}

/** Checks the directives at one place. `within`: the directive whose definition this is part of. @throws GraphqlProblem */
export function validateUses(schema: Schema, uses: readonly Node[], location: string, once: boolean, within = ""): void {
  const seen = new Set<string>();
  for (const use of uses) {
    const name = text(use, "Name");
    validateName(use, name);
    if (within !== "" && name === within) fail(use, `Directive ${within} cannot refer to itself.`);
    const definition = schema.directives.get(name);
    if (definition === undefined) fail(use, `Undefined directive ${name}.`);
    if (once && seen.has(name) && definition.get("IsRepeatable") !== true) {
      fail(use, `The directive ${name} can only be used once at this location.`);
    }
    seen.add(name);
    if (!texts(definition, "Locations").includes(location)) fail(use, `Directive ${name} is not applicable on ${location}.`);
    validateGiven(use, name, definition);
  }
}

function validateGiven(use: Node, name: string, definition: Node): void {
  const given = nodes(use, "Arguments");
  const declared = nodes(definition, "Arguments");
  for (const arg of given) {
    if (named(declared, text(arg, "Name")) !== undefined) continue;
    fail(arg, `Undefined argument ${text(arg, "Name")} for directive ${name}.`);
  }
  for (const arg of declared) {
    if (!isNonNull(child(arg, "Type")) || child(arg, "DefaultValue") !== undefined) continue;
    const value = named(given, text(arg, "Name"));
    const kind = value === undefined ? undefined : child(value, "Value")?.get("Kind");
    if (value === undefined || kind === valueKind.null) {
      fail(use, `Argument ${text(arg, "Name")} for directive ${name} cannot be null.`);
    }
  }
}

function validateType(schema: Schema, type: TypeDefinition): void {
  const fieldLocation = type.kind === "INPUT_OBJECT" ? "INPUT_FIELD_DEFINITION" : "FIELD_DEFINITION";
  for (const field of type.fields) {
    validateName(field, text(field, "Name"));
    validateReference(schema, child(field, "Type"));
    validateArguments(schema, nodes(field, "Arguments"), "");
    validateUses(schema, nodes(field, "Directives"), fieldLocation, true);
  }
  for (const member of type.types) {
    const definition = schema.types.get(member);
    if (definition === undefined) fail(type.node, undefinedType(member));
    if (definition.kind !== "OBJECT") fail(type.node, `${type.kind} type ${quote(member)} must be OBJECT.`);
  }
  for (const name of type.interfaces) validateImplements(schema, type, name);
  validateKind(schema, type);
  validateUnique(type);
  if (!type.isBuiltIn) validateName(type.node, type.name);
  validateUses(schema, type.directives, type.kind, false);
}

function validateKind(schema: Schema, { kind, name, node, fields, values }: TypeDefinition): void {
  const isOutput = kind === "OBJECT" || kind === "INTERFACE";
  if (isOutput && fields.length === 0) fail(node, `${kind} ${name}: must define one or more fields.`);
  if (kind === "INPUT_OBJECT" && fields.length === 0) fail(node, `${kind} ${name}: must define one or more input fields.`);
  if (kind === "ENUM" && values.length === 0) fail(node, `${kind} ${name}: must define one or more unique enum values.`);
  for (const field of fields) {
    const type = schema.types.get(innermost(child(field, "Type")));
    if (type === undefined) continue;
    if (isOutput && type.kind === "INPUT_OBJECT") {
      fail(field, `${kind} ${name}: field must be one of SCALAR, OBJECT, INTERFACE, UNION, ENUM.`);
    }
    if (kind === "INPUT_OBJECT" && !isInput(type)) {
      fail(field, `${type.kind} ${text(field, "Name")}: field must be one of SCALAR, ENUM, INPUT_OBJECT.`);
    }
  }
  for (const value of values) {
    const word = text(value, "Name");
    if (["true", "false", "null"].includes(word)) fail(node, `${kind} ${name}: non-enum value ${word}.`);
    validateUses(schema, nodes(value, "Directives"), "ENUM_VALUE", true);
  }
}

/** The first item whose name stands before it already. */
function repeated(items: readonly Node[]): Node | undefined {
  return items.find((item, i) => named(items.slice(0, i), text(item, "Name")) !== undefined);
}

function validateUnique({ name, node, fields, values, types }: TypeDefinition): void {
  const field = repeated(fields);
  if (field !== undefined) fail(field, `Field ${name}.${text(field, "Name")} can only be defined once.`);
  const value = repeated(values);
  if (value !== undefined) fail(value, `Enum value ${name}.${text(value, "Name")} can only be defined once.`);
  const member = types.find((type, i) => types.indexOf(type) < i);
  if (member !== undefined) fail(node, `Union type ${name} can only include type ${member} once.`);
}

function validateImplements(schema: Schema, type: TypeDefinition, name: string): void {
  const contract = schema.types.get(name);
  if (contract === undefined) fail(type.node, undefinedType(name));
  if (contract.kind !== "INTERFACE") fail(type.node, `${quote(name)} is a non interface type ${contract.kind}.`);
  for (const required of contract.fields) {
    const fieldName = text(required, "Name");
    const found = named(type.fields, fieldName);
    const lead = `For ${type.name} to implement ${name}`;
    if (found === undefined) fail(type.node, `${lead} it must have a field called ${fieldName}.`);
    if (!isCovariant(schema, child(required, "Type"), child(found, "Type"))) {
      fail(found, `${lead} the field ${fieldName} must have type ${typeText(child(required, "Type"))}.`);
    }
    validateSameArguments(required, found, lead);
  }
  for (const ancestor of contract.interfaces) {
    if (type.interfaces.includes(ancestor)) continue;
    if (ancestor === type.name) {
      fail(type.node, `Type ${type.name} cannot implement ${name} because it would create a circular reference.`);
    }
    fail(type.node, `Type ${type.name} must implement ${ancestor} because it is implemented by ${name}.`);
  }
}

function validateSameArguments(required: Node, found: Node, lead: string): void {
  const name = text(required, "Name");
  for (const arg of nodes(required, "Arguments")) {
    const argName = text(arg, "Name");
    const own = named(nodes(found, "Arguments"), argName);
    const same = `${lead} the field ${name} must have the same arguments but`;
    if (own === undefined) fail(found, `${same} it is missing ${argName}.`);
    if (!isCompatible(child(arg, "Type"), child(own, "Type"))) fail(own, `${same} ${argName} has the wrong type.`);
  }
  for (const own of nodes(found, "Arguments")) {
    const isRequired = isNonNull(child(own, "Type")) && child(own, "DefaultValue") === undefined;
    if (named(nodes(required, "Arguments"), text(own, "Name")) !== undefined || !isRequired) continue;
    const rule = `any additional arguments on ${name} must be optional or have a default value`;
    fail(own, `${lead} ${rule} but ${text(own, "Name")} is required.`);
  }
}

/** Whether a value of type `type` may stand where `other` is expected. */
export function isCompatible(type: Node | undefined, other: Node | undefined, nonNull = isNonNull(other)): boolean {
  if (type === undefined || other === undefined) return type === other;
  if (text(type, "NamedType") !== text(other, "NamedType")) return false;
  const element = child(type, "Elem");
  if (element !== undefined && !isCompatible(element, child(other, "Elem"))) return false;
  return !nonNull || isNonNull(type);
}

function isCovariant(schema: Schema, required: Node | undefined, actual: Node | undefined): boolean {
  if (required === undefined || actual === undefined) return required === actual;
  if (isNonNull(required) && !isNonNull(actual)) return false;
  const name = text(required, "NamedType");
  if (name === "") return isCovariant(schema, child(required, "Elem"), child(actual, "Elem"));
  const own = text(actual, "NamedType");
  return name === own || (schema.possible.get(name) ?? []).some((type) => type.name === own);
}

/** No input object may need itself. */
function validateInputCycles(schema: Schema): void {
  const done = new Set<string>();
  const visit = (type: TypeDefinition, path: readonly { readonly type: string; readonly field: Node }[]): void => {
    if (done.has(type.name)) return;
    done.add(type.name);
    for (const field of type.fields) {
      const reference = child(field, "Type");
      const next = isNonNull(reference) && reference !== undefined ? schema.types.get(text(reference, "NamedType")) : undefined;
      if (next?.kind !== "INPUT_OBJECT") continue;
      const longer = [...path, { type: type.name, field }];
      const start = longer.findIndex((step) => step.type === next.name);
      const cycle = start < 0 ? [] : longer.slice(start);
      if (cycle.length > 0) {
        const names = cycle.map((step) => text(step.field, "Name")).join(".");
        const what = `Cannot reference Input Object ${quote(next.name)} within itself through a series of non-null fields`;
        fail(cycle[0]?.field, `${what}: ${quote(names)}.`);
      }
      visit(next, longer);
    }
  };
  for (const name of [...schema.types.keys()].sort()) {
    const type = schema.types.get(name);
    if (type?.kind === "INPUT_OBJECT") visit(type, []);
  }
}
