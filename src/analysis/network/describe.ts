import type { Endpoint } from "./model.ts";

/** An endpoint as people name it: `nlp/api-gateway[Deployment]`, `0.0.0.0/0`, `the API server`. */
export function describeEndpoint(endpoint: Endpoint): string {
  switch (endpoint.kind) {
    case "workload":
      return endpoint.id;
    case "node":
      return endpoint.id === "node" ? "a node" : endpoint.id;
    case "apiserver":
      return "the API server";
    case "external":
      return endpoint.addresses.toString();
    case "domain":
      return endpoint.names.join(", ");
  }
}
