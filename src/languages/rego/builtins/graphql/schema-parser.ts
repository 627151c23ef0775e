import type { Value } from "../../values/value.ts";
import type { Token } from "./lexer.ts";
import { type Node, node } from "./node.ts";
import { Parser } from "./parser.ts";

/** Type system definitions and extensions. @throws GraphqlProblem */
export function parseSchemaDocument(input: string): Node {
  return new SchemaParser(input).document();
}

/** What stands before a definition. */
interface Description {
  readonly text: string;
  readonly token?: Token | undefined;
  readonly comment?: Value | undefined;
}

const locations = new Set([
  "QUERY",
  "MUTATION",
  "SUBSCRIPTION",
  "FIELD",
  "FRAGMENT_DEFINITION",
  "FRAGMENT_SPREAD",
  "INLINE_FRAGMENT",
  "VARIABLE_DEFINITION",
  "SCHEMA",
  "SCALAR",
  "OBJECT",
  "FIELD_DEFINITION",
  "ARGUMENT_DEFINITION",
  "INTERFACE",
  "UNION",
  "ENUM",
  "ENUM_VALUE",
  "INPUT_OBJECT",
  "INPUT_FIELD_DEFINITION",
]);

const kinds: { readonly [keyword: string]: string } = {
  scalar: "SCALAR",
  type: "OBJECT",
  interface: "INTERFACE",
  union: "UNION",
  enum: "ENUM",
  input: "INPUT_OBJECT",
};

class SchemaParser extends Parser {
  document(): Node {
    const { place } = this;
    const schema: Node[] = [];
    const schemaExtensions: Node[] = [];
    const directives: Node[] = [];
    const definitions: Node[] = [];
    const extensions: Node[] = [];
    while (!this.isNext("<EOF>")) {
      const description = this.#description();
      const { kind, value } = this.peek();
      if (kind !== "Name") this.unexpected();
      if (Object.hasOwn(kinds, value)) definitions.push(this.#definition(description, false));
      else if (value === "schema") schema.push(this.#schema(description));
      else if (value === "directive") directives.push(this.#directiveDefinition(description));
      else if (value === "extend") {
        if (description.text !== "") this.unexpected(description.token);
        const { comment } = this;
        this.next();
        if (this.peek().value === "schema") schemaExtensions.push(this.#schemaExtension(comment));
        else if (Object.hasOwn(kinds, this.peek().value)) extensions.push(this.#definition({ text: "", comment }, true));
        else this.unexpected();
      } else this.unexpected();
    }
    return node(
      {
        Schema: schema,
        SchemaExtension: schemaExtensions,
        Directives: directives,
        Definitions: definitions,
        Extensions: extensions,
        Comment: this.comment,
      },
      place,
    );
  }

  #description(): Description {
    const token = this.peek();
    if (token.kind !== "BlockString" && token.kind !== "String") return { text: "" };
    const { comment } = this;
    return { text: this.next().value, token, comment };
  }

  #operationTypes(): readonly Node[] {
    return this.some("{", "}", () => {
      const { place } = this;
      const comment = this.comment;
      const token = this.next();
      if (!["query", "mutation", "subscription"].includes(token.value)) this.unexpected(token);
      this.expect(":");
      return node({ Operation: token.value, Type: this.name(), Comment: comment }, place);
    });
  }

  #schema(description: Description): Node {
    this.peek();
    const after = this.comment;
    this.expectKeyword("schema");
    const { place } = this;
    const directives = this.directives(true);
    const operationTypes = this.#operationTypes();
    return node(
      {
        Description: description.text,
        Directives: directives,
        OperationTypes: operationTypes,
        BeforeDescriptionComment: description.comment,
        AfterDescriptionComment: after,
      },
      place,
    );
  }

  #schemaExtension(comment: Value | undefined): Node {
    this.expectKeyword("schema");
    const { place } = this;
    const directives = this.directives(true);
    const operationTypes = this.#operationTypes();
    if (directives.length === 0 && operationTypes.length === 0) this.unexpected();
    const fields = { Description: "", Directives: directives, OperationTypes: operationTypes };
    return node({ ...fields, AfterDescriptionComment: comment }, place);
  }

  #definition(description: Description, isExtension: boolean): Node {
    this.peek();
    const after = isExtension ? description.comment : this.comment;
    const keyword = this.expect("Name").value;
    const { place } = this;
    const name = this.name();
    const isComposite = keyword === "type" || keyword === "interface";
    const interfaces = isComposite && !(isExtension && keyword === "interface") ? this.#interfaces() : [];
    const directives = this.directives(true);
    const fields = isComposite ? this.#fields() : keyword === "input" ? this.#inputValues("{", "}") : [];
    const types = keyword === "union" ? this.#unionTypes() : [];
    const values = keyword === "enum" ? this.#enumValues() : [];
    if (isExtension && [interfaces, directives, fields, types, values].every((list) => list.length === 0)) this.unexpected();
    return node(
      {
        Kind: kinds[keyword],
        Description: description.text,
        Name: name,
        Directives: directives,
        Interfaces: interfaces,
        Fields: fields,
        Types: types,
        EnumValues: values,
        BuiltIn: false,
        BeforeDescriptionComment: isExtension ? undefined : description.comment,
        AfterDescriptionComment: after,
      },
      place,
    );
  }

