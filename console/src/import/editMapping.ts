// Changes to a mapping, as the step Columns makes them. What a mapping means is the server's word.

import { create, fromJson, toJson, type JsonObject } from '@bufbuild/protobuf';

import { MappingSchema, type InspectRosterResponse } from '~/gen/userimport/v1/import_service_pb';

export interface EditableMapping {
  /** The file's column → ours; blank: ignored. */
  readonly columns: Readonly<Record<string, string>>;
  readonly nullValues: readonly string[];
  readonly values: readonly { readonly column: string; readonly cell: string; readonly value: string }[];
  /** Our column → the template that computes it. */
  readonly templates: Readonly<Record<string, string>>;
  readonly skipLeadingLines: number;
  readonly ignoredLinePrefixes: readonly string[];
}

/** The mapping that the person edits: what was chosen, else the server's proposal. */
export function mappingOf(chosen: JsonObject | null, { mapping }: InspectRosterResponse): EditableMapping {
  return chosen ? fromJson(MappingSchema, chosen) : (mapping ?? create(MappingSchema));
}

export function mappingJson(mapping: EditableMapping): JsonObject {
  const { columns, nullValues, values, templates, skipLeadingLines, ignoredLinePrefixes } = mapping;
  const message = create(MappingSchema, {
    columns: { ...columns },
    nullValues: [...nullValues],
    values: values.map((one) => ({ column: one.column, cell: one.cell, value: one.value })),
    templates: { ...templates },
    skipLeadingLines,
    ignoredLinePrefixes: [...ignoredLinePrefixes],
  });
  return toJson(MappingSchema, message) as JsonObject;
}

/** Ours that a column of the file is; blank: ignored, or only read by templates. */
export function targetOf(mapping: EditableMapping, name: string, proposed: string): string {
  return mapping.columns[name] ?? proposed;
}

/** Makes a column of the file one of ours, which then comes from nowhere else. */
export function withColumn(
  mapping: EditableMapping,
  name: string,
  target: string,
  { columns }: Pick<InspectRosterResponse, 'columns'>,
): EditableMapping {
  const others = columns.filter(
    (one) => target !== '' && one.name !== name && targetOf(mapping, one.name, one.proposedColumn) === target,
  );
  const freed = Object.fromEntries(others.map((one) => [one.name, '']));
  const templates = Object.fromEntries(Object.entries(mapping.templates).filter(([ours]) => ours !== target));
  return { ...mapping, templates, columns: { ...mapping.columns, ...freed, [name]: target } };
}

/** Makes a cell stand for a value; undefined: for itself. */
export function withValue(
  mapping: EditableMapping,
  column: string,
  cell: string,
  value: string | undefined,
): EditableMapping {
  const others = mapping.values.filter((one) => one.column !== column || one.cell !== cell);
  return { ...mapping, values: value === undefined ? others : [...others, { column, cell, value }] };
}

/** Computes one of our columns by a template; undefined: not any more. */
export function withTemplate(
  mapping: EditableMapping,
  column: string,
  template: string | undefined,
): EditableMapping {
  const others = Object.fromEntries(Object.entries(mapping.templates).filter(([ours]) => ours !== column));
  return { ...mapping, templates: template === undefined ? others : { ...others, [column]: template } };
}
