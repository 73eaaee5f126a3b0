import { type RuleOptions, textRule } from './format-rule.js';

/** RFC 5646 §4.4.1 asks for room for 35 characters. */
const MAX_TAG_LENGTH = 35;
/** Of four letters and more there is no language. */
const TAG = /^[a-z]{2,3}(?:-[a-z\d]{1,8})*$/i;

/** Which tags are meant. */
export interface LanguageTagOptions {
  /** Only the spelling of RFC 5646 §2.1.1 and the preferred names of Unicode: `en-US`, not `EN-us`. */
  readonly canonical?: boolean;
}

/**
 * Whether a text is a well-formed language tag of RFC 5646 as Unicode locale identifiers (UTS #35 §3) have them: `de`, `zh-Hant-TW`.
 * Private (`x-…`) and grandfathered (`i-klingon`) tags are refused. That a language exists is not checked.
 *
 * @example
 * isLanguageTag('de-CH'); // true
 * isLanguageTag('en_US'); // false: class-validator's IsLocale takes it
 */
export function isLanguageTag(text: string, { canonical = false }: LanguageTagOptions = {}): boolean {
  if (text.length > MAX_TAG_LENGTH || !TAG.test(text)) return false;
  try {
    const [spelled] = Intl.getCanonicalLocales(text);
    return !canonical || spelled === text;
  } catch {
    return false;
  }
}

/** The text is a language tag: see {@link isLanguageTag}. */
export function IsLanguageTag(options: LanguageTagOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isLanguageTag', (text) => isLanguageTag(text, options), 'must be a language tag', rule);
}

/** ISO 4217, list one, at the start of 2026: what is paid with. No metals, funds, test codes, and nothing withdrawn. */
const CURRENCIES: ReadonlySet<string> = new Set(
  `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
  CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK
  JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR
  MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
  STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG`.split(
    /\s+/,
  ),
);

/** Which currencies are meant. */
export interface CurrencyCodeOptions {
  /** The codes that are taken; by default those of ISO 4217 that are paid with. */
  readonly allow?: readonly string[];
}

/**
 * Whether a text is the code of a currency that is paid with, in capitals as ISO 4217 has it.
 *
 * @example
 * isCurrencyCode('EUR', { allow: ['EUR', 'CHF'] }); // true
 * isCurrencyCode('usd'); // false: class-validator's IsISO4217CurrencyCode takes it
 */
export function isCurrencyCode(text: string, { allow }: CurrencyCodeOptions = {}): boolean {
  return allow === undefined ? CURRENCIES.has(text) : allow.includes(text);
}

/** The text is the code of a currency: see {@link isCurrencyCode}. */
export function IsCurrencyCode(options: CurrencyCodeOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isCurrencyCode', (text) => isCurrencyCode(text, options), 'must be a currency code', rule);
}
