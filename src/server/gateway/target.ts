import { type ParsedTarget, parseRequestTarget } from "../../access/classify/request-target.ts";

/** Behind this the path is that of a program in the cluster, which may read it in its own way. */
const proxied = /^\/api\/[^/]+\/(?:namespaces\/[^/]+\/)?(?:pods|services|nodes)\/[^/]+\/proxy(?=\/)/;

/** One character a byte, none of them blank, control or beyond ASCII. */
const printable = /^[\x21-\x7e]+$/;

/**
 * A request target that may be forwarded, split. What is forwarded goes up byte for byte, so everything that a server or a proxy on the
 * way might read in another way than our classification is refused here.
 */
export function readTarget(target: string): ParsedTarget {
  if (!target.startsWith("/"))
    return refused("the request target must be a path: absolute URLs and authorities are not forwarded");
  if (!printable.test(target)) return refused("the request target has characters that must be percent-encoded");
  if (target.includes("#")) return refused("the request target has a fragment");
  const parsed = parseRequestTarget(target);
  if (!parsed.ok) return parsed;
  const { path } = parsed.value;
  if (path.includes("\ufffd")) return refused("the path is not UTF-8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\\\u0000-\u001f\u007f]/.test(path)) return refused("the path has a backslash or a control character");
  if (/\/\.\.?(?:\/|$)/.test(path)) return refused("the path has a dot segment");
  const rawPath = target.split("?", 1)[0] ?? "";
  const own = proxied.exec(rawPath)?.[0] ?? rawPath;
  if (own.includes("//")) return refused("the path has an empty segment");
  if (/%2f/i.test(own)) return refused("the path has an encoded slash");
  return parsed;
}

const refused = (message: string): ParsedTarget => ({ ok: false, message });
