import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { failed, type Loaded, loaded } from "../../core/diagnostic.ts";
import { asString, type JsonValue, member } from "../../core/json.ts";
import { parseDocuments } from "../../core/yaml/parse-documents.ts";
import type { ClusterAccess, ExecPlugin } from "./kubeconfig.ts";

/** What a request carries, and what its connection shows. */
export interface Credentials {
  readonly headers: { readonly [name: string]: string | string[] };
  /** PEM. */
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

const timeoutMilliseconds = 60_000;

/** The credentials of an identity: plugins are run, token files read. */
export async function credentialsOf(access: ClusterAccess): Promise<Loaded<Credentials>> {
  const { identity } = access;
  let { token, certificate, key } = identity;
  if (identity.tokenFile !== undefined) {
    try {
      token = readFileSync(identity.tokenFile, "utf8").trim();
    } catch (error) {
      return refused(`the token file cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (identity.exec !== undefined && token === undefined && certificate === undefined) {
    const made = await runPlugin(identity.exec, access);
    if (!made.ok) return made;
    ({ token, certificate, key } = made.value);
  }
  const headers: { [name: string]: string | string[] } = {};
  if (token !== undefined && token !== "") headers["authorization"] = `Bearer ${token}`;
  else if (identity.basic !== undefined) {
    const { username, password } = identity.basic;
    headers["authorization"] = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  }
  if (identity.impersonate !== undefined) {
    headers["impersonate-user"] = identity.impersonate.user;
    if (identity.impersonate.groups.length > 0) headers["impersonate-group"] = [...identity.impersonate.groups];
    if (identity.impersonate.uid !== "") headers["impersonate-uid"] = identity.impersonate.uid;
  }
  return loaded({ headers, certificate, key });
}

interface PluginCredentials {
  readonly token: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

/** Runs an exec plugin as client-go does (client.authentication.k8s.io, KEP-541), without a shell. */
async function runPlugin(plugin: ExecPlugin, access: ClusterAccess): Promise<Loaded<PluginCredentials>> {
  const interactive = plugin.interactive && process.stdin.isTTY === true;
  const cluster = {
    server: access.server,
    "tls-server-name": access.serverName,
    "insecure-skip-tls-verify": access.insecure,
    "certificate-authority-data": access.authority === undefined ? undefined : Buffer.from(access.authority).toString("base64"),
  };
  const info = {
    apiVersion: plugin.apiVersion,
    kind: "ExecCredential",
    spec: { interactive, ...(plugin.provideClusterInfo ? { cluster } : {}) },
  };
  const env = { ...process.env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const run = await capture(plugin, env, interactive);
  if (!run.ok) return refused(`the credential plugin "${plugin.command}" ${run.message}`, plugin.installHint);
  const [document] = parseDocuments(run.output, plugin.command).documents;
  const status: JsonValue | undefined = member(document?.value, "status");
  const made = {
    token: asString(member(status, "token")),
    certificate: asString(member(status, "clientCertificateData")),
    key: asString(member(status, "clientKeyData")),
  };
  if (made.token === undefined && made.certificate === undefined) {
    return refused(`the credential plugin "${plugin.command}" gave neither a token nor a certificate`);
  }
  return loaded(made);
}

type Captured = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly message: string };

/** The plugin talks to the user on standard error, and when it may on standard input. */
function capture(plugin: ExecPlugin, env: NodeJS.ProcessEnv, interactive: boolean): Promise<Captured> {
  return new Promise((done) => {
    const child = spawn(plugin.command, plugin.args, {
      env,
      stdio: [interactive ? "inherit" : "ignore", "pipe", "inherit"],
      timeout: timeoutMilliseconds,
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.once("error", (error) => done({ ok: false, message: `could not be run: ${error.message}` }));
    child.once("close", (code, signal) => {
      if (code === 0) done({ ok: true, output });
      else done({ ok: false, message: signal === null ? `ended with ${code}` : `was ended by ${signal}` });
    });
  });
}

function refused(message: string, next = ""): ReturnType<typeof failed> {
  return failed({ code: "CREDENTIALS_MISSING", severity: "error", message, ...(next === "" ? {} : { next }) });
}
