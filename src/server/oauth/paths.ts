/** The command line: public, known to all (RFC 8252). */
export const clientId = "castellan-cli";
/** What tokens are good for; audiences part them further. */
export const scope = "access";

/** Where tokens are asked for, under the console's address; the names are the library's. */
export const paths = {
  authorization: "/oauth/authorize",
  token: "/oauth/token",
  device_authorization: "/oauth/device/authorization",
  code_verification: "/oauth/device",
  revocation: "/oauth/revoke",
  jwks: "/oauth/keys",
} as const;

/** What a server says about itself to command lines. */
export const connectionPath = "/.well-known/castellan";
