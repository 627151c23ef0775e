import { describe, expect, test } from "vitest";
import { requestInfo } from "./request-info.ts";
import { parseRequestTarget } from "./request-target.ts";

function classify(line: string): string {
  const [method = "", target = ""] = line.split(" ");
  const parsed = parseRequestTarget(target);
  if (!parsed.ok) return `error: ${parsed.message}`;
  const { isResourceRequest, verb, apiGroup, namespace, resource, subresource, name, path } = requestInfo(method, parsed.value);
  return isResourceRequest ? [verb, apiGroup, namespace, resource, subresource, name].join("|") : `${verb} ${path}`;
}

describe("requestInfo", () => {
  test.each([
    ["GET /api/v1/namespaces/a/pods", "list||a|pods||"],
    ["GET /api/v1/namespaces/a/pods/p", "get||a|pods||p"],
    ["GET /api/v1/namespaces/a/pods/p/log?follow=true", "get||a|pods|log|p"],
    ["GET /apis/apps/v1/deployments", "list|apps||deployments||"],
    ["GET /api/v1/pods?watch=true", "watch|||pods||"],
    ["GET /api/v1/pods?watch=0", "list|||pods||"],
    ["GET /api/v1/pods?watch", "watch|||pods||"],
    ["GET /api/v1/watch/pods", "watch|||pods||"],
    ["GET /api/v1/namespaces/a", "get||a|namespaces||a"],
    ["PUT /api/v1/namespaces/a/finalize", "update||a|namespaces|finalize|a"],
    ["DELETE /api/v1/namespaces/a/pods", "deletecollection||a|pods||"],
    ["DELETE /api/v1/namespaces/a/pods/p", "delete||a|pods||p"],
    ["POST /api/v1/namespaces/a/pods/p/exec?command=sh", "create||a|pods|exec|p"],
    ["HEAD /api/v1/pods", "list|||pods||"],
    ["PATCH /api/v1/nodes/n/status", "patch|||nodes|status|n"],
    ["GET /api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dp", "list||a|pods||p"],
    ["GET /api/v1/namespaces/a/pods?fieldSelector=metadata.name!%3Dp", "list||a|pods||"],
    ["GET /api/v1/namespaces/a%2Fpods", "list||a|pods||"],
    ["GET /healthz/etcd", "get /healthz/etcd"],
    ["GET /apis", "get /apis"],
    ["GET /api/v1", "get /api/v1"],
  ])("%s", (line, want) => expect(classify(line)).toBe(want));
});
