/**
 * Signing: what a request's signature is made of, and keys, which never leave this page.
 *
 * The code that signs is loaded when a page first signs.
 */

import { later } from "./later.ts";

export interface KeyPair {
  readonly publicKey: string;
  readonly secret: string;
}

export type Fields = Readonly<Record<string, string | number | boolean>>;

export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

export function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
}

/** `instruction=NAME` and the fields by name, without times. */
export function signedText(instruction: string, fields: Fields): string {
  const pairs = Object.keys(fields)
    .sort()
    .map((name) => `&${name}=${fields[name]}`);
  return `instruction=${instruction}${pairs.join("")}`;
}

/** The key pair of a secret of 32 bytes in base64; throws for what is none. */
export async function pairOf(secret: string): Promise<KeyPair> {
  const bytes = bytesOf(secret);
  if (bytes.length !== 32) throw new RangeError("a secret key has 32 bytes in base64");
  const { getPublicKeyAsync } = await later(() => import("@noble/ed25519"));
  return { publicKey: base64(await getPublicKeyAsync(bytes)), secret: base64(bytes) };
}

export async function newPair(): Promise<KeyPair> {
  return pairOf(base64(crypto.getRandomValues(new Uint8Array(32))));
}

export async function signature(pair: KeyPair, said: string): Promise<string> {
  const { signAsync } = await later(() => import("@noble/ed25519"));
  return base64(await signAsync(new TextEncoder().encode(said), bytesOf(pair.secret)));
}

export async function sha256(said: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(said));
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
