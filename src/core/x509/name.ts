import type { JsonObject } from "../json.ts";
import { type DerElement, DerReader, derTag, readElements, readOid, readText } from "./der.ts";

/** The attributes that Go's pkix.Name knows, by their last number under 2.5.4. */
const listed: { readonly [number: number]: string } = {
  6: "Country",
  7: "Locality",
  8: "Province",
  9: "StreetAddress",
  10: "Organization",
  11: "OrganizationalUnit",
  17: "PostalCode",
};
const single: { readonly [number: number]: string } = { 3: "CommonName", 5: "SerialNumber" };

/** A distinguished name as Go's pkix.Name in JSON. */
export function readName(name: DerElement): JsonObject {
  const result: { [field: string]: string | string[] | null } = { CommonName: "", SerialNumber: "", ExtraNames: null };
  for (const field of Object.values(listed)) result[field] = null;
  const names: JsonObject[] = [];
  for (const set of readElements(name.content)) {
    for (const pair of readElements(set.content)) {
      const reader = new DerReader(pair.content);
      const type = readOid(reader.next(derTag.oid));
      const value = readText(reader.next());
      names.push({ Type: type, Value: value });
      const [a, b, c, number = 0] = type;
      if (type.length !== 4 || a !== 2 || b !== 5 || c !== 4) continue;
      const text = single[number];
      const list = listed[number];
      if (text !== undefined) result[text] = value;
      else if (list !== undefined) {
        const known = result[list];
        result[list] = [...(Array.isArray(known) ? known : []), value];
      }
    }
  }
  return { ...result, Names: names.length === 0 ? null : names };
}