  #interfaces(): readonly string[] {
    if (this.peek().value !== "implements") return [];
    this.next();
    this.skip("&");
    const names = [this.name()];
    while (this.skip("&")) names.push(this.name());
    return names;
  }

  #unionTypes(): readonly string[] {
    if (!this.skip("=")) return [];
    this.skip("|");
    const names = [this.name()];
    while (this.skip("|")) names.push(this.name());
    return names;
  }

  /** A description and the comments around it. */
  #head(): { readonly [field: string]: Value | undefined } {
    const description = this.#description();
    this.peek();
    const before = description.text === "" ? undefined : description.comment;
    return { Description: description.text, BeforeDescriptionComment: before, AfterDescriptionComment: this.comment };
  }

  #fields(): readonly Node[] {
    return this.some("{", "}", () => {
      const head = this.#head();
      const { place } = this;
      const name = this.name();
      const args = this.#inputValues("(", ")");
      this.expect(":");
      const type = this.typeReference();
      return node({ ...head, Name: name, Arguments: args, Type: type, Directives: this.directives(true) }, place);
    });
  }

  /** Arguments, or the fields of input objects. */
  #inputValues(open: "(" | "{", close: ")" | "}"): readonly Node[] {
    return this.some(open, close, () => {
      const head = this.#head();
      const { place } = this;
      const name = this.name();
      this.expect(":");
      const type = this.typeReference();
      const defaultValue = this.skip("=") ? this.value(true) : undefined;
      const directives = this.directives(true);
      return node({ ...head, Name: name, Type: type, DefaultValue: defaultValue, Directives: directives }, place);
    });
  }

  #enumValues(): readonly Node[] {
    return this.some("{", "}", () => {
      const head = this.#head();
      const { place } = this;
      const name = this.name();
      return node({ ...head, Name: name, Directives: this.directives(true) }, place);
    });
  }

  #directiveDefinition(description: Description): Node {
    this.peek();
    const after = this.comment;
    this.expectKeyword("directive");
    this.expect("@");
    const { place } = this;
    const name = this.name();
    const args = this.#inputValues("(", ")");
    const isRepeatable = this.isNext("Name") && this.peek().value === "repeatable";
    if (isRepeatable) this.next();
    this.expectKeyword("on");
    this.skip("|");
    const found = [this.#location()];
    while (this.skip("|")) found.push(this.#location());
    return node(
      {
        Description: description.text,
        Name: name,
        Arguments: args,
        Locations: found,
        IsRepeatable: isRepeatable,
        BeforeDescriptionComment: description.comment,
        AfterDescriptionComment: after,
      },
      place,
    );
  }

  #location(): string {
    const token = this.expect("Name");
    return locations.has(token.value) ? token.value : this.unexpected(token);
  }
}
