/** The signing keys of an issuer as they are kept: a text that only `SigningKeyRing` reads; private keys in it are encrypted. */
export interface StoredKeyRing {
  /** Counts up by one with each change, from 1. */
  readonly version: number;
  /** Up to 64 KiB of JSON. */
  readonly content: string;
}

/** Where the nodes of an application share their signing keys. */
export interface KeyRingStore {
  /** The ring of an issuer, if there is one. @param issuer up to 512 characters */
  keyRing(issuer: string): Promise<StoredKeyRing | undefined>;
  /** Puts the ring in the place of the one with the version before (with version 1: where there is none); `false` if that is not there any more. */
  replaceKeyRing(issuer: string, ring: StoredKeyRing): Promise<boolean>;
}
