/** A connection to a backend that speaks something else than HTTP from here on (RFC 9110, 7.8). */
export interface UpgradedConnection {
  /** The next bytes, valid until the next call; null when the backend sends no more. */
  read(): Promise<Uint8Array | null>;
  /** @throws when the connection breaks */
  write(bytes: Uint8Array): Promise<void>;
  close(): void;
}
