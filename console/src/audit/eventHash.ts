// The hash of an audit event, as the server makes it (src/audit/mod.rs): SHA-256 over every field but the hash itself,
// each after its length, so that nothing can move from one field to the next.

import { sha256 } from '@noble/hashes/sha2.js';

import type { AuditEvent } from '~/gen/userimport/v1/audit_service_pb';

/** Names the encoding. */
const VERSION = 'userimport.audit.v1';

/** The previous hash of the first event of a chain. */
export const NO_HASH = new Uint8Array(32);

const encoder = new TextEncoder();

export function eventHash(organization: string, event: AuditEvent): Uint8Array {
  const digest = sha256.create();
  const field = (bytes: Uint8Array) => digest.update(int64(BigInt(bytes.length))).update(bytes);
  const text = (value: string) => field(encoder.encode(value));
  text(VERSION);
  text(organization);
  field(event.previousHash);
  field(int64(event.sequence));
  field(int64(event.at?.seconds ?? 0n));
  field(int32(event.at?.nanos ?? 0));
  text(event.principal);
  text(event.address);
  text(event.subject);
  field(int32(event.action));
  field(int32(event.outcome));
  const details = Object.entries(event.details).map(([name, value]) => ({
    name: encoder.encode(name),
    value,
  }));
  for (const { name, value } of details.sort((one, other) => compareBytes(one.name, other.name))) {
    field(name);
    text(value);
  }
  return digest.digest();
}

export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return compareBytes(one, other) === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function int64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value);
  return bytes;
}

function compareBytes(one: Uint8Array, other: Uint8Array): number {
  const shorter = Math.min(one.length, other.length);
  for (let index = 0; index < shorter; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return one.length - other.length;
}
