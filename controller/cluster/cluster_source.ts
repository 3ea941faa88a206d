import type {
  ClusterState,
  EndpointSlice,
  Ingress,
  ObjectName,
  Observations,
  RawObject,
  Service,
} from "../cluster_state.ts";
import { type ClusterList, clusterLists } from "./cluster_lists.ts";
import type { KubeClient } from "./kube_client.ts";
import { Reflector, type ReflectorEvent } from "./reflector.ts";

export interface SourceOptions {
  readonly client: KubeClient;
  /** Empty: all of them. */
  readonly namespaces: readonly string[];
  /** The operator's own Service, wherever it is. */
  readonly own: ObjectName;
  /** Called once for a whole list; `isNews` is false where it was only the status of an X402Route. */
  readonly onChange: (isNews: boolean) => void;
  readonly report: (event: ReflectorEvent) => void;
}

/** What the plan reads of the cluster, kept equal to the API server's by one watch per kind. */
export class ClusterSource {
  readonly #routes: Reflector<RawObject>[];
  readonly #ingresses: Reflector<Ingress>[];
  readonly #services: Reflector<Service>[];
  readonly #slices: Reflector<EndpointSlice>[];

  constructor(private readonly options: SourceOptions) {
    const lists = clusterLists(options.namespaces, options.own);
    this.#routes = lists.routes.map((list) => this.#reflector(list, isSameButStatus));
    this.#ingresses = lists.ingresses.map((list) => this.#reflector(list));
    this.#services = lists.services.map((list) => this.#reflector(list));
    this.#slices = lists.endpointSlices.map((list) => this.#reflector(list));
  }

  /** What is known now. */
  state(): Omit<ClusterState, keyof Observations> {
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

  #reflector<T>(
    list: ClusterList<T>,
    isSame: (before: T, now: T) => boolean = () => false,
  ): Reflector<T> {
    const { client, onChange, report } = this.options;
    return new Reflector({ ...list, client, isSame, onChange, report });
  }
}

function valuesOf<T>(reflectors: readonly Reflector<T>[]): T[] {
  return reflectors.flatMap(({ objects }) => [...objects.values()]);
}

/** What the operator itself writes of an X402Route comes back as a new version of it. */
function isSameButStatus(before: RawObject, now: RawObject): boolean {
  const rest = ({ status: _, metadata, ...fields }: RawObject) =>
    JSON.stringify({ ...fields, metadata: { ...metadata, resourceVersion: "" } });
  return rest(before) === rest(now);
}
