// A mapping as it is edited: its maps as lines.

import { create } from '@bufbuild/protobuf';

import { MappingSchema, type Mapping } from '~/gen/userimport/v1/import_service_pb';

import { newKey } from './catalogDraft';

export interface ColumnLine {
  readonly key: number;
  /** The name in the file's header. */
  readonly name: string;
  /** The roster's column; empty: the file's is ignored. */
  readonly column: string;
}

export interface ValueLine {
  readonly key: number;
  readonly column: string;
  readonly cell: string;
  readonly value: string;
}

export interface TemplateLine {
  readonly key: number;
  readonly column: string;
  readonly template: string;
}

export interface MappingDraft {
  readonly columns: readonly ColumnLine[];
  readonly values: readonly ValueLine[];
  readonly templates: readonly TemplateLine[];
  readonly nullValues: readonly string[];
  readonly skipLeadingLines: number;
  readonly ignoredLinePrefixes: readonly string[];
}

export function draftOfMapping(mapping: Mapping): MappingDraft {
  return {
    columns: Object.entries(mapping.columns).map(([name, column]) => ({ key: newKey(), name, column })),
    values: mapping.values.map(({ column, cell, value }) => ({ key: newKey(), column, cell, value })),
    templates: Object.entries(mapping.templates).map(([column, template]) => ({
      key: newKey(),
      column,
      template,
    })),
    nullValues: mapping.nullValues,
    skipLeadingLines: mapping.skipLeadingLines,
    ignoredLinePrefixes: mapping.ignoredLinePrefixes,
  };
}

/** The mapping to save. Lines that name nothing are none. */
export function mappingOf(draft: MappingDraft): Mapping {
  return create(MappingSchema, {
    columns: Object.fromEntries(
      draft.columns.filter(({ name }) => name.trim() !== '').map(({ name, column }) => [name, column]),
    ),
    values: draft.values
      .filter(({ column }) => column !== '')
      .map(({ column, cell, value }) => ({ column, cell, value })),
    templates: Object.fromEntries(
      draft.templates.filter(({ column }) => column !== '').map(({ column, template }) => [column, template]),
    ),
    nullValues: [...draft.nullValues],
    skipLeadingLines: draft.skipLeadingLines,
    ignoredLinePrefixes: [...draft.ignoredLinePrefixes],
  });
}
