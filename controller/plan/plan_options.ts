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
  /** Where Ingresses find the gateway; absent in standalone mode, where nothing is written. */
  readonly gateway?: GatewayAddress;
}

/** The Services by which the gateway is reached. */
export interface GatewayAddress {
  /** The operator's own Service, which Ingresses of its namespace use directly. */
  readonly own: { readonly namespace: string; readonly name: string };
  /** Name of the Service that the operator makes in other namespaces. */
  readonly serviceName: string;
  /** Port of all these Services. */
  readonly port: number;
  readonly way: "endpoint-slices" | "external-name";
}

/** Those of cluster mode. */
export type ClusterPlanOptions = PlanOptions & { readonly gateway: GatewayAddress };
