// The server's sentences are written for all its clients, and name options by their names in the API. The page calls
// them what it calls them elsewhere.

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/\bstate max_deactivations ([\d,]+)/g, 'allow $1 deactivations'],
  [/\band max_deactivations allows ([\d,]+)/g, 'and at most $1 are allowed'],
  [/\bstate max_identity_changes ([\d,]+)/g, 'allow $1 such rows'],
  [/\band max_identity_changes allows ([\d,]+)/g, 'and at most $1 are allowed'],
  [/\band max_rejected_rows allows ([\d,]+)/g, 'and at most $1 are allowed'],
  [/\band all_or_nothing applies all rows or none/g, 'and “All or nothing” imports all rows or none'],
  [/\bimport without deactivate_missing/g, 'import without deactivating users who are not listed'],
  [/\bstate its plan_digest\b/g, 'import what it shows'],
  [/, or rename it with previous_name\b/g, ', or rename it'],
  [/^catalog\.(\w+\[\d+\]\.)?\w+: /, ''],
  [/^catalog\.\w+\[\d+\]\.(previous_)?name\b/, 'The name'],
  [/^catalog\.\w+\[\d+\]\.external_id\b/, 'The external ID'],
  [/^catalog\.phone_region\b/, 'The phone region'],
  [/^catalog\.badge_number_pattern\b/, 'The pattern of badge numbers'],
  [/^catalog\.external_id_pattern\b/, 'The pattern of external IDs'],
  [/`?\bdeactivate_missing\b`?/g, '“Deactivate all currently Active users not listed in the file”'],
  [/`?\ball_or_nothing\b`?/g, '“All or nothing”'],
  [/`?\bmax_deactivations\b`?/g, 'the number of deactivations allowed'],
  [/`?\bmax_identity_changes\b`?/g, 'the number of changed identities allowed'],
  [/`?\bmax_rejected_rows\b`?/g, 'the number of rejected rows allowed'],
  [/`?\bignore_unknown_columns\b`?/g, '“Ignore columns that are not known”'],
  [/`?\bignored_line_prefixes\b`?/g, '“Beginnings of lines that are no rows”'],
  [/`?\bskip_leading_lines\b`?/g, '“Lines above the header”'],
  [/`?\bnull_values\b`?/g, '“Words that mean blank”'],
  [/`?\bmatch_by\b`?/g, '“Match users by”'],
  [/`?\bexpected_plan_digest\b`?/g, 'the plan that was reviewed'],
  [/`?\bplan_digest\b`?/g, 'the plan'],
  [/\bdry run\b/g, 'review'],
  [/\bDry run\b/g, 'Review'],
  [/`?\bvalidate_only\b`?/g, 'a review'],
  [/\bset the charset option to\b/g, 'set “Charset” to'],
  [/\bset the charset option\b/g, 'set “Charset”'],
  [/`charset`/g, '“Charset”'],
  [/`delimiter`/g, '“Delimiter”'],
  [/`mapping`/g, 'the mapping'],
  [/`sheet`/g, '“Sheet”'],
];

/** A sentence of the server in the words of this page. */
export function plainWords(message: string): string {
  return WORDS.reduce((text, [word, plain]) => text.replace(word, plain), message);
}
