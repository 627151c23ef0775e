import { AddressSet } from "../address-set.ts";
import type { PeerTerm, PodSelector } from "../rule.ts";

export const everything: PeerTerm = { key: "everything", everything: true };

export function podTerm(pods: PodSelector): PeerTerm {
  return { key: `pods ${pods.key}`, pods };
}

/** Addresses, whatever stands behind them. */
export function addressTerm(addresses: AddressSet): PeerTerm {
  return { key: `addresses ${addressKey(addresses)}`, byAddress: addresses, external: addresses };
}

/** Addresses outside of the cluster only. */
export function worldTerm(addresses: AddressSet = AddressSet.all): PeerTerm {
  return { key: `world ${addressKey(addresses)}`, external: addresses };
}

export function addressKey(addresses: AddressSet): string {
  return `${addresses.v4.join()} ${addresses.v6.join()}`;
}
