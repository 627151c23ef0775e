import { readFileSync } from "node:fs";
import type { RegistryAccess } from "./registry-client.ts";

/** `docker login` keeps its credentials under another name. */
const dockerHub = { origin: "https://registry-1.docker.io", host: "index.docker.io" };

/**
 * Registries by what stands in front of an image's path. Each is a host (`ghcr.io`, `docker.io`), or `http://host` for one that speaks no
 * TLS; `config` is a file as `docker login` writes it (`auths`).
 * @throws Error where a registry is no host, or the file is no such file
 */
export function registryAccess(registries: readonly string[], config: string | undefined): ReadonlyMap<string, RegistryAccess> {
  const authOf = config === undefined ? () => undefined : authsIn(config);
  return new Map(
    registries.map((text): [string, RegistryAccess] => {
      const url = URL.parse(text.includes("://") ? text : `https://${text}`);
      if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.username !== "")
        throw new Error(`${text} is no registry: write its host, as images have it`);
      const isHub = url.host === "docker.io";
      const credentials = authOf(url.host) ?? (isHub ? authOf(dockerHub.host) : undefined);
      return [url.host, { origin: isHub ? dockerHub.origin : url.origin, credentials }];
    }),
  );
}

/** Finds `user:password` of a registry; undefined where the file has nothing about it. @throws Error where it has, and it cannot be used */
function authsIn(file: string): (registry: string) => string | undefined {
  const config = readConfig(file);
  const entries = new Map(Object.entries(objectIn(config, "auths")).map(([name, entry]) => [hostOf(name), entry]));
  const helped = new Set(Object.keys(objectIn(config, "credHelpers")).map(hostOf));
  return (registry) => {
    const entry = entries.get(registry);
    const auth = entry?.["auth"];
    if (typeof auth === "string" && auth !== "") {
      const text = Buffer.from(auth, "base64").toString("utf8");
      if (/^[^:]+:./s.test(text)) return text;
    }
    // Docker leaves an entry without a password where a program keeps it, or where it has a token instead.
    if (entry === undefined && !helped.has(registry)) return undefined;
    throw new Error(`${file} has no user and password for ${registry}: credential helpers and identity tokens are not used here`);
  };
}

type Config = { readonly [name: string]: unknown };

const isConfig = (value: unknown): value is Config => typeof value === "object" && value !== null && !Array.isArray(value);

const objectIn = (config: Config, name: string): { readonly [name: string]: Config } => {
  const value = config[name];
  return isConfig(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, isConfig(one) ? one : {}])) : {};
};

function readConfig(file: string): Config {
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    config = undefined;
  }
  if (isConfig(config) && isConfig(config["auths"])) return config;
  throw new Error(`${file} is no file as docker login writes it: it needs auths with an auth for each registry`);
}

/** Docker's entries are hosts, or addresses with a version: `https://index.docker.io/v1/`. */
const hostOf = (name: string): string => URL.parse(name.includes("://") ? name : `https://${name}`)?.host ?? name;
