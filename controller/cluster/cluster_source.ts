import type { z } from "zod";
import {
  type ClusterState,
  type EndpointSlice,
  endpointSliceSchema,
  type Ingress,
  ingressSchema,
  type RawObject,
  type Service,
  serviceSchema,
} from "../cluster_state.ts";
import type { ObjectName } from "../cluster_state.ts";
import { managedBy, sliceManagerLabel, sliceServiceLabel } from "../plan/gateway_slices.ts";
import type { KubeClient } from "./kube_client.ts";
import { type KubeResource, listPath } from "./kube_paths.ts";
import { Reflector, type ReflectorEvent, type WatchedResource } from "./reflector.ts";
import type { KubeObject } from "./watch_stream.ts";

export interface SourceOptions {
  readonly client: KubeClient;
  /** Empty: all of them. */
  readonly namespaces: readonly string[];
  /** The operator's own Service, wherever it is. */
  readonly own: ObjectName;
  /** Something is not as it was; called once for a whole list. */
  readonly onChange: () => void;
  readonly report: (event: ReflectorEvent) => void;
}

/** What the plan reads of the cluster, kept equal to the API server's by one watch per kind. */
export class ClusterSource {
  readonly #routes: Reflector<RawObject>[];
  readonly #ingresses: Reflector<Ingress>[];
  readonly #services: Reflector<Service>[];
  readonly #slices: Reflector<EndpointSlice>[];

  constructor(private readonly options: SourceOptions) {
    const { namespaces, own } = options;
    const scopes = namespaces.length === 0 ? [undefined] : namespaces;
    const everywhere = <T>(kind: KubeResource, read: Read<T>, query: Selector = {}) =>
      scopes.map((namespace) => this.#reflector({ path: listPath(kind, namespace), query }, read));
    const readService = reader("v1", serviceSchema);
    const readSlice = reader("discovery.k8s.io/v1", endpointSliceSchema);

    this.#routes = everywhere("x402routes", (object) => object);
    this.#ingresses = everywhere("ingresses", reader("networking.k8s.io/v1", ingressSchema));
    this.#services = everywhere("services", readService);
    if (namespaces.length > 0 && !namespaces.includes(own.namespace)) {
      const path = listPath("services", own.namespace);
      const query = { fieldSelector: `metadata.name=${own.name}` };
      this.#services.push(this.#reflector({ path, query }, readService));
    }
    this.#slices = everywhere("endpointslices", readSlice, {
      labelSelector: `${sliceManagerLabel}=${managedBy}`,
    });
    this.#slices.push(this.#reflector({
      path: listPath("endpointslices", own.namespace),
      query: { labelSelector: `${sliceServiceLabel}=${own.name}` },
    }, readSlice));
  }

  /** What is known now. */
  state(): Omit<ClusterState, "writeProblems"> {
    return {
      routes: valuesOf(this.#routes),
      ingresses: valuesOf(this.#ingresses),
      services: valuesOf(this.#services),
      endpointSlices: valuesOf(this.#slices),
    };
  }

  /** Whether every list has been read. */
  get synced(): boolean {
    return this.#all.every(({ synced }) => synced);
  }

  /** Seconds since when changes may have been missed; 0 while all watches are open. */
  get stalenessSeconds(): number {
    const lost = this.#all.map(({ lostSince }) => lostSince ?? Infinity);
    return Math.max(0, (performance.now() - Math.min(...lost)) / 1000);
  }

  /** Watches until the signal aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#all.map((reflector) => reflector.run(signal)));
  }

  get #all(): Reflector<unknown>[] {
    return [...this.#routes, ...this.#ingresses, ...this.#services, ...this.#slices];
  }

  #reflector<T>(resource: WatchedResource, read: Read<T>): Reflector<T> {
    const { client, onChange, report } = this.options;
    return new Reflector({ client, resource, read, onChange, report });
  }
}

type Read<T> = (object: KubeObject) => T;
type Selector = NonNullable<WatchedResource["query"]>;

/** Keeps what the plan reads. Objects of a list come without their apiVersion. */
function reader<T>(apiVersion: string, schema: z.ZodType<T>): Read<T> {
  return (object) => {
    const parsed = schema.safeParse({ ...object, apiVersion });
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`${issue!.path.join(".")}: ${issue!.message}`);
  };
}

function valuesOf<T>(reflectors: readonly Reflector<T>[]): T[] {
  return reflectors.flatMap(({ objects }) => [...objects.values()]);
}
