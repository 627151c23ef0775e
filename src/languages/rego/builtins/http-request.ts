import { printValue } from "../values/print.ts";
import { type RegoObject, RegoSet } from "../values/value.ts";
import type { BuiltinError } from "./builtin.ts";
import { operandError } from "./operand.ts";

const allowed = new Set([
  "method",
  "url",
  "body",
  "enable_redirect",
  "force_json_decode",
  "force_yaml_decode",
  "headers",
  "raw_body",
  "tls_use_system_certs",
  "tls_ca_cert",
  "tls_ca_cert_file",
  "tls_ca_cert_env_variable",
  "tls_client_cert",
  "tls_client_cert_file",
  "tls_client_cert_env_variable",
  "tls_client_key",
  "tls_client_key_file",
  "tls_client_key_env_variable",
  "tls_insecure_skip_verify",
  "tls_server_name",
  "timeout",
  "cache",
  "force_cache",
  "force_cache_duration_seconds",
  "raise_error",
  "caching_mode",
  "max_retry_attempts",
  "cache_ignored_headers",
]);

/** What is wrong with the members of an HTTP request; undefined: nothing. */
export function requestProblem(request: RegoObject): BuiltinError | undefined {
  const keys = request.sorted().map(({ key }) => key);
  const invalid = RegoSet.of(keys.filter((key) => typeof key !== "string" || !allowed.has(key)));
  if (invalid.size > 0) return operandError(1, `invalid request parameters(s): ${printValue(invalid)}`);
  const missing = RegoSet.of(["method", "url"].filter((key) => !request.has(key)));
  if (missing.size === 0) return undefined;
  return operandError(1, `missing required request parameters(s): ${printValue(missing)}`);
}
