import type { Ask } from "../../access/request.ts";
import { actionPreview } from "../../services/access/action-preview.ts";
import type { Call } from "./call.ts";
import type { PinnedObject } from "./pinned-object.ts";

/** What approvers see of a call. */
export function previewOf(call: Call, found: PinnedObject): Extract<Ask, { type: "action" }>["preview"] {
  return actionPreview(call.action, found.ok ? found.object : undefined, call.body);
}
