/** An image reference as AssignImage takes it apart: the tag begins with `:` or `@`. */
export interface ImageParts {
  readonly domain: string;
  readonly path: string;
  readonly tag: string;
}

const domainForm = /^\w[\w-]*\.[\w.-]*\w(?::\d+)?$|^localhost(?::\d+)?$/;
const pathForm = /^[a-z0-9]+(?:(?:[._/]|__|-*)[a-z0-9]+)*/;
const tagForm = /^:\w[\w.-]{0,127}$|^@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9A-Fa-f]{32,}$/;

function splitDomain(name: string): readonly [domain: string, rest: string] {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(0, slash));
  return slash >= 0 && (/[.:]/.test(first) || first === "localhost") ? [first, name.slice(slash + 1)] : ["", name];
}

function splitTag(rest: string): readonly [path: string, tag: string] {
  const at = rest.search(/[:@]/);
  return at < 0 ? [rest, ""] : [rest.slice(0, at), rest.slice(at)];
}

export function parseImage(reference: string): ImageParts {
  const [domain, rest] = splitDomain(reference);
  const [path, tag] = splitTag(rest);
  return { domain, path, tag };
}

/** The reference with the parts that are not empty in place of its own. */
export function changedImage(reference: string, wanted: ImageParts): string {
  const own = parseImage(reference);
  const domain = wanted.domain || own.domain;
  return `${domain === "" ? "" : `${domain}/`}${wanted.path || own.path}${wanted.tag || own.tag}`;
}

/** Linear in the path, where an expression that goes back and forth would not be. */
function isPath(path: string): boolean {
  return pathForm.exec(path)?.[0] === path;
}

/** Why the parts cannot be put into a reference; undefined: they can. */
export function imagePartsProblem({ domain, path, tag }: ImageParts): string | undefined {
  if (domain === "" && path === "" && tag === "") return "at least one of assignDomain, assignPath, assignTag must be set";
  if (domain !== "" && (!domainForm.test(domain) || splitDomain(`${domain}/`)[0] !== domain)) {
    return `assignDomain ${JSON.stringify(domain)} must be a fully-qualified domain name or localhost`;
  }
  if (path !== "" && !isPath(path)) return `assignPath ${JSON.stringify(path)} must be the path of an image`;
  if (tag !== "" && (!tagForm.test(tag) || splitTag(tag)[0] !== "")) {
    return `assignTag ${JSON.stringify(tag)} must be a tag or a digest that begins with ':' or '@'`;
  }
  if (domain === "" && splitDomain(path)[0] !== "") {
    return `assignDomain must be set, as the first part of assignPath ${JSON.stringify(path)} may be a domain`;
  }
  return undefined;
}
