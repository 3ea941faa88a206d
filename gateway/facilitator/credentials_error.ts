/** Credentials that cannot be used. The message is one line: the file, the place, what is allowed; never a secret. */
export class CredentialsError extends Error {
  override readonly name = "CredentialsError";
}
