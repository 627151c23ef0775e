import { type Library, memberOverload, overload } from "../../declarations.ts";
import { boolType, type CelType, type CelTypeOf, opaqueType, stringType } from "../../types.ts";
import { CelError, CelObject, type CelValue, noSuchOverload, type Value } from "../../values/value.ts";

const imageType: CelTypeOf<Image> = opaqueType("kyverno.image");

/** An image reference as Go's containerregistry package reads it. */
class Image extends CelObject {
  readonly registry: string;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;

  constructor(registry: string, repository: string, tag: string, digest: string) {
    super();
    this.registry = registry;
    this.repository = repository;
    this.tag = tag;
    this.digest = digest;
  }

  get type(): CelType {
    return imageType;
  }

  equals(other: CelValue): boolean | CelError {
    if (!(other instanceof Image)) return noSuchOverload();
    const { registry, repository, tag, digest } = this;
    return other.registry === registry && other.repository === repository && other.tag === tag && other.digest === digest;
  }
}

const defaultRegistry = "index.docker.io";

interface Repository {
  readonly registry: string;
  readonly repository: string;
}

function parseRepository(name: string): Repository | undefined {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = /[.:]/.test(first);
  const path = hasRegistry ? name.slice(slash + 1) : name;
  if (!/^[a-z0-9_\-./]{2,255}$/.test(path)) return undefined;
  const registry = hasRegistry && first !== "docker.io" ? first : defaultRegistry;
  if (!/^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(?::\d+)?$/.test(registry)) return undefined;
  const implicit = registry === defaultRegistry && !path.includes("/");
  return { registry, repository: implicit ? `library/${path}` : path };
}

/** The text without its tag, and the tag; empty where there is none. */
function splitTag(text: string): readonly [name: string, tag: string] {
  const colon = text.lastIndexOf(":");
  return colon < 0 || text.includes("/", colon) ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
}

const isTag = (tag: string): boolean => /^[\w.-]{1,128}$/.test(tag);

function parseImage(text: string): Image | undefined {
  const at = text.indexOf("@");
  if (at < 0) {
    const [name, tag] = splitTag(text);
    const repository = parseRepository(name);
    if (repository === undefined || (name !== text && !isTag(tag))) return undefined;
    return new Image(repository.registry, repository.repository, tag || "latest", "");
  }
  const digest = text.slice(at + 1);
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  const [name, tag] = splitTag(text.slice(0, at));
  const repository = parseRepository(name);
  return repository === undefined ? undefined : new Image(repository.registry, repository.repository, tag, digest);
}

function toImage(text: string): Value {
  return parseImage(text) ?? new CelError(`could not parse reference: ${text}`);
}

function identifier({ tag, digest }: Image): string {
  if (digest === "") return tag;
  return tag === "" ? digest : `${tag}@${digest}`;
}

function reader(name: string, result: CelType, read: (image: Image) => Value) {
  return { name, overloads: [memberOverload(`image_${name}`, [imageType], result, read)] };
}

/** `image("...")` and the parts of an image. */
export const imageLibrary: Library = {
  name: "kyverno.image",
  functions: [
    { name: "image", overloads: [overload("string_to_image", [stringType], imageType, toImage)] },
    { name: "parseImageReference", overloads: [overload("parse_image_reference", [stringType], imageType, toImage)] },
    {
      name: "isImage",
      overloads: [overload("is_image_string", [stringType], boolType, (text) => parseImage(text) !== undefined)],
    },
    reader("containsDigest", boolType, ({ digest }) => digest !== ""),
    reader("registry", stringType, ({ registry }) => registry),
    reader("repository", stringType, ({ repository }) => repository),
    reader("identifier", stringType, identifier),
    reader("identifierWithSeparator", stringType, ({ tag, digest }) => (digest === "" ? `:${tag}` : `@${digest}`)),
    reader("tag", stringType, ({ tag }) => tag),
    reader("digest", stringType, ({ digest }) => digest),
  ],
};
