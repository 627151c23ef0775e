import { isTemplate } from "../fields/placeholder.ts";
import { isPlaceholder } from "./text.ts";

interface TokenForm {
  readonly what: string;
  readonly pattern: RegExp;
}

/** Credentials that are recognised by their form alone. */
const tokenForms: readonly TokenForm[] = [
  { what: "a private key", pattern: /-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY/ },
  { what: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/ },
  { what: "a Google API key", pattern: /\bAIza[0-9A-Za-z_-]{35}\b/ },
  { what: "a GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,120})\b/ },
  { what: "a GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20}\b/ },
  { what: "a Hugging Face token", pattern: /\bhf_[A-Za-z0-9]{30,60}\b/ },
  { what: "an NVIDIA API key", pattern: /\bnvapi-[A-Za-z0-9_-]{40,}/ },
  { what: "an API key", pattern: /\bsk-[A-Za-z0-9_-]{20,}/ },
  { what: "a Slack token", pattern: /\bxox[abprs]-[A-Za-z0-9-]{10,}/ },
  { what: "a JSON web token", pattern: /\beyJ[A-Za-z0-9_-]{10,2048}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10,}/ },
  {
    what: "a URL with a password",
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@"'$<>{}]{0,64}:(?![$<{*x])[^\s:/@"'$<>{}]{3,64}@/i,
  },
];

/** What credential a text holds; undefined for none. */
export function recogniseToken(text: string): string | undefined {
  return tokenForms.find((form) => form.pattern.test(text) && !isMasked(form.pattern.exec(text)?.[0] ?? ""))?.what;
}

/** `sk-xxxxxxxxxxxxxxxxxxxx`, `hf_****`: documentation, no credential. */
function isMasked(token: string): boolean {
  return /([x*.])\1{5,}/i.test(token) || isTemplate(token) || /(?:placeholder|your[-_])/i.test(token);
}

const credentialName =
  /(?:^|[_.-])(?:password|passwd|passphrase|secret|token|api_?-?key|access_?-?key|secret_?-?key|private_?-?key|credentials?)$/i;
const camelName = /(?:Password|Passphrase|Secret|Token|ApiKey|AccessKey|SecretKey|PrivateKey)$/;

/** Whether a setting of this name is expected to hold a credential: not a file, a name or a switch. */
export function namesCredential(name: string): boolean {
  return credentialName.test(name) || camelName.test(name);
}

/** Values that stand where a credential is expected but are none. */
const harmless = [
  /^(?:true|false|yes|no|on|off|none|null|nil|disabled|enabled|auto|default|optional|required|empty|dummy|test|fake)$/i,
  /^\d{1,5}$/,
  /^[./~]/,
  /^(?:https?|file|s3|gs|vault|ref|secret|env|arn|projects)[:/]/i,
  /^(?:vault|ref|secretref|valuefrom):/i,
];

/** Whether a literal value of a setting that names a credential is one. */
export function isLiteralCredential(value: string): boolean {
  const text = value.trim();
  if (text.length < 4 || text.length > 400 || /\s/.test(text)) return false;
  return !isTemplate(text) && !isPlaceholder(text) && !harmless.some((pattern) => pattern.test(text));
}
