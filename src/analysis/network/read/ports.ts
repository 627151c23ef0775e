import { ConnectionSet, type ProtocolNumber, portProtocols, protocolNumber, protocols } from "../connection-set.ts";
import type { PortMatch } from "../rule.ts";
import { type Field, type ObjectField, type Reader, shown } from "./reader.ts";

export const everyPort: PortMatch = { numbers: ConnectionSet.all, named: [] };

/** TCP, UDP or SCTP; TCP where none is written. */
export function readProtocol(reader: Reader, field: Field | undefined): ProtocolNumber | undefined {
  if (field === undefined || field.value === "") return protocols.TCP;
  const text = reader.text(field);
  const number = text === undefined ? undefined : protocolNumber(text);
  // Names are upper case in this API: `tcp` is refused.
  if (number !== undefined && portProtocols.includes(number) && text === text?.toUpperCase()) return number;
  reader.problem(field.path, `${shown(field.value)} is not one of TCP, UDP, SCTP`);
  return undefined;
}

/** IANA service names: what containers may call their ports. */
export function isPortName(name: string): boolean {
  return name.length <= 15 && /^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name) && /[a-z]/.test(name);
}

export function readPortName(reader: Reader, field: Field | undefined): string | undefined {
  const text = reader.text(field);
  if (field === undefined || text === undefined) return undefined;
  if (isPortName(text)) return text;
  reader.problem(field.path, `${JSON.stringify(text)} is no port name`);
  return undefined;
}

/** `from` to `to` where both are numbers and in order. */
export function readRange(reader: Reader, range: ObjectField): readonly [number, number] | undefined {
  const [start, end] = ["start", "end"].map((key) => reader.integer(reader.at(range, key), 1, 65_535));
  if (start === undefined || end === undefined) {
    reader.problem(range.path, "a range needs start and end");
    return undefined;
  }
  if (start <= end) return [start, end];
  reader.problem(range.path, `the range ${start} to ${end} is empty`);
  return undefined;
}

/** Any of several. */
export function unionOfPorts(ports: readonly PortMatch[]): PortMatch {
  return {
    numbers: ports.reduce((set, port) => set.union(port.numbers), ConnectionSet.none),
    named: ports.flatMap((port) => port.named),
  };
}
