/** What the operator, not the author of a manifest, decides. */
export interface PlanOptions {
  /**
   * Whether a Service of type ExternalName may be a backend. In a cluster it must not: its author
   * could make the gateway call any host, the gateway's own ports included.
   */
  readonly allowExternalName: boolean;
  /** `host` or `host:port` of facilitators that need not be public or https. */
  readonly allowedFacilitatorHosts: readonly string[];
  /** `cluster.local` */
  readonly clusterDomain: string;
}
