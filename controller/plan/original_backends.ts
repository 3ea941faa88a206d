import { z } from "zod";
import { type IngressBackend, ingressBackendSchema } from "../cluster_state.ts";
import { defaultSlotKey, slotKey, slotParts } from "./backend_slots.ts";

/** Where the backends of the paths that lead to the gateway are kept. */
export const originalBackendsAnnotation = "x402.io/original-backends";

/** What the annotation says: the backends by slot key, and the Service that took their place. */
export interface OriginalBackends {
  readonly gateway: string;
  readonly backends: ReadonlyMap<string, IngressBackend>;
}

/**
 * One entry per backend, with the places where it belongs: ten thousand paths with one backend cost
 * little more than the paths themselves. All annotations of an object share 256 KiB.
 *
 *     {"gateway": "x402-gateway", "originals": [
 *       {"backend": {"service": {"name": "api", "port": {"number": 80}}},
 *        "hosts": {"api.example.com": {"Prefix": ["/v1", "/v2"]}}}]}
 */
const hosts = z.record(
  z.string().regex(/^[^ ]*$/),
  z.record(
    z.string().regex(/^(Exact|Prefix|ImplementationSpecific)(#[1-9][0-9]*)?$/),
    z.array(z.string()),
  ),
);

const annotation = z.object({
  gateway: z.string(),
  originals: z.array(z.object({
    backend: ingressBackendSchema,
    default: z.boolean().exactOptional(),
    hosts: hosts.exactOptional(),
  })),
});

/** Undefined when the text is not what `formatOriginals` writes. */
export function parseOriginals(text: string): OriginalBackends | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = annotation.safeParse(json);
  if (!parsed.success) return undefined;
  const backends = new Map<string, IngressBackend>();
  for (const { backend, default: isDefault, hosts = {} } of parsed.data.originals) {
    if (isDefault) backends.set(defaultSlotKey, backend);
    for (const [host, types] of Object.entries(hosts)) {
      for (const [type, paths] of Object.entries(types)) {
        for (const path of paths) backends.set(slotKey(host, type, path), backend);
      }
    }
  }
  return { gateway: parsed.data.gateway, backends };
}

interface Entry {
  readonly backend: IngressBackend;
  default?: true;
  hosts?: Record<string, Record<string, string[]>>;
}

/** The same text for the same content in the same order. */
export function formatOriginals({ gateway, backends }: OriginalBackends): string {
  const entries = new Map<string, Entry>();
  for (const [key, backend] of backends) {
    const name = JSON.stringify(backend);
    let entry = entries.get(name);
    if (entry === undefined) entries.set(name, entry = { backend });
    if (key === defaultSlotKey) {
      entry.default = true;
      continue;
    }
    const { host, typeAndCount, path } = slotParts(key);
    // Without prototypes: a host may be called "constructor".
    const types = (entry.hosts ??= Object.create(null))[host] ??= Object.create(null);
    (types[typeAndCount] ??= []).push(path);
  }
  return JSON.stringify({ gateway, originals: [...entries.values()] });
}
