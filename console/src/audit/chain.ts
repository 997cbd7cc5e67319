// Verifies a chain of audit events, from its first: what `user-import audit verify` does. A trail may have lost its first
// events, if a later event records that they were archived.

import { AuditAction, type AuditEvent, type AuditHead } from '~/gen/userimport/v1/audit_service_pb';

import { eventHash, isSame, NO_HASH, toHex } from './eventHash';

/** The place at which a chain is broken, as a sentence. */
export class ChainBreak extends Error {}

/** What a whole chain is. */
export interface VerifiedChain {
  /** Sequence of the first event that is there. */
  readonly first: bigint;
  readonly last: bigint;
  /** SHA-256 of the last event, in hexadecimal. */
  readonly hash: string;
  /** The last event that is recorded as archived; undefined: none is. */
  readonly archivedThrough: bigint | undefined;
}

export class AuditChain {
  #first: bigint | undefined;
  #last = 0n;
  #hash: Uint8Array = NO_HASH;
  /** In hexadecimal, by sequence from the first: records of archives are compared with them. */
  readonly #hashes = new Map<bigint, string>();
  #archivedThrough: bigint | undefined;

  constructor(private readonly organization: string) {}

  get verified(): number {
    return this.#first === undefined ? 0 : Number(this.#last - this.#first) + 1;
  }

  /** Verifies the next event of the chain. Throws a ChainBreak if it is not the next, or was changed. */
  follow(event: AuditEvent): void {
    const { sequence } = event;
    const hash = eventHash(this.organization, event);
    if (this.#first !== undefined && sequence !== this.#last + 1n) {
      throw missing(this.#last + 1n, sequence);
    }
    if (!isSame(hash, event.hash)) {
      throw new ChainBreak(`Event ${sequence} was altered: its fields do not have its hash.`);
    }
    if (this.#first === undefined) {
      this.#first = sequence;
      this.#hash = sequence === 1n ? NO_HASH : event.previousHash;
      this.#hashes.set(sequence - 1n, toHex(this.#hash));
    }
    if (!isSame(event.previousHash, this.#hash)) {
      throw new ChainBreak(
        `Event ${sequence} does not follow from the event before it: one of the two was replaced.`,
      );
    }
    this.#last = sequence;
    this.#hash = hash;
    this.#hashes.set(sequence, toHex(hash));
    if (event.action === AuditAction.EVENTS_ARCHIVED) {
      this.#archivedThrough = this.#readRecord(event);
    }
  }

  /** Expects that the chain ends at `head`. Throws a ChainBreak if it does not, or if its beginning lacks. */
  end(head: AuditHead | undefined): VerifiedChain {
    const first = this.#first ?? 1n;
    const archived = this.#archivedThrough ?? 0n;
    if (archived < first - 1n) {
      throw missing(archived + 1n, first);
    }
    const named = head?.sequence ?? 0n;
    if (named !== this.#last || !isSame(head?.hash ?? NO_HASH, this.#hash)) {
      throw new ChainBreak(
        `The trail ends with event ${this.#last}, but its end is recorded as event ${named}: events were removed ` +
          'or replaced at its end.',
      );
    }
    return { first, last: this.#last, hash: toHex(this.#hash), archivedThrough: this.#archivedThrough };
  }

  /** Reads what an event about an archive records. Events that are gone cannot be compared. */
  #readRecord({ sequence, details }: AuditEvent): bigint {
    const through = /^\d+$/.test(details.through ?? '') ? BigInt(details.through ?? '') : undefined;
    const known = through === undefined ? undefined : this.#hashes.get(through);
    const hash = details.hash?.toLowerCase() ?? '';
    const isPossible = /^[0-9a-f]{64}$/.test(hash) && (known === undefined || known === hash);
    if (through === undefined || through >= sequence || !isPossible) {
      throw new ChainBreak(
        `Event ${sequence} records an archive that does not end with an event of this trail.`,
      );
    }
    return through;
  }
}

function missing(expected: bigint, found: bigint): ChainBreak {
  const which = found - expected > 1n ? `Events ${expected} to ${found - 1n} are` : `Event ${expected} is`;
  return new ChainBreak(
    found < expected ? `Event ${found} comes where event ${expected} should be.` : `${which} missing.`,
  );
}
