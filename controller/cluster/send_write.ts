import type { X402RouteStatus } from "../../crd/x402route_status.ts";
import type { ObjectName, RawObject } from "../cluster_state.ts";
import type { ClusterWrite } from "../plan/cluster_write.ts";
import type { KubeClient } from "./kube_client.ts";
import { listPath, objectPath } from "./kube_paths.ts";

/** In the managedFields of what it writes, so that GitOps tools can leave just that alone. */
export const fieldManager = "x402-k8s-operator";

/**
 * Sends one write of a plan, bound to the version of the object that it was decided on.
 *
 * @throws {KubeError} of status 409, 404 or 410 when the object is not what it was
 */
export async function sendWrite(
  client: KubeClient,
  write: ClusterWrite,
  signal: AbortSignal,
): Promise<void> {
  const path = objectPath(write.resource, write);
  const query = { fieldManager };
  switch (write.verb) {
    case "create": {
      const list = listPath(write.resource, write.namespace);
      await client.request("POST", list, { query, body: write.body, signal });
      break;
    }
    case "patch":
      await client.request("PATCH", path, {
        query,
        body: write.operations,
        contentType: "application/json-patch+json",
        signal,
      });
      break;
    case "delete": {
      const preconditions = { resourceVersion: write.resourceVersion };
      await client.request("DELETE", path, { body: { preconditions }, signal });
    }
  }
}

/**
 * Writes the status of an X402Route, and resolves with what the API server has of it then.
 *
 * @param resourceVersion that the status was decided on; without it, whatever the version is
 * @throws {KubeError} of status 409 when the version is another
 */
export async function sendStatus(
  client: KubeClient,
  route: ObjectName,
  status: X402RouteStatus,
  signal: AbortSignal,
  resourceVersion?: unknown,
): Promise<RawObject> {
  return await client.request("PATCH", `${objectPath("x402routes", route)}/status`, {
    query: { fieldManager },
    body: { ...(resourceVersion !== undefined && { metadata: { resourceVersion } }), status },
    contentType: "application/merge-patch+json",
    signal,
  });
}
