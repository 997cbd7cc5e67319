import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';

import { InspectRosterResponseSchema, RosterFormat } from '~/gen/userimport/v1/import_service_pb';

import { mappingJson, mappingOf, targetOf, withColumn, withTemplate, withValue } from './editMapping';
import { needsColumns } from './inspectFile';

const HR = create(InspectRosterResponseSchema, {
  columns: [
    { name: 'Work E-mail', proposedColumn: 'EMAIL' },
    { name: 'Private E-mail', proposedColumn: '' },
    { name: 'BADGE_NUMBER', proposedColumn: 'BADGE_NUMBER' },
  ],
  mapping: {
    columns: { 'Work E-mail': 'EMAIL', 'Private E-mail': '' },
    values: [{ column: 'STATUS', cell: 'A', value: 'Active' }],
    templates: { USERNAME: '{{ row["Work E-mail"] }}' },
  },
});

test('the proposal is edited until something was chosen', () => {
  const proposed = mappingOf(null, HR);
  expect(targetOf(proposed, 'Work E-mail', 'EMAIL')).toBe('EMAIL');
  const chosen = mappingJson(withValue(proposed, 'STATUS', 'T', 'Inactive'));
  expect(mappingOf(chosen, HR).values).toMatchObject([{ cell: 'A' }, { cell: 'T', value: 'Inactive' }]);
});

test('a column of ours comes from one place', () => {
  const moved = withColumn(mappingOf(null, HR), 'Private E-mail', 'EMAIL', HR);
  expect(moved.columns).toEqual({ 'Work E-mail': '', 'Private E-mail': 'EMAIL' });
  const computed = withColumn(mappingOf(null, HR), 'Private E-mail', 'USERNAME', HR);
  expect(computed.templates).toEqual({});
  const native = withColumn(mappingOf(null, HR), 'Private E-mail', 'BADGE_NUMBER', HR);
  expect(native.columns).toMatchObject({ BADGE_NUMBER: '', 'Private E-mail': 'BADGE_NUMBER' });
  const ignored = withColumn(mappingOf(null, HR), 'Work E-mail', '', HR);
  expect(ignored.columns).toEqual({ 'Work E-mail': '', 'Private E-mail': '' });
});

test('a value or a template can be taken back', () => {
  const mapping = mappingOf(null, HR);
  expect(withValue(mapping, 'STATUS', 'A', undefined).values).toEqual([]);
  expect(withTemplate(mapping, 'USERNAME', undefined).templates).toEqual({});
  expect(withTemplate(mapping, 'EMAIL', 'x').templates).toMatchObject({ EMAIL: 'x' });
});

test('the step Columns is gone through only if something does not match', () => {
  const roster = { columns: [{ name: 'EMAIL', proposedColumn: 'EMAIL' }], mapping: {} };
  expect(needsColumns(create(InspectRosterResponseSchema, roster))).toBe(false);
  expect(needsColumns(HR)).toBe(true);
  const titled = { ...roster, mapping: { skipLeadingLines: 1 } };
  expect(needsColumns(create(InspectRosterResponseSchema, titled))).toBe(true);
  const workbook = { ...titled, format: RosterFormat.WORKBOOK };
  expect(needsColumns(create(InspectRosterResponseSchema, workbook))).toBe(false);
  const unknown = { ...roster, values: [{ column: 'ROLE', cell: 'Oficer', known: false }] };
  expect(needsColumns(create(InspectRosterResponseSchema, unknown))).toBe(true);
  expect(needsColumns(create(InspectRosterResponseSchema, { ...roster, missingColumns: ['EMAIL'] }))).toBe(
    true,
  );
});
