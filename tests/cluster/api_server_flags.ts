/** For one member; without fsync, because the data is thrown away. */
export function etcdFlags(folder: string, url: string, peerUrl: string): string[] {
  return [
    "--name=test",
    `--data-dir=${folder}/etcd`,
    "--unsafe-no-fsync",
    "--log-level=warn",
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=${peerUrl}`,
    `--initial-advertise-peer-urls=${peerUrl}`,
    `--initial-cluster=test=${peerUrl}`,
  ];
}

/**
 * The reconciler of the Service `kubernetes` is off because 127.0.0.1 is no valid endpoint, and the
 * admission of ServiceAccounts because nothing creates the default ones here.
 */
export function apiServerFlags(folder: string, port: string, etcdUrl: string): string[] {
  return [
    `--etcd-servers=${etcdUrl}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${folder}/certs`,
    "--service-cluster-ip-range=10.0.0.0/16",
    "--endpoint-reconciler-type=none",
    "--disable-admission-plugins=ServiceAccount",
    "--authorization-mode=RBAC",
    `--token-auth-file=${folder}/tokens.csv`,
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${folder}/sa.pub`,
    `--service-account-signing-key-file=${folder}/sa.key`,
  ];
}
