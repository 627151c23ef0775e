import { anyType, objectOf, setOf, stringType } from "../types/type.ts";
import { RegoSet } from "../values/value.ts";
import type { Builtin, BuiltinResult } from "./builtin.ts";
import { requestProblem } from "./http-request.ts";
import { formatAddress, parseIp } from "./ip-network.ts";
import { any, declared, failure, object, string, unary } from "./operand.ts";

const refused = (name: string) =>
  failure(`${name} is off: a policy's verdict may not hang on what the network answers while it is evaluated`);

/** Addresses are their own, and `localhost` is the loopback by definition (RFC 6761); all other names take a network. */
function lookUp(name: string): BuiltinResult {
  if (name === "localhost") return RegoSet.of(["127.0.0.1"]);
  const address = parseIp(name);
  return address === undefined ? refused("net.lookup_ip_addr") : RegoSet.of([formatAddress(address.family, address.value)]);
}

/** Builtins that ask the world outside. They check their arguments and then refuse. */
export const outsideBuiltins: readonly Builtin[] = [
  unary(
    "http.send",
    declared(objectOf(stringType, anyType), object),
    objectOf(anyType, anyType),
    (request) => requestProblem(request) ?? refused("http.send"),
    { nondeterministic: true },
  ),
  // Gatekeeper's own: OPA does not have it.
  unary("external_data", any, anyType, (request, { external }) => external?.(request) ?? refused("external_data"), {
    nondeterministic: true,
  }),
  unary("net.lookup_ip_addr", string, setOf(stringType), lookUp, { nondeterministic: true }),
];
