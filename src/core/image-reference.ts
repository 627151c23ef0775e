/** The parts of a container image's reference. Empty parts are absent. */
export interface ImageReference {
  /** `docker.io`, `ghcr.io`, `localhost:5000` */
  readonly registry: string;
  /** The last part of the path: `busybox`. */
  readonly name: string;
  /** Repository without the registry: `some-repository/busybox`. */
  readonly path: string;
  readonly tag: string;
  readonly digest: string;
}

export type ParsedImage =
  | { readonly ok: true; readonly value: ImageReference }
  | { readonly ok: false; readonly message: string };

/** The registry of references that name none. */
const defaultRegistry = "docker.io";

// The grammar of github.com/distribution/reference. Each part is linear; the length is bounded before they run.
const label = "[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?";
const domain = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = "[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*";
const remote = `${component}(?:/${component})*`;
const anchoredName = new RegExp(`^(?:(${domain})/)?(${remote})$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const digestLengths: { readonly [algorithm: string]: number } = { sha256: 64, sha384: 96, sha512: 128 };

const longestReference = 1000;
const longestName = 255;
const invalidFormat = "invalid reference format";

/** Whether the first part of the text names a registry rather than a repository on the default one. */
function namesRegistry(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return false;
  const first = text.slice(0, slash);
  return /[.:]/.test(first) || first === "localhost" || first.toLowerCase() !== first;
}

/** The reference with the default registry in front where it names none. */
export function withDefaultRegistry(text: string): string {
  return namesRegistry(text) ? text : `${defaultRegistry}/${text}`;
}

interface Split {
  readonly name: string;
  readonly tag: string;
  readonly digest: string;
}

function split(text: string): Split | undefined {
  const at = text.indexOf("@");
  const digest = at < 0 ? "" : text.slice(at + 1);
  const rest = at < 0 ? text : text.slice(0, at);
  if (at >= 0 && !digestPattern.test(digest)) return undefined;
  const colon = rest.lastIndexOf(":");
  const tagged = colon > rest.lastIndexOf("/");
  const tag = tagged ? rest.slice(colon + 1) : "";
  if (tagged && !tagPattern.test(tag)) return undefined;
  return { name: tagged ? rest.slice(0, colon) : rest, tag, digest };
}

function digestProblem(digest: string): string | undefined {
  const colon = digest.indexOf(":");
  const algorithm = digest.slice(0, colon);
  const length = Object.hasOwn(digestLengths, algorithm) ? digestLengths[algorithm] : undefined;
  if (length === undefined) return "unsupported digest algorithm";
  const encoded = digest.slice(colon + 1);
  if (encoded.length !== length) return "invalid checksum digest length";
  return /^[a-f0-9]+$/.test(encoded) ? undefined : "invalid checksum digest format";
}

/**
 * Parses an image reference; one that names no registry is on the default one, one with neither tag nor digest has
 * the tag `latest`. Messages are those of the Go package distribution/reference.
 */
export function parseImageReference(text: string): ParsedImage {
  const full = withDefaultRegistry(text);
  const bad = (message: string): ParsedImage => ({ ok: false, message });
  if (full.length > longestReference) return bad(invalidFormat);
  const parts = split(full);
  const match = parts === undefined ? null : anchoredName.exec(parts.name);
  if (parts === undefined || match === null) {
    const lower = split(full.toLowerCase());
    const onlyCase = lower !== undefined && anchoredName.test(lower.name);
    return bad(onlyCase ? "repository name must be lowercase" : invalidFormat);
  }
  const path = match[2] ?? "";
  if (path.length > longestName) return bad(`repository name must not be more than ${longestName} characters`);
  const problem = parts.digest === "" ? undefined : digestProblem(parts.digest);
  if (problem !== undefined) return bad(problem);
  return {
    ok: true,
    value: {
      registry: match[1] ?? "",
      path,
      name: path.slice(path.lastIndexOf("/") + 1),
      tag: parts.tag === "" && parts.digest === "" ? "latest" : parts.tag,
      digest: parts.digest,
    },
  };
}

/** `registry/path@digest`, or `registry/path:tag` where there is no digest. */
export function formatImage(image: ImageReference): string {
  const repository = image.registry === "" ? image.path : `${image.registry}/${image.path}`;
  return image.digest === "" ? `${repository}:${image.tag}` : `${repository}@${image.digest}`;
}
