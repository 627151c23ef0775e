import { readFileSync } from "node:fs";
import { decodeBase64 } from "../../core/utf8.ts";
import type { RegistryAccess } from "./registry-client.ts";

const dockerHub = { origin: "https://registry-1.docker.io", login: "https://index.docker.io/v1/" };

/**
 * Registries by what stands in front of an image's path. Each is a host (`ghcr.io`, `docker.io`), or `http://host` for one that speaks no
 * TLS; `config` is a file as `docker login` writes it (`auths`).
 * @throws Error where a registry is no host, or the file is no such file
 */
export function registryAccess(registries: readonly string[], config: string | undefined): ReadonlyMap<string, RegistryAccess> {
  const auths = config === undefined ? {} : authsIn(config);
  return new Map(
    registries.map((text): [string, RegistryAccess] => {
      const url = URL.parse(text.includes("://") ? text : `https://${text}`);
      if (url === null || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search !== "" || url.username !== "")
        throw new Error(`${text} is no registry: write its host, as images have it`);
      const isHub = url.host === "docker.io";
      const origin = isHub ? dockerHub.origin : url.origin;
      return [url.host, { origin, credentials: auths[url.host] ?? (isHub ? auths[dockerHub.login] : undefined) }];
    }),
  );
}

/** `user:password` by registry. */
function authsIn(file: string): { readonly [registry: string]: string } {
  const bad = new Error(`${file} is no file as docker login writes it: it needs auths with an auth for each registry`);
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    throw bad;
  }
  if (typeof config !== "object" || config === null || !("auths" in config)) throw bad;
  return Object.fromEntries(
    Object.entries(config.auths ?? {}).map(([registry, entry]) => {
      const auth: unknown = entry?.auth;
      const bytes = typeof auth === "string" ? decodeBase64(auth) : undefined;
      if (bytes === undefined) throw bad;
      return [registry, Buffer.from(bytes).toString("utf8")];
    }),
  );
}
