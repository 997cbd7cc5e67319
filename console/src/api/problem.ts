// What went wrong with a call, in the words of an administrator. The sentences are the server's.

import { Code, ConnectError } from '@connectrpc/connect';

import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from '~/gen/google/rpc/error_details_pb';

import { plainWords } from './plainWords';

export interface Problem {
  /** What happened, as a sentence. */
  readonly message: string;
  /** One sentence for each fault, if there are several. */
  readonly faults: readonly string[];
  /** What each fault is about, by the API's name of the field or entry. */
  readonly places: readonly { readonly at: string; readonly fault: string }[];
  /** The server's word for programs, such as IMPORT_ID_BOUND; empty: none. */
  readonly reasons: readonly string[];
  readonly code: Code;
  /** True: the same call may succeed later. */
  readonly isTransient: boolean;
  /** Milliseconds that the server asks to wait before the next try. */
  readonly retryDelay: number | undefined;
}

const TRANSIENT = new Set([Code.Unavailable, Code.DeadlineExceeded, Code.Aborted]);

/** Reads any error that a call or a stream ended with. */
export function problemOf(thrown: unknown): Problem {
  const error = ConnectError.from(thrown);
  const violations = [
    ...error.findDetails(BadRequestSchema).flatMap((detail) => detail.fieldViolations),
    ...error.findDetails(PreconditionFailureSchema).flatMap((detail) => detail.violations),
    ...error.findDetails(QuotaFailureSchema).flatMap((detail) => detail.violations),
  ];
  const faults = [
    ...new Set(violations.map((violation) => plainWords(violation.description)).filter(Boolean)),
  ];
  const places = violations.map((violation) => ({
    at: 'field' in violation ? violation.field : violation.subject,
    fault: plainWords(violation.description),
  }));
  const types = error.findDetails(PreconditionFailureSchema).flatMap((detail) => detail.violations);
  const reasons = [
    ...error.findDetails(ErrorInfoSchema).map((detail) => detail.reason),
    ...types.map((violation) => violation.type),
  ];
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const retryDelay = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
  const isTransient = isLost(error) || TRANSIENT.has(error.code) || retryDelay !== undefined;
  return { message: words(error), faults, places, reasons, code: error.code, isTransient, retryDelay };
}

/** True: the connection was lost, so it is not known what the server did. */
export function isLost(error: ConnectError): boolean {
  // Browsers report a connection that could not be made, or broke, as a TypeError. A proxy may end an answer in between.
  return (
    error.cause instanceof TypeError ||
    error.code === Code.Unavailable ||
    (error.details.length === 0 && /missing (trailer|message)/.test(error.rawMessage))
  );
}

function words(error: ConnectError): string {
  if (error.cause instanceof TypeError) {
    return 'The server cannot be reached. Check that it is running, and the connection of this computer.';
  }
  const [, status] = /^HTTP (\d{3})$/.exec(error.rawMessage) ?? [];
  if (status !== undefined) {
    return `Something between this computer and the server answered in its place (HTTP ${status}). The server may be away.`;
  }
  return plainWords(error.rawMessage) || 'The server gave no reason.';
}
