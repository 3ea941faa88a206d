/** Shorter parts of a URL are words such as `v2`, and cutting them out would spoil messages. */
const minSecretLength = 6;

/** The parts of a URL that may be an API key or a password, longest first. */
export function secretsOf(url: URL): string[] {
  const parts = [
    url.username,
    url.password,
    ...url.pathname.split("/"),
    ...[...url.searchParams].flat(),
  ];
  return parts
    .flatMap((part) => [part, decoded(part)])
    .filter((part) => part.length >= minSecretLength)
    .sort((a, b) => b.length - a.length);
}

/** For the log: other people's words, which may repeat our URL (as `fetch` does) or our key. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text.replace(/\b\w+:\/\/[^\s)"']*/g, "(URL)");
  for (const secret of secrets) clean = clean.replaceAll(secret, "(secret)");
  return clean;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
