import { parseIpPrefix } from "../../../core/ip-address.ts";
import { AddressSet } from "../address-set.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";

/** A CIDR block; anything else is reported and undefined. Leading zeros and a missing length are refused, as the API server does. */
export function readCidr(reader: Reader, field: Field | undefined): AddressSet | undefined {
  const text = reader.text(field);
  if (field === undefined || text === undefined) return undefined;
  const prefix = parseIpPrefix(text);
  if (prefix.ok) return AddressSet.ofPrefix(prefix.value);
  reader.problem(field.path, `${JSON.stringify(text)} is no address range such as 10.0.0.0/16`);
  return undefined;
}

/** `{cidr, except}`. Each `except` has to lie within `cidr` and to be smaller. Undefined where anything is wrong. */
export function readIpBlock(reader: Reader, block: ObjectField): AddressSet | undefined {
  const before = reader.errors;
  reader.onlyKnown(block, ["cidr", "except"]);
  const cidrField = reader.at(block, "cidr");
  if (cidrField === undefined) reader.problem(block.path, "cidr is missing");
  const cidr = readCidr(reader, cidrField);
  let set = cidr;
  for (const field of reader.list(reader.at(block, "except")) ?? []) {
    const except = readCidr(reader, field);
    if (except === undefined || cidr === undefined) continue;
    if (!cidr.contains(except) || cidr.equals(except)) {
      reader.problem(field.path, `${shown(field.value)} does not lie within ${shown(cidrField?.value)}, or is all of it`);
    }
    set = set?.subtract(except);
  }
  return reader.errors > before ? undefined : set;
}
