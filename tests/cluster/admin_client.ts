import type { KubeConnection } from "../../controller/cluster/connection.ts";
import { KubeClient } from "../../controller/cluster/kube_client.ts";
import type { ClusterAccess } from "./api_server.ts";

/** The operator's own client, as a user who may do everything. */
export class AdminClient extends KubeClient implements Disposable {
  /** Watches are opened only when it has resolved. */
  gate: Promise<void> = Promise.resolve();

  constructor(access: ClusterAccess) {
    super(connectionOf(access), "test/1");
  }

  override async watch(...request: Parameters<KubeClient["watch"]>) {
    await this.gate;
    return await super.watch(...request);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function connectionOf({ url, caPem, adminToken }: ClusterAccess): KubeConnection {
  return {
    server: url,
    namespace: "default",
    client: Deno.createHttpClient({ caCerts: [caPem], http2: false }),
    headers: () => Promise.resolve([["authorization", `Bearer ${adminToken}`]]),
    forgetHeaders() {},
  };
}
