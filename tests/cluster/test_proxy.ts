import { endpointAddress, hasEndpointAddress } from "./endpoint_address.ts";
import { findNginx } from "./nginx_assets.ts";
import { missingAssets, runOnSharedServer, type TestCluster } from "./test_cluster.ts";
import { testUnless } from "./test_requirement.ts";

const missing = missingAssets ?? await missingNginx() ?? await missingAddress();

/** A cluster test that puts an IngressProxy in front: needs nginx and `endpointAddress` as well. */
export function proxyTest(name: string, fn: (cluster: TestCluster) => Promise<void>): void {
  testUnless(missing, name, () => runOnSharedServer(fn));
}

async function missingNginx(): Promise<string | undefined> {
  if (await findNginx() !== undefined) return undefined;
  return "nginx is not there; get it with `deno task cluster:assets`.";
}

async function missingAddress(): Promise<string | undefined> {
  if (await hasEndpointAddress()) return undefined;
  const command = `ip addr add ${endpointAddress}/32 dev lo`;
  return `This machine has no address ${endpointAddress}; get it with \`sudo ${command}\`.`;
}
