// What the person has chosen, and the options of an import that it makes.

import { create, fromJson, type JsonObject } from '@bufbuild/protobuf';

import {
  ImportStartSchema,
  MappingSchema,
  MatchBy,
  type ImportStart,
} from '~/gen/userimport/v1/import_service_pb';

import type { RosterKind } from './uploadRoster';

/** How the file is read where the server's finding was corrected; empty: as found. */
export interface Reading {
  readonly charset: string;
  readonly delimiter: string;
  readonly sheet: string;
}

export interface ImportChoices {
  readonly deactivateMissing: boolean;
  /** True: only users of `onlyRoles` or `onlyGroups` are deactivated as not listed. */
  readonly isScoped: boolean;
  readonly onlyRoles: readonly string[];
  readonly onlyGroups: readonly string[];
  readonly allOrNothing: boolean;
  readonly matchBy: MatchBy;
  /** Limits that the person has raised for this import; undefined: the server's. */
  readonly maxDeactivations: number | undefined;
  readonly maxIdentityChanges: number | undefined;
}

export const NO_READING: Reading = { charset: '', delimiter: '', sheet: '' };

export const NO_CHOICES: ImportChoices = {
  deactivateMissing: false,
  isScoped: false,
  onlyRoles: [],
  onlyGroups: [],
  allOrNothing: false,
  matchBy: MatchBy.UNSPECIFIED,
  maxDeactivations: undefined,
  maxIdentityChanges: undefined,
};

export interface RosterOptions {
  readonly organization: string;
  readonly fileName: string;
  readonly kind: RosterKind;
  readonly reading: Reading;
  /** The mapping as JSON; null: the file has the roster's own columns and values. */
  readonly mapping: JsonObject | null;
  readonly choices: ImportChoices;
  /** False: the caller may not see the values of users. */
  readonly canSeeValues: boolean;
}

/** How the file is read: what an inspection and an import have in common. */
export function readingOptions({
  kind,
  reading,
  mapping,
}: Pick<RosterOptions, 'kind' | 'reading' | 'mapping'>) {
  return {
    ...(kind === 'csv'
      ? { csv: { charset: reading.charset, delimiter: reading.delimiter } }
      : { workbook: { sheet: reading.sheet } }),
    ...(mapping && { mapping: fromJson(MappingSchema, mapping) }),
  };
}

/** The options of the dry run. */
export function reviewOptions(options: RosterOptions): ImportStart {
  const { choices } = options;
  const scope = choices.isScoped
    ? { onlyRoles: [...choices.onlyRoles], onlyGroupExternalIds: [...choices.onlyGroups] }
    : {};
  return create(ImportStartSchema, {
    ...rowOptions(options),
    ...readingOptions(options),
    source: cut(options.fileName),
    validateOnly: true,
    allOrNothing: choices.allOrNothing,
    ...(choices.deactivateMissing && { deactivateMissing: scope }),
  });
}

/** The options of the import that applies the plan which was reviewed. */
export function applyOptions(
  options: RosterOptions,
  planDigest: Uint8Array,
  confirmation: string,
): ImportStart {
  const start = reviewOptions(options);
  start.validateOnly = false;
  start.expectedPlanDigest = planDigest;
  if (start.deactivateMissing) {
    start.deactivateMissing.confirmation = confirmation;
  }
  return start;
}

/** The options of the rows that were corrected in the review, which are only judged without an `importId`: those of the import, but nobody is deactivated as missing. */
export function correctionOptions(
  options: RosterOptions,
  importId: string,
  expectedPlanDigest: Uint8Array = new Uint8Array(),
): ImportStart {
  const source = cut(`Corrected rows of ${options.fileName}`);
  const validateOnly = importId === '';
  return create(ImportStartSchema, {
    ...rowOptions(options),
    importId,
    source,
    validateOnly,
    expectedPlanDigest,
  });
}

function rowOptions({ organization, choices, canSeeValues }: RosterOptions) {
  const { matchBy, maxDeactivations, maxIdentityChanges } = choices;
  return {
    organization,
    matchBy,
    includeValues: canSeeValues,
    ...(maxDeactivations !== undefined && { maxDeactivations }),
    ...(maxIdentityChanges !== undefined && { maxIdentityChanges }),
  };
}

/** The origin of a roster has at most 255 characters. */
function cut(source: string): string {
  return Array.from(source).slice(0, 255).join('');
}
