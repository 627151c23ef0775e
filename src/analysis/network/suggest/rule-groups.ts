import type { Direction } from "../model.ts";
import { type Allow, type AllowPeer, type AllowPort, type PolicyPlan, peerKey } from "./allow.ts";

/** Peers that may use the same ports: one rule. */
export interface RuleGroup {
  readonly peers: readonly AllowPeer[];
  /** Undefined: all. */
  readonly ports: readonly AllowPort[] | undefined;
}

/** The rules of one direction: ports of one peer joined, then peers of the same ports. */
export function ruleGroups({ allows }: PolicyPlan, direction: Direction): readonly RuleGroup[] {
  const byPeer = Map.groupBy(
    allows.filter((allow) => allow.direction === direction),
    (allow) => peerKey(allow.peer),
  );
  const rules = [...byPeer.values()].flatMap((group) => {
    const peer = group[0]?.peer;
    return peer === undefined ? [] : [{ peer, ports: joinPorts(group) }];
  });
  return [...Map.groupBy(rules, ({ ports }) => JSON.stringify(ports ?? "all")).values()].map((group) => ({
    peers: group.map(({ peer }) => peer),
    ports: group[0]?.ports,
  }));
}

const protocolOrder = ["TCP", "UDP", "SCTP"];

/** All ports that the allows name, overlapping and touching ranges joined; undefined where one allows all. */
function joinPorts(allows: readonly Allow[]): readonly AllowPort[] | undefined {
  const ports: AllowPort[] = [];
  for (const allow of allows) {
    if (allow.ports === undefined) return undefined;
    ports.push(...allow.ports);
  }
  const named = ports.filter((port) => port.name !== undefined);
  const numbered = ports
    .filter((port) => port.name === undefined)
    .sort((a, b) => protocolOrder.indexOf(a.protocol) - protocolOrder.indexOf(b.protocol) || a.from - b.from || a.to - b.to);
  const joined: AllowPort[] = [];
  for (const port of numbered) {
    const last = joined.at(-1);
    // Single ports stay single, so that people recognise them.
    const touches = last !== undefined && last.protocol === port.protocol && port.from <= last.to;
    if (touches) joined[joined.length - 1] = { ...last, to: Math.max(last.to, port.to) };
    else joined.push(port);
  }
  return [...joined, ...new Map(named.map((port) => [`${port.protocol} ${port.name}`, port])).values()];
}

/** Blocks of the internet: everything but private, link-local (with the metadata service) and shared ranges. */
export const internet = [
  { cidr: "0.0.0.0/0", except: ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"] },
  { cidr: "::/0", except: ["fc00::/7", "fe80::/10"] },
] as const;

export function hostBlock(address: string): string {
  return address.includes("/") ? address : `${address}/${address.includes(":") ? 128 : 32}`;
}

/** What each object says of where it comes from. */
export const proposedBy = { "app.kubernetes.io/managed-by": "castellan" } as const;
