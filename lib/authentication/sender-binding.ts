/** To whom a token is bound (`cnf`, RFC 7800): it is good for nothing without a proof that its holder has this key. */
export interface SenderBinding {
  /** Thumbprint of the key that signs DPoP proofs (RFC 9449 §6). */
  readonly jkt: string | undefined;
  /** SHA-256 of the client's certificate (RFC 8705 §3.1). */
  readonly certificate: string | undefined;
}
