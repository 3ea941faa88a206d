/** What a request is about, in the words of RBAC rules: `list` of `ingresses`, say. */
export interface RequestKind {
  readonly verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
  /** Plural name, with a subresource such as `x402routes/status`. */
  readonly resource: string;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const writes = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" } as const;

/** @param path `/api/v1/...` or `/apis/GROUP/VERSION/...`, without a query */
export function requestKind(method: Method, path: string, watch = false): RequestKind {
  const segments = path.split("/").slice(path.startsWith("/apis/") ? 4 : 3);
  // A path of two segments is a Namespace itself.
  if (segments[0] === "namespaces" && segments.length > 2) segments.splice(0, 2);
  const [resource = "", name, subresource] = segments;
  const read = watch ? "watch" : name === undefined ? "list" : "get";
  return {
    verb: method === "GET" ? read : writes[method],
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
  };
}
